import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../directory/fixtures.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { RelayInfo } from "../../src/directory/relay-info.ts";
import { Scouting } from "../../src/node/scouting.ts";
import { deriveEpoch, epochsAt } from "../../src/tunnel/topic.ts";
import { samplePack, storeOf } from "../swarm/fixtures.ts";
import { withWorld, type MemberWorld } from "./member-world.ts";

/** A member of a world, and what asking scouts leads to: what they say, and which were asked. */
async function newScouting(world: MemberWorld, root: string) {
  const member = await world.newMember(root, { seed: 3 });
  const scouting = new Scouting(member.client);
  return async (
    topicHash: Buffer,
  ): Promise<{ gates: RelayInfo[]; asked: Set<string>; questions: number }> => {
    const before = member.built.length;
    let gates: RelayInfo[] | undefined;
    const asking = scouting.ask(topicHash).then((found) => (gates = found));
    await world.until(() => gates !== undefined, 60_000);
    await asking;
    const scouts = member.built.slice(before).map(({ path }) => path.at(-1)?.key ?? "");
    return { gates: gates ?? [], asked: new Set(scouts), questions: scouts.length };
  };
}

/** Would catch: a downloader that meets the same liars in round after round while there are others to ask. */
test("scouts that named no gate are not asked again while there are others, and are when there are none", async () => {
  await withWorld(16, async (world, folder) => {
    const ask = await newScouting(world, `${folder}/member`);
    const nowhere = Buffer.alloc(20, 7);
    const first = await ask(nowhere);
    assert.equal(first.questions, 3, "one more was to be asked");
    assert.ok(first.asked.size >= 2);
    const second = await ask(nowhere);
    assert.ok(
      [...second.asked].every((key) => !first.asked.has(key)),
      "the same was asked again",
    );
    for (let round = 0; round < 2 + LIMITS.scoutsAvoided / 3; round++) {
      const { asked, gates } = await ask(nowhere);
      assert.deepEqual([asked.size >= 1, gates], [true, []]);
    }
  });
});

test("two scouts are enough where they name gates", async () => {
  await withWorld(16, async (world, folder) => {
    const sharer = await world.newMember(`${folder}/sharer`, { seed: 1 });
    const sharing = sharer.join(await storeOf(samplePack(65_536)), true);
    await world.until(() => sharing.swarming.gateCount === 2, 60_000);
    const [epoch = 0] = epochsAt(world.share.topicSecret, world.clock.nowMs());
    const ask = await newScouting(world, `${folder}/member`);
    const { gates, questions } = await ask(deriveEpoch(world.share, epoch).topicHash);
    assert.deepEqual([gates.length, questions], [2, 2]);
  });
});

/** Would catch: a downloader that has asked so many that hardly any scout is left to be drawn, which tells whoever sees the last ones who it is that asks. */
test("no more scouts are left out than a few, the one that was asked first is drawn again first", async () => {
  const notLast: string[][] = [];
  const client = {
    machine: { clock: new ManualClock(), random: seededRandom(1) },
    decodeInfo: () => assert.fail("nobody answers"),
    vet: () => assert.fail("nobody answers"),
    open: (want: { readonly notLast?: ReadonlySet<string> }) => {
      notLast.push([...(want.notLast ?? [])]);
      const openStream = () => {
        throw new BackroomError("E_CIRCUIT", "gone");
      };
      const circuit = { openStream, destroy() {}, alive: true };
      return Promise.resolve({ circuit, path: [{ key: `scout ${notLast.length}` }] });
    },
  };
  const scouting = new Scouting(client as unknown as ConstructorParameters<typeof Scouting>[0]);
  for (let round = 0; round < LIMITS.scoutsAvoided; round++) {
    await assert.rejects(scouting.ask(Buffer.alloc(20)), { code: "E_CIRCUIT" });
  }
  const last = notLast.at(-1) ?? [];
  assert.equal(last.length, LIMITS.scoutsAvoided);
  assert.equal(last.at(-1), `scout ${notLast.length - 1}`);
  assert.ok(notLast.every(({ length }) => length <= LIMITS.scoutsAvoided));
});
