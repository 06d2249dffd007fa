import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { createRelayInfoDecoder } from "../../src/directory/relay-info.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { OwnInfo } from "../../src/node/own-info.ts";
import { openRelayKeys } from "../../src/node/relay-keys.ts";
import { withFolder } from "../store/temporary.ts";

/** Would catch: a relay with a low limit that has as many paths drawn through it as any other. */
test("a relay with a limit of speed claims no more than that", async () => {
  await withFolder(async (root) => {
    const keys = await openRelayKeys(await openDataFolder(root), systemClock);
    const claimOf = (rate: number | null): number | undefined => {
      const own = new OwnInfo(keys, { networkId: 1, gate: false, limit: { rate } });
      own.where = { kind: "reachable", endpoints: [{ host: "8.1.1.1", port: 9001 }] };
      const bytes = own.bytes();
      return bytes && createRelayInfoDecoder()(bytes).bandwidthKiB;
    };
    const most = claimOf(null);
    assert.equal(claimOf(65_536), 64);
    assert.equal(claimOf(1024 ** 4), most);
  });
});
