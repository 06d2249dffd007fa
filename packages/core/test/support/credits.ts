import { LIMITS } from "../../src/base/limits.ts";
import { CreditPool } from "../../src/circuit/credit-pool.ts";
import type { CreditDeps } from "../../src/circuit/credit-window.ts";
import { ManualClock } from "./manual-clock.ts";

/** What a channel or hub that stands alone shares with nobody. Its clock stands still, so no window grows. */
export function credits(): CreditDeps {
  return { clock: new ManualClock(), section: new CreditPool(LIMITS.creditPoolFrames).section() };
}
