import { test } from "node:test";
import { play } from "../support/hostile-scenario.ts";
import { FRAME_SCENARIOS } from "../support/hostile-scenarios-frames.ts";

/** Would catch: tampering that nobody notices, that costs more than it should, or that a download does not outlive. */
for (const scenario of FRAME_SCENARIOS) {
  test(`${scenario.what}: ${scenario.where}`, { timeout: 120_000 }, async (t) => {
    t.diagnostic(JSON.stringify(await play(scenario)));
  });
}
