import assert from "node:assert/strict";
import { test } from "node:test";
import type { VirtualTime } from "../../../../scripts/sim/virtual-time.ts";
import type { CircuitDeps } from "../../src/circuit/client-circuit.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import {
  SERVICE,
  STREAM_PAYLOAD_BYTES,
  type Circuit,
  type StreamHandlers,
} from "../../src/circuit/stream.ts";
import { DATA_FRAME_BYTES } from "../../src/net/frame.ts";
import type { CircuitWorld } from "../support/circuit-world.ts";
import { createFarWorld, FAR_LINE, inTime, pass } from "../support/far-world.ts";

/** Bits of payload that a line of 100 Mbit/s carries in a second, headers and layers off. */
const LINE_BITS = FAR_LINE.bytesPerMs * 8_000 * (STREAM_PAYLOAD_BYTES / DATA_FRAME_BYTES);

type FarWorld = CircuitWorld<VirtualTime>;

const QUIET: StreamHandlers = { onData() {}, onWindow() {}, onEnd() {} };

/** The relay sends for as long as it may on `connect`, and answers each payload with one on `leases`. */
function serveAll(world: FarWorld, relay: number): void {
  const services = world.relays[relay]?.services ?? {};
  services[SERVICE.connect] = (stream) => {
    const fill = (): void => {
      while (stream.sendWindow > 0) stream.send(Buffer.alloc(STREAM_PAYLOAD_BYTES));
    };
    queueMicrotask(fill);
    return { ...QUIET, onWindow: fill };
  };
  services[SERVICE.leases] = (stream) => ({
    ...QUIET,
    onData() {
      stream.consumed(1);
      stream.send(Buffer.alloc(100));
    },
  });
}

async function circuitOf(
  world: FarWorld,
  hops: number[],
  client: CircuitDeps = world.newClient(),
): Promise<Circuit> {
  const targets = hops.map((hop) => (world.relays[hop] as FarWorld["relays"][0]).target);
  return inTime(world.clock, buildCircuit(client, targets));
}

/** A reader that takes all there is; `bits` is what came. */
function download(circuit: Circuit): { bits: number } {
  const count = { bits: 0 };
  const stream = circuit.openStream(SERVICE.connect, Buffer.alloc(0), {
    ...QUIET,
    onData(payload) {
      count.bits += payload.length * 8;
      stream.consumed(1);
    },
  });
  return count;
}

/** How long one question and its answer take, in milliseconds. */
async function askOnce(world: FarWorld, circuit: Circuit): Promise<number> {
  const startMs = world.clock.monotonicMs();
  const answered = Promise.withResolvers<void>();
  const stream = circuit.openStream(SERVICE.leases, Buffer.alloc(0), {
    ...QUIET,
    onData: () => answered.resolve(),
  });
  stream.send(Buffer.alloc(100));
  await inTime(world.clock, answered.promise);
  stream.end();
  return world.clock.monotonicMs() - startMs;
}

test("three hops of 60 ms, a frame in a hundred late: one circuit fills 100 Mbit/s within five seconds", async () => {
  const world = createFarWorld({ relayCount: 3 });
  serveAll(world, 2);
  const count = download(await circuitOf(world, [0, 1, 2]));
  await pass(world.clock, 5_000);
  const before = count.bits;
  await pass(world.clock, 5_000);
  const rate = (count.bits - before) / 5;
  assert.ok(rate > 0.95 * LINE_BITS, `${(rate / 1e6).toFixed(1)} Mbit/s`);
  const queued = world.relays.reduce((sum, { relay }) => sum + relay.stats().queuedFrames, 0);
  assert.ok(queued < 86, `${queued} frames wait in relays, where 13 are on each line`);
});

/** Jain's index: 1 when all get the same, 1/n when one gets everything. */
function fairness(rates: readonly number[]): number {
  const sum = rates.reduce((a, b) => a + b, 0);
  return sum ** 2 / (rates.length * rates.reduce((a, b) => a + b * b, 0));
}

/** Relay 0 is everybody's guard; the line from it to relay 1 is the only one of 100 Mbit/s, the others take ten times that. */
function narrowWorld(): FarWorld {
  const world = createFarWorld({ relayCount: 3 }, (relay) => ({
    ...FAR_LINE,
    bytesPerMs: relay === 1 ? FAR_LINE.bytesPerMs : 10 * FAR_LINE.bytesPerMs,
    lateShare: 0.001,
  }));
  serveAll(world, 2);
  return world;
}

test("circuits over one narrow line share it evenly; one that comes late has its part in two seconds; questions stay quick", async () => {
  const world = narrowWorld();
  const asking = await circuitOf(world, [0, 1, 2]);
  const calmMs = await askOnce(world, asking);
  const counts = [];
  for (let number = 0; number < 3; number++) counts.push(download(await circuitOf(world, [0, 1, 2])));
  await pass(world.clock, 4_000);
  const late = await circuitOf(world, [0, 1, 2]);
  counts.push(download(late));
  await pass(world.clock, 2_000);
  const before = counts.map(({ bits }) => bits);
  const askedMs: number[] = [];
  for (let question = 0; question < 4; question++) askedMs.push(await askOnce(world, asking));
  await pass(world.clock, 2_000);
  const rates = counts.map(({ bits }, index) => bits - (before[index] ?? 0));
  assert.ok(fairness(rates) > 0.97, rates.map((rate) => (rate / 1e6).toFixed(1)).join(", "));
  // The channel's own queue, which is nobody's circuit, and a turn of each circuit; both ways the lines' own time.
  const worstMs = Math.max(...askedMs);
  assert.ok(worstMs < calmMs + 250, `${worstMs} ms beside downloads, ${calmMs} ms without`);
});

/** Would catch: a relay that ends circuits because many that are all well send more than its line takes. */
test("where more waits than a relay wants, windows shrink, nobody is ended, and all go on evenly", async () => {
  const mostQueuedBytes = 8 * 1024 * 1024;
  const slow = { ...FAR_LINE, bytesPerMs: 6_000, lateShare: 0 };
  const world = createFarWorld({ relayCount: 3, mostQueuedBytes }, (relay) =>
    relay === 0 ? slow : FAR_LINE,
  );
  serveAll(world, 2);
  // One channel, so that the line to the client is everybody's.
  const client = world.newClient();
  const circuits = [];
  for (let number = 0; number < 30; number++) circuits.push(await circuitOf(world, [0, 1, 2], client));
  const counts = [];
  let most = 0;
  for (const circuit of circuits) {
    counts.push(download(circuit));
    await pass(world.clock, 250);
    most = Math.max(most, world.relays[0]?.relay.stats().queuedBytes ?? 0);
  }
  await pass(world.clock, 3_000);
  const before = counts.map(({ bits }) => bits);
  await pass(world.clock, 8_000);
  assert.equal(circuits.filter(({ alive }) => alive).length, circuits.length);
  assert.ok(most < mostQueuedBytes, `${most} bytes waited`);
  const rates = counts.map(({ bits }, index) => bits - (before[index] ?? 0));
  assert.ok(fairness(rates) > 0.9, rates.map((rate) => (rate / 1e6).toFixed(1)).join(", "));
  const sum = rates.reduce((a, b) => a + b, 0) / 8_000;
  assert.ok(sum > 0.9 * slow.bytesPerMs * 8, `${sum} bits/ms of the line are used`);
});
