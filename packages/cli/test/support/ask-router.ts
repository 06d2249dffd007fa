/** Asks the router for a port as a relay does, and says what came of it as JSON, with how long it took. */
import { systemClock } from "@backroom/core/base/clock.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { createPortMapper } from "../../../core/src/net/port-mapping/port-mapper.ts";

const startedMs = performance.now();
// The clock's timers alone would not keep this program alive.
const stay = setInterval(() => {}, 1000);
const mapping = await createPortMapper({ clock: systemClock, random: systemRandom }).map(4430, 4430);
clearInterval(stay);
process.stdout.write(JSON.stringify({ mapping: mapping ?? null, tookMs: performance.now() - startedMs }));
