import assert from "node:assert/strict";
import { VirtualTime } from "../../../../scripts/sim/virtual-time.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { MemoryNetwork } from "../../src/net/memory-channel.ts";
import { createCircuitWorldIn, type CircuitWorld, type WorldOptions } from "./circuit-world.ts";
import { delayCarrier, type Line } from "./delay-carrier.ts";

/** What a line of the far world is, unless a test says otherwise: between neighbours on two continents, a frame in a hundred late by a round trip. */
export const FAR_LINE = {
  delayMs: 60,
  bytesPerMs: 12_500,
  lateShare: 0.01,
  lateMs: 120,
  windowBytes: 8 * 1024 * 1024,
};

type LineShape = Omit<Line, "clock" | "random">;

/** All frames of a network travel lines; `shapeOf` gives that of those towards the relay with this node key, and back. */
function layLines(network: MemoryNetwork, clock: Clock, shapeOf: (listenerKey: Buffer) => LineShape): void {
  let seed = 1;
  network.line = (carrier, _, { listenerKey }) =>
    delayCarrier(carrier, { ...shapeOf(listenerKey), clock, random: randomFrom(seed++) });
}

export function createFarWorld(
  options: WorldOptions,
  shapeOf: (relay: number) => LineShape = () => FAR_LINE,
): CircuitWorld<VirtualTime> {
  const clock = new VirtualTime();
  const world = createCircuitWorldIn(clock, options);
  layLines(world.network, clock, (key) =>
    shapeOf(world.relays.findIndex(({ target }) => target.nodeKey.equals(key))),
  );
  return world;
}

/** Lets time pass, until `done` says so where it is given; that is looked at every few milliseconds. */
export async function pass(clock: VirtualTime, ms: number, done?: () => boolean): Promise<void> {
  const endMs = clock.monotonicMs() + ms;
  if (done === undefined) return clock.runUntil(endMs);
  while (!done() && clock.monotonicMs() < endMs) {
    // One step after the other: time has one direction.
    // oxlint-disable-next-line no-await-in-loop
    await clock.runUntil(Math.min(endMs, clock.monotonicMs() + 5));
  }
}

/** Lets time pass until the promise is fulfilled. */
export async function inTime<T>(clock: VirtualTime, promise: Promise<T>): Promise<T> {
  let settled = false;
  const watched = promise.finally(() => (settled = true));
  watched.catch(() => {});
  await pass(clock, 60_000, () => settled);
  assert.ok(settled, "a minute was not enough");
  return watched;
}

/** Numbers in [0, 1), the same in each run (xorshift). */
function randomFrom(seed: number): () => number {
  let state = (seed * 0x9e37_79b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
}
