import { test } from "node:test";
import { play } from "../support/hostile-scenario.ts";
import { SERVICE_SCENARIOS } from "../support/hostile-scenarios-services.ts";

/** Would catch: what a gate, scout or directory says that is not true, or never says, and that a download does not outlive. */
for (const scenario of SERVICE_SCENARIOS) {
  test(`${scenario.what}: ${scenario.where}`, { timeout: 120_000 }, async (t) => {
    t.diagnostic(JSON.stringify(await play(scenario)));
  });
}
