import assert from "node:assert/strict";
import { test } from "node:test";
import type { RelayInfo } from "../../src/directory/relay-info.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { samplePack, storeOf } from "../swarm/fixtures.ts";
import { withWorld, type Built, type MemberWorld } from "./member-world.ts";

/** So few that the relay often is a part of several circuits, on both sides. */
const RELAYS = 8;
const SEEDS = [0, 7, 16, 21];
const PIECES_MORE = 32;
/** Where one that is silent is a hop of the new path too, it is waited for, for three seconds. */
const BACK_MS = 9_000;

/** The relay of that kind in the path that the download goes by, the sharer's half included. */
const VICTIMS = {
  "the downloader's guard": ([guard]) => guard,
  "the gate": ([, , gate]) => gate,
  "the sharer's second hop": (_, [, second]) => second,
  "the sharer's guard": (_, [guard]) => guard,
} satisfies Record<
  string,
  (own: readonly RelayInfo[], sharers: readonly RelayInfo[]) => RelayInfo | undefined
>;

/** The first moments of a download in which a relay falls silent; gives how long too little came, and whether that relay was in other circuits, too. */
async function loseRelay(world: MemberWorld, folder: string, seed: number, which: keyof typeof VICTIMS) {
  world.wires.delayMs = 5;
  const pack = samplePack(8 * 1024 * 1024);
  const sharer = await world.newMember(`${folder}/sharer`, { seed: 2 * seed });
  const sharing = sharer.join(await storeOf(pack), true);
  await world.until(() => sharing.swarming.gateCount === 2, 60_000);
  // Its circuits are no new ones, and its channels quiet.
  await world.pass(5 * 60_000, 5_000);
  const getter = await world.newMember(`${folder}/getter`, { seed: 2 * seed + 1 });
  const fetching = getter.join(new MemoryStore(pack.info));
  let failure: unknown;
  fetching.fetch().catch((error: unknown) => (failure = error));
  const { swarm } = fetching.swarming;
  await world.until(() => swarm.stats().haveCount > 15, 60_000, 5);
  const { haveCount } = swarm.stats();
  const pathsOf = (built: readonly Built[], role: string): (readonly RelayInfo[])[] =>
    built.filter((one) => one.role === role && one.circuit.alive).map(({ path }) => path);
  const own = pathsOf(getter.built, "downloader").at(-1) ?? [];
  const standing = pathsOf(sharer.built, "seeder");
  const victim = VICTIMS[which](own, standing.find((path) => path.at(-1) === own.at(-1)) ?? []);
  const isElsewhere = standing.flat().some((relay) => relay === victim);
  world.silence(world.relayOf(victim));
  const isBack = (): boolean => swarm.stats().haveCount >= haveCount + PIECES_MORE;
  const tookMs = await world.until(() => isBack() || failure !== undefined, 60_000, 20);
  assert.equal(failure, undefined);
  return { isElsewhere, tookMs };
}

/**
 * Would catch: whoever gives a silent relay longer than moments: a first burst that seems to need half a minute on its way, a gate that is waited for though it is the
 * very relay that fell silent, a lease or a gate that nobody asks about meanwhile, a seeder whose one gate waits for the other.
 */
for (const which of Object.keys(VICTIMS) as (keyof typeof VICTIMS)[])
  test(`a download goes on within seconds after ${which} fell silent, whatever else that relay was`, async (t) => {
    for (const seed of SEEDS) {
      await withWorld(RELAYS, async (world, folder) => {
        const { isElsewhere, tookMs } = await loseRelay(world, folder, seed, which);
        t.diagnostic(
          `${seed}: ${(tookMs / 1000).toFixed(1)} s${isElsewhere ? ", a relay of the sharer's" : ""}`,
        );
        assert.ok(tookMs <= (isElsewhere ? BACK_MS : 3_000), `seed ${seed}: ${tookMs} ms`);
      });
    }
  });
