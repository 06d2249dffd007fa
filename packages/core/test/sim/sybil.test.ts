import assert from "node:assert/strict";
import { test } from "node:test";
import { measureSybil } from "../../../../scripts/sim/sybil-run.ts";

test("an attacker's relays gain by subnets and hardly by number, and figures repeat", async () => {
  const spread = await measureSybil({ relays: 16, perSubnet: 1 }, "spread", 60);
  const crowded = await measureSybil({ relays: 16, perSubnet: 16 }, "crowded", 60);
  assert.ok(spread.anyHop > 2 * crowded.anyHop, `${spread.anyHop} against ${crowded.anyHop}`);
  // At most eight of a subnet in a table of about seventy relays.
  assert.ok(crowded.inTables < 0.2, `${crowded.inTables} of tables`);
  assert.ok(spread.bothEnds <= spread.gate && spread.gate <= spread.anyHop);
  assert.deepEqual(await measureSybil({ relays: 16, perSubnet: 16 }, "crowded", 60), crowded);
});
