import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError, isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { Entry } from "../../src/node/entry.ts";
import { signedInfo } from "../directory/fixtures.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** Guards of which none can be dialled, for that reason; which of them are blamed. */
async function blamed(code: ErrorCode): Promise<number> {
  const guards = [1, 2, 3].map((n) => signedInfo({ endpoints: [{ host: `8.${n}.1.1`, port: 9 }] }));
  const failed = new Set<string>();
  const entry = new Entry({
    clock: new ManualClock(),
    channels: { get: () => Promise.reject(new BackroomError(code, "no")) },
    guards: { failed: (key) => void failed.add(key), worked() {}, retryAtMs: () => undefined },
  });
  await assert.rejects(entry.reach(guards), (error) => isBackroomError(error, code));
  entry.close();
  return failed.size;
}

test("guards that do not answer are blamed for it, and none when it is the proxy that does not", async () => {
  // Would catch a member that takes ever more guards while its proxy is down.
  assert.equal(await blamed("E_UNREACHABLE"), 3);
  assert.equal(await blamed("E_PROXY"), 0);
});
