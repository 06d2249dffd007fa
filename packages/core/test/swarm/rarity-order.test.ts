import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RarityOrder } from "../../src/swarm/rarity-order.ts";

const PIECES = 12;

test("the order stays sorted by availability, whatever comes and goes", () => {
  // A swap that forgets a position, or a group boundary that is off by one, shows as a piece out of order or lost.
  const step = fc.tuple(fc.constantFrom("insert", "remove", "raise", "lower"), fc.nat({ max: PIECES - 1 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const order = new RarityOrder(new Uint16Array(PIECES));
      for (let piece = 0; piece < PIECES; piece++) order.insert(piece);
      const inside = new Set(Array.from({ length: PIECES }, (_, piece) => piece));
      const availability = new Map<number, number>();
      const count = (piece: number): number => availability.get(piece) ?? 0;
      for (const [what, piece] of steps) {
        if (what === "insert" && !inside.has(piece)) {
          order.insert(piece);
          inside.add(piece);
        } else if (what === "remove") {
          order.remove(piece);
          inside.delete(piece);
        } else if (what === "raise") {
          order.raise(piece);
          availability.set(piece, count(piece) + 1);
        } else if (what === "lower" && count(piece) > 0) {
          order.lower(piece);
          availability.set(piece, count(piece) - 1);
        }
        const seen: number[] = [];
        order.find((candidate) => {
          seen.push(candidate);
          return false;
        });
        assert.deepEqual(new Set(seen), inside);
        assert.equal(seen.length, inside.size);
        const counts = seen.map(count);
        assert.deepEqual(
          counts,
          counts.toSorted((a, b) => a - b),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test("100,000 pieces: a piece that becomes commoner costs no walk over the others", () => {
  const count = 100_000;
  const order = new RarityOrder(new Uint16Array(count));
  for (let piece = 0; piece < count; piece++) order.insert(piece);
  const started = performance.now();
  for (let round = 0; round < 10; round++) {
    for (let piece = 0; piece < count; piece++) order.raise(piece);
  }
  // A million steps; a walk over the pieces in each would take minutes.
  assert.ok(performance.now() - started < 3000);
});
