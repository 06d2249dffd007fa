import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { pieceBytes, torrentInfo, type TorrentInfo } from "../../src/torrent/info.ts";
import { MerkleHasher, type MerkleDigest } from "../../src/torrent/merkle-hasher.ts";
import { checkPieceLayer, verifyPiece } from "../../src/torrent/merkle.ts";
import { pieceLengthFor } from "../../src/torrent/piece-length.ts";
import { naiveLayers, naivePieceLayer } from "./naive-merkle.ts";

const KIB = 1024;

/** Three steps within half a mebibyte, in the proportions of the real table. */
const shortTable = (length: number): number =>
  length <= 64 * KIB ? 16 * KIB : length <= 256 * KIB ? 32 * KIB : 128 * KIB;

function digestOf(bytes: Buffer, table?: (length: number) => number): MerkleDigest {
  const hasher = new MerkleHasher(table);
  hasher.update(bytes);
  return hasher.digest();
}

function sealed(length: number): { bytes: Buffer; info: TorrentInfo; pieceLayer: Buffer } {
  const bytes = randomBytes(length);
  const { root, pieceLayer } = digestOf(bytes);
  return { bytes, info: torrentInfo(root, length), pieceLayer };
}

test("root and piece layer are those of BEP 52's text at every edge of leaf, piece and table step", () => {
  const edges = [1, 16, 32, 48, 64, 80, 128, 160, 256, 272, 384, 512].flatMap((kib) => [
    kib * KIB - 1,
    kib * KIB,
    kib * KIB + 1,
  ]);
  const bytes = randomBytes(513 * KIB);
  for (const length of [1, ...edges]) {
    const part = bytes.subarray(0, length);
    const { root, pieceLayer, length: counted } = digestOf(part, shortTable);
    assert.equal(counted, length);
    assert.deepEqual(root, naiveLayers(part).at(-1)?.[0], `root at ${length}`);
    assert.deepEqual(pieceLayer, naivePieceLayer(part, shortTable(length)), `piece layer at ${length}`);
  }
});

test("any chunking gives the same root: state lost between updates fails here", () => {
  const bytes = randomBytes(300 * KIB);
  const cuts = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.array(fc.nat({ max: bytes.length })));
  fc.assert(
    fc.property(cuts, ([last, unsorted]) => {
      const part = bytes.subarray(0, last + 1);
      const edges = [0, ...unsorted.filter((cut) => cut < part.length).sort((a, b) => a - b), part.length];
      const hasher = new MerkleHasher(shortTable);
      for (const [at, from] of edges.entries()) hasher.update(part.subarray(from, edges[at + 1]));
      assert.deepEqual(hasher.digest(), digestOf(part, shortTable));
    }),
    { numRuns: 60 },
  );
});

test("the hasher does not keep what it was given: a reused read buffer must not change the root", () => {
  const bytes = randomBytes(100 * KIB);
  const hasher = new MerkleHasher();
  const buffer = Buffer.alloc(7 * KIB);
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const part = bytes.subarray(at, at + buffer.length);
    buffer.set(part);
    hasher.update(buffer.subarray(0, part.length));
    buffer.fill(0);
  }
  assert.deepEqual(hasher.digest(), digestOf(bytes));
});

test("a pack without bytes is refused", () => {
  assert.throws(
    () => new MerkleHasher().digest(),
    (error) => isBackroomError(error, "E_INTERNAL"),
  );
});

test("the table's steps are multiples of the next piece length, which the hasher's folding rests on", () => {
  let previous = 0;
  for (let bits = 0; bits <= 47; bits++) {
    for (const length of [2 ** bits, 2 ** bits + 1, 2 ** (bits + 1) - 1]) {
      const pieceLength = pieceLengthFor(length);
      assert.ok(Number.isInteger(Math.log2(pieceLength)) && pieceLength >= 16 * KIB);
      assert.ok(pieceLength >= previous, "a piece length falls");
      if (previous !== 0 && pieceLength !== previous) assert.equal((length - 1) % pieceLength, 0);
      assert.ok(Math.ceil(length / pieceLength) <= 2 ** 21, "too many pieces");
      previous = pieceLength;
    }
  }
});

test("verifyPiece accepts each whole piece at its place and nothing else", () => {
  const { bytes, info, pieceLayer } = sealed(3 * 65_536 + 20_000);
  const piece = (at: number): Buffer =>
    Buffer.from(bytes.subarray(at * 65_536, at * 65_536 + pieceBytes(info, at)));
  for (let at = 0; at < info.pieceCount; at++) assert.ok(verifyPiece(info, pieceLayer, at, piece(at)));
  assert.equal(verifyPiece(info, pieceLayer, 0, piece(1)), false, "another piece's bytes");
  assert.equal(verifyPiece(info, pieceLayer, 3, piece(3).subarray(1)), false, "a byte short");
  const padded = Buffer.concat([piece(3), Buffer.alloc(45_536)]);
  assert.equal(verifyPiece(info, pieceLayer, 3, padded), false, "zeros after the end");
  for (const at of [0, 16_384, 65_535]) {
    const damaged = piece(2);
    damaged[at] = (damaged[at] as number) ^ 1;
    assert.equal(verifyPiece(info, pieceLayer, 2, damaged), false, `a bit flipped at ${at}`);
  }
});

test("a pack of one piece is verified against its root, whatever its length", () => {
  for (const length of [1, 16_384, 16_385, 50_000, 65_536]) {
    const { bytes, info, pieceLayer } = sealed(length);
    assert.deepEqual(pieceLayer, info.root);
    assert.ok(verifyPiece(info, info.root, 0, bytes), `${length}`);
  }
});

test("a piece layer is accepted only whole and unharmed", () => {
  const { info, pieceLayer } = sealed(5 * 65_536 + 1);
  checkPieceLayer(info, pieceLayer);
  const damaged = Buffer.from(pieceLayer);
  damaged[5 * 32] = (damaged[5 * 32] as number) ^ 1;
  const forged = [
    damaged,
    pieceLayer.subarray(32),
    Buffer.concat([pieceLayer, Buffer.alloc(32)]),
    Buffer.alloc(0),
  ];
  for (const layer of forged) {
    assert.throws(
      () => checkPieceLayer(info, layer),
      (error) => isBackroomError(error, "E_HASH"),
    );
  }
});

test("torrentInfo refuses roots and lengths that no link may hold", () => {
  const root = Buffer.alloc(32, 1);
  for (const length of [0, -1, 1.5, 2 ** 48, Number.NaN]) {
    assert.throws(
      () => torrentInfo(root, length),
      (error) => isBackroomError(error, "E_DECODE"),
      `${length}`,
    );
  }
  assert.throws(
    () => torrentInfo(root.subarray(1), 1),
    (error) => isBackroomError(error, "E_DECODE"),
  );
  assert.equal(torrentInfo(root, 2 ** 48 - 1).pieceCount, 2 ** 21);
});
