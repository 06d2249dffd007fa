import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import type { Bencoded, BencodedDict } from "../../src/base/bencode.ts";
import { isBackroomError, type BackroomError } from "../../src/base/errors.ts";
import { askService, encodeMessage, openConversation, serveMessages } from "../../src/circuit/messages.ts";
import { SERVICE, type Circuit } from "../../src/circuit/stream.ts";
import { createCircuitWorld, settle, type CircuitWorld } from "../support/circuit-world.ts";

async function served(
  answer: (question: BencodedDict) => Bencoded | Promise<Bencoded>,
): Promise<{ world: CircuitWorld; circuit: Circuit; ended: { count: number } }> {
  const world = createCircuitWorld({ relayCount: 2 });
  const ended = { count: 0 };
  const services = world.relays[1]?.services ?? {};
  services[SERVICE.directory] = (stream) => serveMessages(stream, answer, () => ended.count++);
  return { world, circuit: await world.build(0, 1), ended };
}

test("a question gets its answer, also one of several frames", async () => {
  const big = Buffer.alloc(60_000, 7);
  const { world, circuit, ended } = await served((question) => ({ n: question.get("n") as number, b: big }));
  const answer = await askService(circuit, SERVICE.directory, { n: 5 }, { clock: world.clock });
  assert.deepEqual([answer.get("n"), answer.get("b")], [5, big]);
  await settle();
  assert.equal(ended.count, 1, "the stream is closed after the answer");
});

test("a conversation stays open, answers come in order, and both ends learn when it is over", async () => {
  let answered = 0;
  const { world, circuit, ended } = await served(async (question) => {
    await Promise.resolve();
    return { n: (question.get("n") as number) + ++answered * 100 };
  });
  const closed: BackroomError[] = [];
  const conversation = openConversation(circuit, SERVICE.directory, { clock: world.clock }, (error) =>
    closed.push(error),
  );
  assert.equal((await conversation.ask({ n: 1 })).get("n"), 101);
  assert.equal((await conversation.ask({ n: 2 })).get("n"), 202);
  assert.equal(ended.count, 0);
  conversation.close();
  await settle();
  assert.deepEqual([ended.count, closed, conversation.open], [1, [], false]);
  await assert.rejects(conversation.ask({}), (error) => isBackroomError(error, "E_CIRCUIT"));

  const other = openConversation(circuit, SERVICE.directory, { clock: world.clock }, (error) =>
    closed.push(error),
  );
  const asking = other.ask({ n: 1 });
  circuit.destroy();
  await assert.rejects(asking, (error) => isBackroomError(error, "E_CIRCUIT"));
  assert.equal(closed.length, 1);
});

test("an answered error, a refusal and a service that fails are told apart from silence", async () => {
  const { world, circuit } = await served((question) => {
    if (question.has("throw")) throw new Error("a bug of the service");
    if (question.has("odd")) return { e: Buffer.from("No\u0007 such code") };
    if (question.has("silent")) return new Promise(() => {});
    return { e: Buffer.from("quota") };
  });
  const ask = (question: Bencoded, service: 1 | 4 = SERVICE.directory) =>
    askService(circuit, service, question, { clock: world.clock, timeoutMs: 5000 });
  const refusedWith = (text: string) => (error: unknown) =>
    isBackroomError(error, "E_REFUSED") && error.message === `the service answered: ${text}`;
  await assert.rejects(ask({}), refusedWith("quota"));
  await assert.rejects(ask({ throw: 1 }), refusedWith("failed"));
  await assert.rejects(ask({ odd: 1 }), refusedWith("an error"));
  await assert.rejects(ask({}, SERVICE.leases), (error) => isBackroomError(error, "E_REFUSED"));
  const silent = ask({ silent: 1 });
  await settle();
  world.clock.advance(5000);
  await assert.rejects(silent, (error) => isBackroomError(error, "E_CIRCUIT"));
});

test("broken messages and floods of questions end the stream, not the relay", async () => {
  const { world, circuit, ended } = await served(() => new Promise(() => {}));
  const flood = Buffer.concat(Array.from({ length: LIMITS.questionsWaiting + 3 }, () => encodeMessage({})));
  const bad = [Buffer.from("ffffffff", "hex"), Buffer.from("000000023131", "hex"), flood];
  for (const [index, payload] of bad.entries()) {
    const stream = circuit.openStream(SERVICE.directory, Buffer.alloc(0), {
      onData() {},
      onWindow() {},
      onEnd() {},
    });
    stream.send(payload);
    await settle();
    assert.equal(ended.count, index + 1);
  }
  assert.equal(circuit.alive, true);
  assert.equal(world.relays[1]?.relay.stats().circuits, 1);
});

/** Would catch: a rejection that nobody handles, which ends the process. */
test("a service whose answer is too long to send ends its stream, not the relay", async () => {
  const { world, circuit } = await served(() => ({ l: Buffer.alloc(LIMITS.messageBytes) }));
  const asked = askService(circuit, SERVICE.directory, {}, { clock: world.clock });
  await assert.rejects(asked, (error) => isBackroomError(error, "E_CIRCUIT"));
  assert.equal(circuit.alive, true);
});

test("an answer that nobody asked for, or that is no dictionary, closes the conversation", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  const services = world.relays[0]?.services ?? {};
  services[SERVICE.directory] = (stream) => {
    stream.send(encodeMessage({}));
    return { onData() {}, onWindow() {}, onEnd() {} };
  };
  const circuit = await world.build(0);
  const closed: BackroomError[] = [];
  openConversation(circuit, SERVICE.directory, { clock: world.clock }, (error) => closed.push(error));
  await settle();
  assert.deepEqual(
    closed.map((error) => error.code),
    ["E_FRAME"],
  );
});

test("a service that says nothing is given up after its time", async () => {
  const { world, circuit } = await served(() => new Promise(() => {}));
  const outcomes: unknown[] = [];
  askService(circuit, SERVICE.directory, {}, { clock: world.clock }).catch((error: unknown) =>
    outcomes.push(error),
  );
  await settle();
  await world.clock.pass(LIMITS.answerMs - 1);
  assert.equal(outcomes.length, 0);
  await world.clock.pass(1);
  assert.ok(isBackroomError(outcomes[0], "E_CIRCUIT"));
});
