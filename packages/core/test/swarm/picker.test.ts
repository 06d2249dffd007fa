import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { systemRandom } from "../../src/base/random.ts";
import { Bitfield } from "../../src/torrent/bitfield.ts";
import type { PickerPeer } from "../../src/swarm/picker-peer.ts";
import { Picker, type Block, type PickerOptions } from "../../src/swarm/picker.ts";

function pickerOf(pieceCount: number, blocks: number, options: Partial<PickerOptions> = {}): Picker {
  return new Picker({
    pieceCount,
    blocksIn: (piece) => (piece === pieceCount - 1 ? 1 : blocks),
    have: () => false,
    random: systemRandom,
    maxActive: 8,
    first: [0, pieceCount - 1],
    ...options,
  });
}

function seederOf(picker: Picker): PickerPeer {
  const peer = picker.addPeer();
  picker.peerHasPieces(peer, undefined);
  return peer;
}

function bitfieldOf(pieceCount: number, pieces: readonly number[]): Bitfield {
  const bits = new Bitfield(pieceCount);
  for (const piece of pieces) bits.set(piece);
  return bits;
}

const key = ({ piece, block }: Block): string => `${piece}/${block}`;
const IMPATIENT = -1;

interface ModelPeer {
  readonly picking: PickerPeer;
  readonly waiting: Block[];
  readonly honest: boolean;
  gone: boolean;
}

test("whatever peers do, every block is asked for, none twice outside endgame, and the download ends", () => {
  // One honest seeder stays to the end; the others have some pieces, and reject, stall or leave at random.
  const run = fc.record({
    pieceCount: fc.integer({ min: 1, max: 30 }),
    blocks: fc.integer({ min: 1, max: 5 }),
    others: fc.array(fc.array(fc.nat({ max: 29 }), { maxLength: 30 }), { maxLength: 4 }),
    moves: fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 200 }),
  });
  fc.assert(
    fc.property(run, ({ pieceCount, blocks, others, moves }) => {
      const picker = pickerOf(pieceCount, blocks, { maxActive: 5 });
      const peers: ModelPeer[] = others.map((pieces) => {
        const picking = picker.addPeer();
        picker.peerHasPieces(
          picking,
          bitfieldOf(
            pieceCount,
            pieces.filter((piece) => piece < pieceCount),
          ),
        );
        return { picking, waiting: [], honest: false, gone: false };
      });
      peers.push({ picking: seederOf(picker), waiting: [], honest: true, gone: false });
      const stored = new Set<string>();
      const begun = new Set<number>();
      const finished = new Set<number>();
      let nowMs = 0;
      for (let turn = 0; !picker.complete; turn++) {
        assert.ok(turn < 20_000, "the download does not end");
        nowMs += 10;
        const move = (moves[turn % moves.length] as number) + turn;
        const peer = peers[turn % peers.length] as ModelPeer;
        if (peer.gone) continue;
        if (turn % 50 === 49) for (const { picking, gone } of peers) if (!gone) picker.forgive(picking);
        const asked = new Set(peers.flatMap((other) => [...outstanding(other.picking)]));
        const picks = picker.pick(peer.picking, 3, nowMs, 30);
        for (const pick of picks) {
          assert.ok(peer.picking.has(pick.piece), "asked a peer for a piece that it lacks");
          assert.ok(!stored.has(key(pick)), "asked for a block that is here");
          if (begun.size < pieceCount && begun.size - finished.size < 5) {
            assert.ok(!asked.has(key(pick)), "asked twice outside endgame");
          }
          begun.add(pick.piece);
        }
        peer.waiting.push(...picks);
        const block = peer.waiting.shift();
        if (block === undefined) continue;
        const behaviour = peer.honest ? 0 : move % 7;
        if (behaviour === 4) picker.rejected(peer.picking, block);
        else if (behaviour === 5) picker.release(peer.picking);
        else if (behaviour === 6 && turn > 40) {
          picker.removePeer(peer.picking);
          peer.gone = true;
        } else {
          const received = picker.received(peer.picking, block);
          if (received === undefined) continue;
          assert.ok(!stored.has(key(block)), "took a block twice");
          stored.add(key(block));
          if (!received.complete) continue;
          finished.add(block.piece);
          picker.finish(block.piece);
        }
      }
      assert.equal(stored.size, (pieceCount - 1) * blocks + 1);
    }),
    { numRuns: 300 },
  );
});

function outstanding(peer: PickerPeer): string[] {
  return [...peer.asked].flatMap(([piece, blocks]) => [...blocks].map((block) => key({ piece, block })));
}

test("first and last pieces come first, and then, after four at random, the rarest", () => {
  const pieceCount = 40;
  const picker = pickerOf(pieceCount, 1, { maxActive: 100, first: [0, 39] });
  const seeder = seederOf(picker);
  const common = Array.from({ length: pieceCount }, (_, piece) => piece).filter((piece) => piece % 10 !== 5);
  for (let peer = 0; peer < 3; peer++) picker.peerHasPieces(picker.addPeer(), bitfieldOf(pieceCount, common));
  const order: number[] = [];
  while (order.length < 12) {
    const [block] = picker.pick(seeder, 1, 0, 0);
    assert.ok(block !== undefined);
    order.push(block.piece);
    picker.received(seeder, block);
    picker.finish(block.piece);
  }
  assert.deepEqual(order.slice(0, 2), [0, 39]);
  const rare = [5, 15, 25, 35];
  const early = new Set(order.slice(0, 8));
  assert.ok(
    rare.every((piece) => early.has(piece)),
    `rare pieces came late: ${order.join(" ")}`,
  );
});

test("random pieces differ between peers, so that new leechers have something to trade", () => {
  const orders = new Set(
    Array.from({ length: 20 }, () => {
      const picker = pickerOf(1000, 1, { first: [] });
      const seeder = seederOf(picker);
      return picker.pick(seeder, 2, 0, 0).map(key).join(" ");
    }),
  );
  assert.ok(orders.size > 15);
});

test("a piece that somebody waits for comes before everything else, in the order given", () => {
  const picker = pickerOf(100, 2);
  const seeder = seederOf(picker);
  picker.pick(seeder, 2, 0, 0);
  picker.setUrgent([70, 71]);
  const picked = picker.pick(seeder, 4, 1, 0).map(key);
  assert.deepEqual(picked, ["70/0", "70/1", "71/0", "71/1"]);
});

test("an urgent block that is late is asked of a second peer, and the first is cancelled", () => {
  const picker = pickerOf(100, 1, { first: [] });
  const slow = seederOf(picker);
  const fast = seederOf(picker);
  picker.setUrgent([50]);
  assert.deepEqual(picker.pick(slow, 1, 0, 100).map(key), ["50/0"]);
  assert.notDeepEqual(picker.pick(fast, 1, 50, 100).map(key), ["50/0"], "asked again before it was late");
  assert.deepEqual(picker.pick(fast, 1, 150, 100).map(key), ["50/0"]);
  const received = picker.received(fast, { piece: 50, block: 0 });
  assert.deepEqual(received, { cancel: [slow], complete: true });
  assert.equal(picker.received(slow, { piece: 50, block: 0 }), undefined, "took the late one too");
});

test("endgame asks each block of at most three peers", () => {
  const picker = pickerOf(2, 1, { first: [] });
  const asked = Array.from({ length: 6 }, () => picker.pick(seederOf(picker), 9, 0, IMPATIENT).length);
  assert.equal(
    asked.reduce((sum, count) => sum + count),
    2 * 3,
  );
});

test("no more pieces are begun than may be held in memory", () => {
  const picker = pickerOf(1000, 4, { maxActive: 8 });
  const pieces = new Set<number>();
  for (let peer = 0; peer < 10; peer++) {
    for (const { piece } of picker.pick(seederOf(picker), 500, 0, 1e9)) pieces.add(piece);
  }
  assert.equal(pieces.size, 8);
  picker.setUrgent(Array.from({ length: 50 }, (_, index) => 500 + index));
  for (const { piece } of picker.pick(seederOf(picker), 500, 0, 1e9)) pieces.add(piece);
  assert.equal(pieces.size, 10, "urgent pieces may take a quarter more");
});

test("a bad piece is fetched again from one peer alone, and begins anew when that one leaves", () => {
  const picker = pickerOf(1, 4, { blocksIn: () => 4, first: [] });
  const first = seederOf(picker);
  const second = seederOf(picker);
  const blocks = [...picker.pick(first, 2, 0, 1e9), ...picker.pick(second, 2, 0, 1e9)];
  assert.equal(blocks.length, 4);
  picker.fail(0);
  assert.equal(picker.pick(first, 2, 1, IMPATIENT).length, 2);
  assert.deepEqual(picker.pick(second, 4, 1, IMPATIENT), [], "a second peer was let in");
  assert.equal(picker.received(second, { piece: 0, block: 0 }), undefined, "a late block was mixed in");
  picker.received(first, { piece: 0, block: 0 });
  assert.deepEqual(picker.removePeer(first), [0]);
  assert.equal(picker.pick(second, 4, 2, IMPATIENT).length, 4);
});

test("a refused piece is not asked again of the same peer before it is forgiven", () => {
  const picker = pickerOf(1, 1);
  const peer = seederOf(picker);
  const [block] = picker.pick(peer, 1, 0, 0);
  assert.ok(block !== undefined);
  picker.rejected(peer, block);
  assert.deepEqual(picker.pick(peer, 1, 1, IMPATIENT), []);
  picker.forgive(peer);
  assert.deepEqual(picker.pick(peer, 1, 2, IMPATIENT), [block]);
});

test("a piece that was lost is fetched again", () => {
  const picker = pickerOf(3, 1, { have: () => true });
  const peer = seederOf(picker);
  assert.deepEqual([picker.complete, peer.usefulCount], [true, 0]);
  picker.lost(1);
  assert.deepEqual([picker.complete, peer.usefulCount], [false, 1]);
  assert.deepEqual(picker.pick(peer, 5, 0, 0).map(key), ["1/0"]);
});

test("100,000 pieces and 20 peers: picking stays cheap to the end", () => {
  const count = 100_000;
  const picker = pickerOf(count, 1, { maxActive: 512 });
  const peers = Array.from({ length: 20 }, () => seederOf(picker));
  const partial = picker.addPeer();
  picker.peerHasPieces(
    partial,
    bitfieldOf(
      count,
      Array.from({ length: 1000 }, (_, index) => index * 100),
    ),
  );
  let looks = 0;
  const pieces = partial.pieces as Bitfield;
  const has = pieces.has.bind(pieces);
  pieces.has = (piece) => (looks++, has(piece));
  let turn = 0;
  while (!picker.complete) {
    const peer = [...peers, partial][turn++ % 21] as PickerPeer;
    for (const block of picker.pick(peer, 64, turn, 1e9)) {
      picker.received(peer, block);
      picker.finish(block.piece);
    }
  }
  // 100,000 blocks; a scan over all pieces for each would be 10^10.
  assert.ok(looks < 2_000 * count, `${looks} looks at what the peer has`);
});
