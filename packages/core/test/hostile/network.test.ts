import { test } from "node:test";
import { play } from "../support/hostile-scenario.ts";
import { NETWORK_SCENARIOS } from "../support/hostile-scenarios-network.ts";

/** Would catch: what a stranger does of their own accord that keeps a member from its share, or an honest relay from its work. */
for (const scenario of NETWORK_SCENARIOS) {
  test(`${scenario.what}: ${scenario.where}`, { timeout: 120_000 }, async (t) => {
    t.diagnostic(JSON.stringify(await play(scenario)));
  });
}
