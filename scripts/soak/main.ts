/**
 * `npm run soak -- pow`: runs that take too long or too much of a machine for the suite, each with a short deterministic version in it. Ends with 1
 * when something that has to hold did not.
 */
import { soakLimits } from "./limits.ts";
import { soakPow } from "./pow.ts";

const SOAKS: Record<string, (args: readonly string[]) => Promise<boolean>> = {
  pow: soakPow,
  limits: soakLimits,
};

const [name = "", ...args] = process.argv.slice(2);
const soak = SOAKS[name];
if (soak === undefined) {
  process.stderr.write(`say which: ${Object.keys(SOAKS).join(", ")}\n`);
  process.exit(2);
}
process.exitCode = (await soak(args)) ? 0 : 1;
