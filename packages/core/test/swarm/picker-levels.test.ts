import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { systemRandom } from "../../src/base/random.ts";
import { LEVELS } from "../../src/swarm/pick-order.ts";
import { Picker, type Block, type Unwanted } from "../../src/swarm/picker.ts";
import { Bitfield } from "../../src/torrent/bitfield.ts";

const PIECES = 24;
const levels = fc.array(fc.nat({ max: LEVELS.high }), { minLength: PIECES, maxLength: PIECES });
const pieces = fc.array(fc.nat({ max: PIECES - 1 }), { maxLength: PIECES });

function pickerOf(options: { first?: readonly number[]; maxActive?: number } = {}): Picker {
  return new Picker({
    pieceCount: PIECES,
    blocksIn: () => 2,
    have: () => false,
    random: systemRandom,
    maxActive: options.maxActive ?? 4,
    first: options.first ?? [],
  });
}

function bitfieldOf(some: readonly number[]): Bitfield {
  const bits = new Bitfield(PIECES);
  for (const piece of some) bits.set(piece);
  return bits;
}

test("pieces come by how soon they are wanted, and the others never", () => {
  fc.assert(
    fc.property(levels, (wanted) => {
      const picker = pickerOf();
      picker.setLevels(Uint8Array.from(wanted));
      const peer = picker.addPeer();
      picker.peerHasPieces(peer, undefined);
      const order: number[] = [];
      while (!picker.complete) {
        const [block] = picker.pick(peer, 1, 0, 0);
        assert.ok(block !== undefined, "something is wanted, somebody has it, and nothing is asked for");
        if (picker.received(peer, block)?.complete !== true) continue;
        picker.finish(block.piece);
        order.push(wanted[block.piece] as number);
      }
      assert.deepEqual(
        order,
        wanted.filter((level) => level > LEVELS.skip).toSorted((a, b) => b - a),
      );
      assert.deepEqual(picker.pick(peer, 9, 0, 0), []);
      assert.equal(peer.usefulCount, 0);
    }),
  );
});

test("first and last pieces come before those that are wanted soon, and not at all where they are not wanted", () => {
  const picker = pickerOf({ first: [0, PIECES - 1] });
  const wanted = new Uint8Array(PIECES).fill(LEVELS.high);
  wanted[0] = LEVELS.low;
  wanted[PIECES - 1] = LEVELS.skip;
  picker.setLevels(wanted);
  const peer = picker.addPeer();
  picker.peerHasPieces(peer, undefined);
  assert.equal(picker.pick(peer, 1, 0, 0)[0]?.piece, 0);
});

test("what somebody waits for comes although it is not wanted, and no more of it once nobody waits", () => {
  const picker = pickerOf();
  picker.setLevels(new Uint8Array(PIECES));
  const peer = picker.addPeer();
  picker.peerHasPieces(peer, undefined);
  assert.deepEqual([picker.complete, peer.usefulCount], [true, 0]);
  picker.setUrgent([7, 8]);
  assert.deepEqual([picker.complete, peer.usefulCount], [false, 2]);
  const asked = picker.pick(peer, 2, 0, 0);
  assert.deepEqual(
    asked.map(({ piece }) => piece),
    [7, 7],
  );
  for (const block of asked) picker.received(peer, block);
  picker.finish(7);
  picker.setUrgent([]);
  assert.deepEqual([picker.complete, peer.usefulCount], [true, 0]);
  assert.deepEqual(picker.pick(peer, 9, 0, 0), []);
});

/** Would catch: room among the pieces that are begun which those take that nobody reads any more, until nothing that is wanted can be begun. */
test("what was begun for somebody who went away makes room", () => {
  const picker = pickerOf({ maxActive: 2 });
  const wanted = new Uint8Array(PIECES);
  wanted[3] = LEVELS.normal;
  picker.setLevels(wanted);
  const some = picker.addPeer();
  picker.peerHasPieces(some, bitfieldOf([7, 8]));
  picker.setUrgent([7, 8]);
  const asked = picker.pick(some, 4, 0, 0);
  assert.equal(asked.length, 4);
  const { pieces: dropped, requests } = picker.setUrgent([]);
  assert.deepEqual([dropped, requests.get(some)], [[7, 8], asked]);
  picker.removePeer(some);
  const other = picker.addPeer();
  picker.peerHasPieces(other, bitfieldOf([3]));
  assert.equal(picker.pick(other, 2, 0, 0).length, 2);
});

test("whatever is wanted when: nothing else is asked for, counts stay right, and all of it comes in the end", () => {
  const move = fc.oneof(
    fc.record({ kind: fc.constant("levels" as const), levels }),
    fc.record({ kind: fc.constant("urgent" as const), pieces }),
    fc.record({ kind: fc.constant("lost" as const), pieces }),
    fc.record({ kind: fc.constant("leave" as const) }),
    fc.record({ kind: fc.constant("work" as const), count: fc.integer({ min: 1, max: 30 }) }),
  );
  fc.assert(
    fc.property(fc.array(move, { maxLength: 30 }), levels, pieces, (moves, last, some) => {
      const picker = pickerOf({ maxActive: 3 });
      const seeder = picker.addPeer();
      picker.peerHasPieces(seeder, undefined);
      let partial = picker.addPeer();
      picker.peerHasPieces(partial, bitfieldOf(some));
      let wanted = new Uint8Array(PIECES).fill(LEVELS.normal);
      let urgent: readonly number[] = [];
      const done = new Set<number>();
      const waiting: { peer: typeof seeder; block: Block }[] = [];

      const wants = (piece: number): boolean => (wanted[piece] as number) > 0 || urgent.includes(piece);
      const work = (count: number): void => {
        for (let turn = 0; turn < count; turn++) {
          const peer = turn % 2 === 0 ? seeder : partial;
          for (const block of picker.pick(peer, 2, turn, -1)) {
            assert.ok(wants(block.piece), `piece ${block.piece} is not wanted`);
            assert.ok(!done.has(block.piece), "asked for what is here");
            begun.add(block.piece);
            waiting.push({ peer, block });
          }
          const next = waiting.shift();
          if (next === undefined || picker.received(next.peer, next.block)?.complete !== true) continue;
          picker.finish(next.block.piece);
          done.add(next.block.piece);
          begun.delete(next.block.piece);
          urgent = urgent.filter((piece) => piece !== next.block.piece);
        }
      };
      const begun = new Set<number>();
      const setLevels = (to: readonly number[]): void => {
        wanted = Uint8Array.from(to);
        takeBack(picker.setLevels(wanted));
      };
      const setUrgent = (to: readonly number[]): void => {
        urgent = [...new Set(to)].filter((piece) => !done.has(piece));
        takeBack(picker.setUrgent(to));
      };
      const takeBack = ({ pieces: dropped, requests }: Unwanted): void => {
        for (const piece of dropped) {
          assert.ok(!wants(piece));
          begun.delete(piece);
        }
        for (const [peer, blocks] of requests) {
          for (const { piece, block } of blocks) {
            assert.ok(dropped.includes(piece));
            const at = waiting.findIndex(
              (one) => one.peer === peer && one.block.piece === piece && one.block.block === block,
            );
            assert.ok(at >= 0, "a request is cancelled that was never made");
            waiting.splice(at, 1);
          }
        }
      };
      const check = (): void => {
        const missing = Array.from({ length: PIECES }, (_, piece) => piece).filter(
          (piece) => wants(piece) && !done.has(piece),
        );
        assert.equal(picker.complete, missing.length === 0);
        assert.equal(seeder.usefulCount, missing.length);
        assert.equal(partial.usefulCount, missing.filter((piece) => partial.has(piece)).length);
        assert.equal(seeder.freshCount, missing.filter((piece) => !begun.has(piece)).length);
        assert.equal(picker.wantedCount, wanted.filter((level) => level > 0).length);
        assert.equal(
          picker.wantedDoneCount,
          [...done].filter((piece) => (wanted[piece] as number) > 0).length,
        );
      };

      for (const one of moves) {
        if (one.kind === "levels") setLevels(one.levels);
        else if (one.kind === "urgent") setUrgent(one.pieces);
        else if (one.kind === "lost") {
          for (const piece of one.pieces) {
            picker.lost(piece);
            done.delete(piece);
          }
        } else if (one.kind === "leave") {
          picker.removePeer(partial);
          for (let at = waiting.length - 1; at >= 0; at--) {
            if (waiting[at]?.peer === partial) waiting.splice(at, 1);
          }
          partial = picker.addPeer();
          picker.peerHasPieces(partial, bitfieldOf(some));
        } else work(one.count);
        check();
      }
      setUrgent([]);
      setLevels(last);
      work(1000);
      check();
      assert.ok(picker.complete);
    }),
    { numRuns: 150 },
  );
});
