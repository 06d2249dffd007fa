import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { LIMITS } from "../../../src/base/limits.ts";
import { havePartners } from "../../support/partners.ts";

const CHILD = path.join(import.meta.dirname, "lan-limits-child.ts");
const HERE = "10.79.0.1";
/** A local network of one computer, which no packet leaves. */
const SETUP = `ip link add lan0 type veth peer name lan1 && ip link set lan1 up && ip link set lo up && ip addr add ${HERE}/24 dev lan0 && ip link set lan0 up multicast on && ip route add 224.0.0.0/4 dev lan0 && exec "$@"`;

/** Would catch: a relay that answers as often as it is asked, which a neighbour can have sent to a third one; a search that is filled, or kept from its end, by one who answers without end. */
test("answers on a local network, and what is taken of them, are bounded", { timeout: 60_000 }, async (t) => {
  if (!havePartners(t, "netns", "mountns")) return;
  const args = ["-n", "sh", "-c", SETUP, "sh", process.execPath, CHILD, HERE];
  const { stdout } = await promisify(execFile)("unshare", args, { timeout: 50_000 });
  assert.deepEqual(JSON.parse(stdout), {
    answers: [LIMITS.lanAnswersPerSecond, LIMITS.lanAnswersPerSecond],
    crowded: { found: LIMITS.lanRelays, isOver: [false, true] },
    noisy: { found: 0, isOver: [false, true] },
    alone: { found: 1, isOver: [false, true] },
  });
});
