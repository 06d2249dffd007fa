import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { torrentInfo, type TorrentInfo } from "../../src/torrent/info.ts";
import { pieceLayerRoot } from "../../src/torrent/merkle.ts";
import type { HashesMessage, HashRange } from "../../src/torrent/peer-wire.ts";
import { PieceLayerFetch, pieceLayerRequests } from "../../src/torrent/piece-layer-fetch.ts";
import { PieceTree } from "../../src/torrent/piece-tree.ts";

const PIECE = 65_536;

/** A pack that nobody has the bytes of: for hashes alone a random piece layer does. */
function made(pieces: number): { info: TorrentInfo; layer: Buffer; tree: PieceTree } {
  const layer = randomBytes(pieces * 32);
  const info = torrentInfo(pieceLayerRoot(layer, PIECE), pieces * PIECE - 5);
  return { info, layer, tree: new PieceTree(info, layer) };
}

function hashesFor(tree: PieceTree, request: HashRange): HashesMessage {
  const answer = tree.answer(request);
  assert.ok(answer.type === "hashes", "a request of our own was rejected");
  return answer;
}

test("a piece layer crosses in requests of at most 512, whatever the number of pieces and the order of answers", () => {
  for (const pieces of [1, 2, 3, 5, 511, 512, 513, 514, 640, 1000, 1024]) {
    const { info, layer, tree } = made(pieces);
    const fetch = new PieceLayerFetch(info);
    const asked = fetch.missing();
    assert.equal(asked.length, pieces === 1 ? 0 : Math.ceil(pieces / 512));
    for (const request of asked.reverse()) {
      assert.ok(request.length >= 2 && request.length <= 512 && request.index % request.length === 0);
      assert.equal(fetch.layer, undefined);
      fetch.accept(hashesFor(tree, request));
    }
    assert.deepEqual(fetch.layer, layer, `${pieces} pieces`);
    assert.deepEqual(fetch.missing(), []);
  }
});

test("an answer that is altered anywhere, or cut, is refused and leaves its range missing", () => {
  const { info, tree } = made(600);
  for (const request of pieceLayerRequests(info)) {
    const whole = hashesFor(tree, request);
    fc.assert(
      fc.property(fc.nat({ max: whole.hashes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const hashes = Buffer.from(whole.hashes);
        hashes[at] = (hashes[at] as number) ^ mask;
        const fetch = new PieceLayerFetch(info);
        assert.throws(
          () => fetch.accept({ ...whole, hashes }),
          (error) => isBackroomError(error, "E_HASH"),
        );
        assert.equal(fetch.missing().length, 2);
      }),
      { numRuns: 40 },
    );
    const fetch = new PieceLayerFetch(info);
    const cut = whole.hashes.subarray(32);
    const long = Buffer.concat([whole.hashes, Buffer.alloc(32)]);
    for (const hashes of [cut, long]) {
      assert.throws(
        () => fetch.accept({ ...whole, hashes }),
        (error) => isBackroomError(error, "E_HASH"),
      );
    }
  }
});

test("hashes that were not asked for are refused, an answer that comes twice is passed over", () => {
  const { info, tree } = made(600);
  const fetch = new PieceLayerFetch(info);
  const [first] = fetch.missing();
  const answer = hashesFor(tree, first as HashRange);
  fetch.accept(answer);
  fetch.accept({ ...answer, hashes: Buffer.alloc(answer.hashes.length) });
  assert.equal(fetch.missing().length, 1);
  const strangers: Partial<HashesMessage>[] = [
    { index: 1 },
    { length: 256 },
    { baseLayer: 0 },
    { proofLayers: 1 },
    { root: Buffer.alloc(32) },
  ];
  for (const change of strangers) {
    assert.throws(
      () => fetch.accept({ ...answer, ...change }),
      (error) => isBackroomError(error, "E_WIRE"),
    );
  }
});

test("requests that BEP 52 does not allow, or that we do not serve, get a reject with the same fields", () => {
  const { info, tree } = made(600);
  const good: HashRange = { root: info.root, baseLayer: 2, index: 0, length: 512, proofLayers: 9 };
  assert.equal(tree.answer(good).type, "hashes");
  const bad: Partial<HashRange>[] = [
    { root: Buffer.alloc(32) },
    { baseLayer: 0 },
    { baseLayer: 3 },
    { index: 256 },
    { index: 1024 },
    { index: 2 ** 32 - 512 },
    { length: 0 },
    { length: 3 },
    { length: 1024 },
    { length: 2 ** 31 },
    { proofLayers: 10 },
    { proofLayers: 2 ** 32 - 1 },
  ];
  for (const change of bad) {
    assert.deepEqual(tree.answer({ ...good, ...change }), { type: "hashReject", ...good, ...change });
  }
  assert.equal(made(1).tree.answer({ ...good, length: 1, proofLayers: 0 }).type, "hashReject");
});

test("proof layers below the range are left out, and one hash alone brings its sibling: BEP 52's count of uncles", () => {
  const { info, tree } = made(16);
  const uncles = (length: number, proofLayers: number): number => {
    const answer = hashesFor(tree, { root: info.root, baseLayer: 2, index: 0, length, proofLayers });
    return answer.hashes.length / 32 - length;
  };
  assert.equal(uncles(2, 0), 0);
  assert.equal(uncles(2, 3), 3);
  assert.equal(uncles(4, 1), 0);
  assert.equal(uncles(4, 3), 2);
  assert.equal(uncles(16, 3), 0);
  assert.equal(uncles(1, 3), 4);
});
