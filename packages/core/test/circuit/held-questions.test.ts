import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldQuestions, heldQuestions } from "../../src/circuit/held-questions.ts";
import { encodeMessage } from "../../src/circuit/messages.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { createCircuitWorld, settle } from "../support/circuit-world.ts";

/** Would catch: memory that grows with every stream on which a question is left half asked. */
test("when too much is held, whoever has held something for longest goes first", () => {
  const held = new HeldQuestions(10);
  const dropped: string[] = [];
  const set = (name: object, bytes: number, text: string): void =>
    held.set(name, bytes, () => dropped.push(text));
  const [a, b, c, d] = [{}, {}, {}, {}];
  set(a, 4, "a");
  set(b, 4, "b");
  set(a, 0, "a");
  set(a, 4, "a again");
  set(c, 3, "c");
  assert.deepEqual([dropped, held.bytes], [["b"], 7]);
  set(d, 11, "d");
  assert.deepEqual([dropped, held.bytes], [["b", "a again", "c", "d"], 0]);
});

/** Would catch: questions that are not counted, or not counted off when their stream or circuit ends. */
test("what streams hold is counted while they hold it", async () => {
  const world = createCircuitWorld({ relayCount: 1 });
  const services = world.relays[0]?.services ?? {};
  services[SERVICE.directory] = (stream) => serveMessages(stream, () => new Promise(() => {}));
  const circuit = await world.build(0);
  const ends: number[] = [];
  const open = (index: number) =>
    circuit.openStream(SERVICE.directory, Buffer.alloc(0), {
      onData() {},
      onWindow() {},
      onEnd: () => ends.push(index),
    });
  const before = heldQuestions.bytes;
  open(0).send(encodeMessage({ a: Buffer.alloc(1000) }).subarray(0, 500));
  await settle();
  assert.equal(heldQuestions.bytes, before + 500);
  const waiting = open(1);
  waiting.send(encodeMessage({}));
  waiting.send(encodeMessage({}));
  await settle();
  assert.equal(heldQuestions.bytes, before + 500 + LIMITS.questionBytes);
  open(2).send(encodeMessage({ a: Buffer.alloc(LIMITS.questionBytes) }));
  await settle();
  assert.deepEqual(ends, [2], "a question longer than any that is asked");
  circuit.destroy();
  await settle();
  assert.equal(heldQuestions.bytes, before);
});

test("all of a process's streams together hold so much", () => {
  const dropped: number[] = [];
  const each = LIMITS.questionsHeldBytes / 4;
  const before = heldQuestions.bytes;
  const streams = Array.from({ length: 5 }, () => ({}));
  for (const [index, stream] of streams.entries()) heldQuestions.set(stream, each, () => dropped.push(index));
  assert.deepEqual([dropped[0], heldQuestions.bytes <= LIMITS.questionsHeldBytes], [0, true]);
  for (const stream of streams) heldQuestions.set(stream, 0, () => {});
  assert.equal(heldQuestions.bytes, before);
});
