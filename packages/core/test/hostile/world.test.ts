import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME } from "../../src/net/frame.ts";
import { drop, onSending, some, toward } from "../support/hostile-frames.ts";
import { DOWNLOADERS_GUARDS, HostileWorld, SEEDERS_GUARDS } from "../support/hostile-world.ts";

/** Would catch: a world in which something is wrong even without hostile relays, so that scenarios prove nothing. */
test("among honest relays a download needs few circuits, and nobody notices anything", async () => {
  const world = new HostileWorld({ hostile: {} });
  try {
    await world.seed("seeder", SEEDERS_GUARDS);
    const { circuits, wastedKiB } = await world.download("downloader", DOWNLOADERS_GUARDS);
    assert.deepEqual(world.watch.notices, []);
    assert.ok(circuits <= 5, `${circuits} circuits`);
    assert.equal(wastedKiB, 0);
  } finally {
    await world.close();
  }
});

/** Would catch: a member that stays with a guard through which nothing comes any more, because circuits can still be built. */
test("a download leaves a guard that swallows all data", async () => {
  const tally = { acts: 0 };
  const match = some(toward(/^member/, FRAME.data, FRAME.shortData), { skipped: 5 });
  const world = new HostileWorld({ hostile: { dg1: { frames: onSending(tally, match, drop) } } });
  try {
    await world.seed("seeder", SEEDERS_GUARDS);
    await world.download("downloader", DOWNLOADERS_GUARDS);
    assert.ok(tally.acts > 0);
  } finally {
    await world.close();
  }
});
