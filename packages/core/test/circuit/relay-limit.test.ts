import assert from "node:assert/strict";
import { test } from "node:test";
import type { VirtualTime } from "../../../../scripts/sim/virtual-time.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { RateLimit } from "../../src/base/rate-limit.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import {
  SERVICE,
  STREAM_PAYLOAD_BYTES,
  type Circuit,
  type StreamHandlers,
} from "../../src/circuit/stream.ts";
import type { CircuitWorld } from "../support/circuit-world.ts";
import { createFarWorld, inTime, pass } from "../support/far-world.ts";

const MIB = 1024 * 1024;
const LINE = { delayMs: 20, bytesPerMs: 12_500, lateShare: 0, lateMs: 0, windowBytes: 8 * MIB };
const QUIET: StreamHandlers = { onData() {}, onWindow() {}, onEnd() {} };

type World = CircuitWorld<VirtualTime>;

/** Three relays in a row, of which the middle one has a limit. The last sends all it may on `connect`, and answers each payload on `leases`. */
function newWorld(rate: number | null): { world: World; limit: RateLimit } {
  let limit: RateLimit | undefined;
  const world = createFarWorld(
    {
      relayCount: 3,
      limitOf: (relay, clock) => (relay === 1 ? (limit ??= new RateLimit(clock)) : undefined),
    },
    () => LINE,
  );
  const services = world.relays[2]?.services ?? {};
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
  assert.ok(limit !== undefined);
  limit.rate = rate;
  return { world, limit };
}

const middleOf = ({ relays }: World) => (relays[1] as World["relays"][0]).relay;

function circuitOf(world: World): Promise<Circuit> {
  const targets = world.relays.map(({ target }) => target);
  return inTime(world.clock, buildCircuit(world.newClient(), targets));
}

function download(circuit: Circuit): { bytes: number } {
  const count = { bytes: 0 };
  const stream = circuit.openStream(SERVICE.connect, Buffer.alloc(0), {
    ...QUIET,
    onData(payload) {
      count.bytes += payload.length;
      stream.consumed(1);
    },
  });
  return count;
}

/** Bytes a second that each download got in that time. */
async function ratesOf(world: World, ms: number, downloads: { bytes: number }[]): Promise<number[]> {
  const before = downloads.map(({ bytes }) => bytes);
  await pass(world.clock, ms);
  return downloads.map(({ bytes }, index) => ((bytes - (before[index] ?? 0)) / ms) * 1000);
}

function assertNear(rate: number, wanted: number): void {
  assert.ok(Math.abs(rate - wanted) <= 0.1 * wanted, `${Math.round(rate)} B/s instead of ${wanted}`);
}

/** Would catch: a limit that holds for each circuit or channel, that drops what does not fit, or that holds for the next circuits only. */
test("a relay passes on what its limit says, evenly, also when that is changed meanwhile", async () => {
  const { world, limit } = newWorld(MIB);
  const downloads = [download(await circuitOf(world)), download(await circuitOf(world))];
  await pass(world.clock, 2_000);
  const passed = async (ms: number): Promise<number> => {
    const before = middleOf(world).stats().forwardedBytes;
    await pass(world.clock, ms);
    return ((middleOf(world).stats().forwardedBytes - before) / ms) * 1000;
  };
  assertNear(await passed(10_000), MIB);
  for (const rate of await ratesOf(world, 10_000, downloads)) assertNear(rate, MIB / 2);
  limit.rate = 4 * MIB;
  await pass(world.clock, 1_000);
  for (const rate of await ratesOf(world, 5_000, downloads)) assertNear(rate, 2 * MIB);
  limit.rate = null;
  await pass(world.clock, 2_000);
  const [first = 0, second = 0] = await ratesOf(world, 2_000, downloads);
  assert.ok(first + second > 8 * MIB, "the limit is gone and still holds");
});

/** Would catch: short frames that wait behind everybody's long ones; a relay that fills with what it was sent. */
test("at a limit little waits in the relay, and a question is answered in spite of who downloads", async () => {
  const { world } = newWorld(MIB);
  const asking = await circuitOf(world);
  const downloads = [download(await circuitOf(world)), download(await circuitOf(world))];
  await pass(world.clock, 5_000);
  const { queuedBytes } = middleOf(world).stats();
  assert.ok(queuedBytes <= (LIMITS.relayBacklogMs / 1000) * MIB, `${queuedBytes} bytes wait`);
  let answers = 0;
  const stream = asking.openStream(SERVICE.leases, Buffer.alloc(0), {
    ...QUIET,
    onData: () => answers++,
  });
  for (let count = 0; count < 5; count++) {
    stream.send(Buffer.alloc(100));
    const startMs = world.clock.monotonicMs();
    // One after the other.
    // oxlint-disable-next-line no-await-in-loop
    await pass(world.clock, 10_000, () => answers > count);
    const tookMs = world.clock.monotonicMs() - startMs;
    assert.ok(tookMs < 1_000, `an answer took ${tookMs} ms`);
  }
  assert.ok(downloads.every(({ bytes }) => bytes > MIB));
});

/** Would catch: a relay that takes on more and more circuits until none gets on, or that ends those it has. */
test("a relay whose limit is used up refuses new circuits, and those it has go on", async () => {
  const { world, limit } = newWorld(null);
  const circuits: Circuit[] = [];
  for (let count = 0; count < 12; count++) circuits.push(await circuitOf(world));
  const downloads = circuits.map(download);
  await pass(world.clock, 1_000);
  limit.rate = 128 * 1024;
  await pass(world.clock, 3_000);
  const building = circuitOf(world);
  await assert.rejects(building, { code: "E_CIRCUIT" });
  assert.ok(middleOf(world).stats().refusedCircuits > 0);
  const rates = await ratesOf(world, 120_000, downloads);
  assertNear(
    rates.reduce((sum, rate) => sum + rate),
    128 * 1024,
  );
  assert.ok(circuits.every(({ alive }) => alive));
  assert.ok(Math.min(...rates) > 0.5 * (128 / 12) * 1024, rates.map(Math.round).join(" "));
  // There is room again once there is less to pass on.
  limit.rate = 4 * MIB;
  await pass(world.clock, 5_000);
  assert.ok((await circuitOf(world)).alive);
});
