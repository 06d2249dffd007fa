import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { SERVICE, type ServiceHandler } from "../../src/circuit/stream.ts";
import { FRAME, type FrameType } from "../../src/net/frame.ts";
import { seededRandom } from "../directory/fixtures.ts";
import {
  credit,
  destroy,
  drop,
  duplicate,
  each,
  flip,
  hangUp,
  inTurn,
  onReceiving,
  onSending,
  replay,
  swap,
  toward,
  type Deed,
  type FrameScript,
} from "../support/hostile-frames.ts";
import {
  echoing,
  endingAfter,
  refusing,
  scriptedTunnels,
  silent,
  stallingAfter,
  tampering,
} from "../support/hostile-services.ts";
import {
  DOWNLOADERS_GUARDS,
  HostileWorld,
  SEEDERS_GUARDS,
  WITH_MIDDLES,
  type Handlers,
  type Script,
} from "../support/hostile-world.ts";

const RUNS = 12;

const deeds: readonly (() => Deed)[] = [
  () => drop,
  () => duplicate,
  () => destroy,
  () => hangUp,
  () => swap(),
  () => replay(),
  () => flip(5),
  () => flip(6),
  () => flip(500),
  () => flip(-1),
  () => credit(0),
  () => credit(40_000),
];
const TYPES: readonly FrameType[] = [FRAME.data, FRAME.control, FRAME.create, FRAME.credit];

interface Step {
  readonly deed: number;
  readonly type: FrameType;
  readonly every: number;
  readonly isSending: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  deed: fc.nat(deeds.length - 1),
  type: fc.constantFrom(...TYPES),
  every: fc.integer({ min: 2, max: 30 }),
  isSending: fc.boolean(),
});
const service = fc.constantFrom("honest", "refuses", "silent", "echoes", "ends", "stalls", "tampers");
const plan = fc.record({
  seed: fc.nat(1_000_000),
  names: fc.uniqueArray(fc.constantFrom("dg1", "sg1", "mid1", "mid2", "gate1"), {
    minLength: 1,
    maxLength: 3,
  }),
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
  gate: service,
});

function framesOf(steps: readonly Step[]): FrameScript {
  const tally = { acts: 0 };
  return inTurn(
    ...steps.map(({ deed, type, every, isSending }) =>
      (isSending ? onSending : onReceiving)(
        tally,
        each(every, toward(/./, type)),
        (deeds[deed] as () => Deed)(),
      ),
    ),
  );
}

function gateOf(kind: string, honest: Handlers): Handlers {
  const tally = { acts: 0 };
  const connect = honest[SERVICE.connect] as ServiceHandler;
  const kinds: Readonly<Record<string, ServiceHandler>> = {
    refuses: refusing(tally),
    silent: silent(tally),
    echoes: echoing(tally),
    ends: scriptedTunnels(connect, endingAfter(tally, 2)),
    stalls: scriptedTunnels(connect, stallingAfter(tally, 2)),
    tampers: scriptedTunnels(connect, tampering(tally, 4)),
  };
  return { ...honest, [SERVICE.connect]: kinds[kind] ?? connect };
}

/** Would catch: a script that makes a download hang, end with an error that is none of ours, or give wrong bytes. */
test("whatever up to three hostile relays do, a download ends with the right bytes or a clear error", async () => {
  let completed = 0;
  await fc.assert(
    fc.asyncProperty(plan, async ({ seed, names, steps, gate }) => {
      const script: Script = { frames: framesOf(steps) };
      const gateScript: Script = { ...script, services: (honest) => gateOf(gate, honest) };
      const hostile = Object.fromEntries(names.map((name) => [name, name === "gate1" ? gateScript : script]));
      const world = new HostileWorld({ plans: WITH_MIDDLES, hostile, random: seededRandom(seed) });
      try {
        await world.seed("seeder", SEEDERS_GUARDS, { gates: 0 });
        await world.download("downloader", DOWNLOADERS_GUARDS, 3_600_000);
        completed++;
      } catch (error) {
        // A clear error of ours; what arrived is compared by `download`, and it would say that it hangs.
        if (!isBackroomError(error)) throw error;
      } finally {
        await world.close();
      }
    }),
    { numRuns: RUNS, seed: 5 },
  );
  assert.ok(completed >= RUNS / 4, `only ${completed} downloads came through`);
});
