import assert from "node:assert/strict";
import { test } from "node:test";
import {
  SERVICE,
  type CircuitStream,
  type ServedCircuit,
  type ServiceHandler,
} from "../../src/circuit/stream.ts";
import { ObservedCircuit } from "../../src/node/observed-circuit.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { memoryCircuit } from "../tunnel/memory-circuit.ts";
import { settle } from "../tunnel/town.ts";

const NOBODY = { onData() {}, onWindow() {}, onEnd() {} };

/** A circuit whose last hop serves the directory so, and what is seen of it. */
function observed(serve: (stream: CircuitStream, circuit: ServedCircuit) => boolean) {
  const clock = new ManualClock();
  const seen: string[] = [];
  const rates: number[] = [];
  const handler: ServiceHandler = (stream, _args, circuit) => (serve(stream, circuit) ? NOBODY : undefined);
  const inner = memoryCircuit({ [SERVICE.directory]: handler, [SERVICE.connect]: handler });
  const circuit = new ObservedCircuit(inner, clock, {
    onAnswered: () => void seen.push("answered"),
    onUnanswered: ({ isCertain, isTold }) =>
      void seen.push(`unanswered${isCertain ? " certain" : ""}${isTold ? " told" : ""}`),
    onSilent: () => void seen.push("silent"),
    onGone: () => void seen.push("gone"),
    onRate: (bytesPerSecond) => void rates.push(bytesPerSecond),
  });
  const open = (service: 1 | 5 = SERVICE.directory): CircuitStream => {
    return circuit.openStream(service, Buffer.alloc(0), { ...NOBODY });
  };
  return { clock, seen, rates, inner, circuit, open };
}

/** Would catch: refusals, which only the last hop can send, taken for failures of the path; one circuit that counts twice. */
test("data and refusals count as an answer, once", async () => {
  const refusing = observed(() => false);
  refusing.open();
  refusing.open();
  await settle();
  assert.deepEqual(refusing.seen, ["answered"]);
  const answering = observed((stream) => {
    queueMicrotask(() => stream.send(Buffer.from("a")));
    return true;
  });
  answering.open();
  await settle();
  answering.inner.destroy();
  assert.equal(answering.seen[0], "answered");
  assert.ok(!answering.seen.some((what) => what.startsWith("unanswered")));
});

test("a circuit that goes away before an answer is told of; one that this side lets go is not", async () => {
  const lost = observed(() => true);
  lost.open();
  await settle();
  lost.inner.destroy();
  assert.ok(lost.seen.includes("unanswered certain told"), lost.seen.join());
  const left = observed(() => true);
  left.open();
  await settle();
  left.circuit.destroy();
  assert.deepEqual(left.seen, []);
});

test("whoever waited in vain says so; behind a gate it may be the seeder's doing", async () => {
  for (const [service, expected] of [
    [SERVICE.directory, "unanswered certain"],
    [SERVICE.connect, "unanswered"],
  ] as const) {
    const silent = observed(() => true);
    const quick = silent.open(service);
    await settle();
    quick.end();
    assert.deepEqual(silent.seen, [], "it was given no time");
    const patient = silent.open(service);
    silent.clock.advance(10_000);
    patient.end();
    assert.deepEqual(silent.seen, ["silent", expected]);
  }
});

/** Would catch: pauses of the other end, and single messages, that pass for a slow path. */
test("a rate is measured while data flows, and pauses do not count", async () => {
  const sender: { stream: CircuitStream | undefined } = { stream: undefined };
  const flowing = observed((stream) => {
    sender.stream = stream;
    return true;
  });
  const receiver = flowing.open();
  await settle();
  const flow = async (frames: number): Promise<void> => {
    for (let frame = 0; frame < frames; frame++) {
      flowing.clock.advance(10);
      sender.stream?.send(Buffer.alloc(16_000));
      await settle(1);
      receiver.consumed(1);
    }
  };
  await flow(40);
  assert.deepEqual(flowing.rates, []);
  flowing.clock.advance(60_000);
  await flow(70);
  assert.equal(flowing.rates.length, 1);
  assert.ok(Math.abs((flowing.rates[0] ?? 0) - 1_600_000) < 20_000, `${flowing.rates[0]} bytes/s`);
});
