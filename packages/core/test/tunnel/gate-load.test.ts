import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError, type BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { askService } from "../../src/circuit/messages.ts";
import { SERVICE, type Circuit } from "../../src/circuit/stream.ts";
import { encodeConnect, solveConnect, type ConnectTerms } from "../../src/tunnel/connect-work.ts";
import { askLeases } from "../../src/tunnel/gate-client.ts";
import { openLease } from "../../src/tunnel/lease.ts";
import type { FoundTunnel } from "../../src/tunnel/dial.ts";
import { deriveEpoch, epochsAt } from "../../src/tunnel/topic.ts";
import { newSeeder, newShare } from "./fixtures.ts";
import { findAll, newTown, pass, settle, type TownGate } from "./town.ts";

/** A gate with one seeder, and somebody who holds the link: the tag is known, and as many circuits as wanted can be had. */
async function newSiege() {
  const town = newTown(2);
  const [gate, spare] = town.gates as [TownGate, TownGate];
  spare.up = false;
  const share = newShare();
  const { presence, tunnels } = town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 10_000, 1_000);
  const [epoch] = epochsAt(share.topicSecret, town.clock.nowMs());
  const keys = deriveEpoch(share, epoch as number);
  const circuit = await town.openTo(gate.target);
  const { leases } = await askLeases(circuit, keys.topic, town.clock);
  const lease = openLease(keys, leases[0] as Buffer, town.clock.nowMs());
  const { tag } = lease.gates[0] as (typeof lease.gates)[0];

  /** Opens a tunnel with these arguments and says nothing more; tells how that ended, if it did. */
  const open = async (args: Buffer, way?: Circuit) => {
    const outcome: { ended: boolean; error: BackroomError | undefined } = { ended: false, error: undefined };
    (way ?? (await town.openTo(gate.target))).openStream(SERVICE.connect, args, {
      onData() {},
      onWindow() {},
      onEnd: (error) => Object.assign(outcome, { ended: true, error }),
    });
    await settle(3);
    return outcome;
  };
  const terms = async (): Promise<ConnectTerms> =>
    (await askLeases(await town.openTo(gate.target), keys.topic, town.clock)).terms;
  const work = async (effort: number, gateKey = gate.target.nodeKey): Promise<Buffer> => {
    const { nonce } = await terms();
    return encodeConnect({
      tag,
      work: await solveConnect(
        gateKey,
        tag,
        { nonce, effort },
        { random: systemRandom, mayGoOn: () => true },
      ),
    });
  };
  return {
    ...town,
    gate: gate.gate,
    target: gate.target,
    share,
    keys,
    tag,
    open,
    terms,
    work,
    presence,
    tunnels,
  };
}

const refused = (outcome: { ended: boolean; error: unknown }): boolean =>
  outcome.ended && isBackroomError(outcome.error, "E_REFUSED");

test("an idle gate asks for nothing; one that is flooded asks, and a downloader who is told does it and gets in", async () => {
  const siege = await newSiege();
  assert.equal((await siege.terms()).effort, 0);
  for (let count = 0; count < LIMITS.gateConnectBurst + 2 * LIMITS.gateWaitingPerSeeder; count++)
    await siege.open(siege.tag);
  assert.ok((await siege.terms()).effort > 0);
  const found: FoundTunnel[] = [];
  void findAll(siege.finderFor(siege.share), 1).then((tunnels) => found.push(...tunnels));
  let waitedMs = 0;
  for (; found.length === 0 && waitedMs < 10_000; waitedMs += 100) {
    for (let count = 0; count < 4; count++) await siege.open(siege.tag);
    await pass(siege.clock, 100, 100);
    // The work is real, while the clock stands.
    await settle(50);
  }
  assert.equal(found.length, 1, `not in after ${waitedMs} ms`);
  siege.presence.close();
});

/** Would catch: a downloader that takes every refusal for a dead seeder, though it was not asked for work before. */
test("whom only a peer has named the gate's terms is refused first, asks, and gets in", async () => {
  const siege = await newSiege();
  const finder = siege.finderFor(siege.share);
  const { leases } = await askLeases(await siege.openTo(siege.target), siege.keys.topic, siege.clock);
  finder.book.add(leases[0] as Buffer, "peer");
  for (let count = 0; count < LIMITS.gateConnectBurst + 2 * LIMITS.gateWaitingPerSeeder; count++) {
    await siege.open(await siege.work(1));
  }
  const found: FoundTunnel[] = [];
  void (async () => {
    const options = { want: 1, isWanted: () => true, mayLookUp: false };
    for await (const one of finder.find(options)) found.push(one);
  })();
  for (let waitedMs = 0; found.length === 0 && waitedMs < 10_000; waitedMs += 100) {
    await pass(siege.clock, 100, 100);
    await settle(50);
  }
  assert.equal(found.length, 1);
});

test("work opens one tunnel, at the gate that asked for it, and wrong work none", async () => {
  const siege = await newSiege();
  const args = await siege.work(2);
  assert.equal((await siege.open(args)).ended, false);
  assert.ok(refused(await siege.open(args)), "the same work opened a second tunnel");
  assert.ok(
    refused(await siege.open(await siege.work(8, systemRandom.bytes(32)))),
    "another gate's work was taken",
  );
  const wrong = Buffer.from(await siege.work(8));
  wrong[wrong.length - 1] = (wrong[wrong.length - 1] as number) ^ 1;
  assert.ok(refused(await siege.open(wrong)));
  assert.ok(refused(await siege.open(Buffer.concat([siege.tag, Buffer.alloc(3)]))));
  assert.equal(siege.gate.tunnels, 1);
});

/** Would catch: work that waits twice, and is checked only when it came. */
test("work that waits in two places opens one tunnel", async () => {
  const siege = await newSiege();
  for (let count = 0; count < LIMITS.gateConnectBurst; count++) await siege.open(siege.tag);
  const args = await siege.work(3);
  const [first, second] = [await siege.open(args), await siege.open(args)];
  assert.deepEqual([first.ended, second.ended], [false, false]);
  const before = siege.gate.tunnels;
  await pass(siege.clock, 1_000, 100);
  assert.deepEqual([first.ended, second.ended], [false, true]);
  assert.equal(siege.gate.tunnels, before + 1);
});

test("one circuit opens a few tunnels, tries so often, and asks so much; others are not touched", async () => {
  const siege = await newSiege();
  const own = await siege.openTo(siege.target);
  const outcomes = [];
  for (let count = 0; count <= LIMITS.gateTunnelsPerCircuit; count++)
    outcomes.push(await siege.open(siege.tag, own));
  assert.deepEqual(outcomes.map(refused), [...outcomes.slice(1).map(() => false), true]);
  const trier = await siege.openTo(siege.target);
  for (let count = 0; count < LIMITS.gateAttemptBurst; count++)
    await siege.open(systemRandom.bytes(16), trier);
  assert.ok(refused(await siege.open(siege.tag, trier)), "an attempt too many was looked at");
  siege.clock.advance(1_000 / LIMITS.gateAttemptsPerSecond);
  assert.equal((await siege.open(siege.tag, trier)).ended, false);
  const ask = (way: Circuit) => askService(way, SERVICE.leases, { g: siege.tag }, { clock: siege.clock });
  const asker = await siege.openTo(siege.target);
  for (let count = 0; count < LIMITS.gateLeaseQuestionBurst; count++) await ask(asker);
  await assert.rejects(ask(asker), { message: "the service answered: full" });
  await ask(await siege.openTo(siege.target));
  siege.clock.advance(1_000 / LIMITS.gateLeaseQuestionsPerSecond);
  await ask(asker);
  await assert.rejects(ask(asker));
});

/** Would catch: thousands of circuits, each within its bound, that make a gate answer leases all day. */
test("all lease questions together are bounded", async () => {
  const siege = await newSiege();
  const ask = async () =>
    askService(await siege.openTo(siege.target), SERVICE.leases, { g: siege.tag }, { clock: siege.clock });
  let answered = 0;
  for (; answered < 2 * LIMITS.gateAllLeaseQuestionBurst; answered++) {
    try {
      await ask();
    } catch {
      break;
    }
  }
  assert.ok(
    answered >= LIMITS.gateAllLeaseQuestionBurst - 1 && answered <= LIMITS.gateAllLeaseQuestionBurst + 1,
    `${answered}`,
  );
  siege.clock.advance(100);
  let more = 0;
  for (; more < LIMITS.gateAllLeaseQuestionsPerSecond; more++) {
    try {
      await ask();
    } catch {
      break;
    }
  }
  assert.ok(more <= LIMITS.gateAllLeaseQuestionsPerSecond / 10 + 1, `${more} in a tenth of a second`);
});
