import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { pieceBytes, torrentInfo, type TorrentInfo } from "../../src/torrent/info.ts";
import { MerkleHasher } from "../../src/torrent/merkle-hasher.ts";
import type { PieceStore } from "../../src/store/piece-store.ts";

/** A pack of random bytes with all that is known of it. */
export interface SamplePack {
  readonly bytes: Buffer;
  readonly info: TorrentInfo;
  readonly pieceLayer: Buffer;
  piece(piece: number): Buffer;
}

export function samplePack(length: number): SamplePack {
  const bytes = randomBytes(length);
  const hasher = new MerkleHasher();
  hasher.update(bytes);
  const { root, pieceLayer } = hasher.digest();
  const info = torrentInfo(root, length);
  const piece = (at: number): Buffer => {
    const start = at * info.pieceLength;
    return bytes.subarray(start, start + pieceBytes(info, at));
  };
  return { bytes, info, pieceLayer, piece };
}

export const raises =
  (code: Parameters<typeof isBackroomError>[1]) =>
  (error: unknown): boolean =>
    isBackroomError(error, code);

/** What every PieceStore owes (store/piece-store.ts). `withStore` opens an empty one, runs, closes and cleans up. */
export function pieceStoreSuite(
  name: string,
  withStore: (info: TorrentInfo, run: (store: PieceStore) => Promise<void>) => Promise<void>,
): void {
  const pack = samplePack(5 * 65_536 + 1000);

  test(`${name}: an empty store has nothing, reads nothing and takes nothing before the piece layer is known`, async () => {
    await withStore(pack.info, async (store) => {
      assert.equal(store.info.name, pack.info.name);
      assert.equal(store.haveCount(), 0);
      assert.equal(store.complete, false);
      assert.equal(store.have(0), false);
      assert.equal(store.pieceLayer(), undefined);
      await assert.rejects(store.read(0, 1), raises("E_INTERNAL"));
      await assert.rejects(store.write(0, pack.piece(0)), raises("E_INTERNAL"));
    });
  });

  test(`${name}: a piece layer is kept only if it leads to the root`, async () => {
    await withStore(pack.info, async (store) => {
      const forged = Buffer.from(pack.pieceLayer);
      forged[40] = (forged[40] as number) ^ 1;
      await assert.rejects(store.setPieceLayer(forged), raises("E_HASH"));
      assert.equal(store.pieceLayer(), undefined);
      await store.setPieceLayer(pack.pieceLayer);
      await store.setPieceLayer(pack.pieceLayer);
      assert.deepEqual(store.pieceLayer(), pack.pieceLayer);
    });
  });

  test(`${name}: pieces written at once in any order are there, and all ranges read back`, async () => {
    await withStore(pack.info, async (store) => {
      await store.setPieceLayer(pack.pieceLayer);
      await Promise.all([5, 0, 3, 3].map((piece) => store.write(piece, pack.piece(piece))));
      const marks = [0, 1, 2, 3, 4, 5].map((piece) => store.have(piece));
      assert.deepEqual(marks, [true, false, false, true, false, true]);
      assert.equal(store.haveCount(), 3);
      assert.deepEqual(await store.read(3 * 65_536, 65_536), pack.piece(3));
      assert.deepEqual(await store.read(5 * 65_536 + 999, 1), pack.bytes.subarray(-1));
      await assert.rejects(
        store.read(65_535, 2),
        raises("E_INTERNAL"),
        "reaches into a piece that is not there",
      );
      await Promise.all([1, 2, 4].map((piece) => store.write(piece, pack.piece(piece))));
      assert.ok(store.complete);
      assert.deepEqual(await store.read(0, pack.bytes.length), pack.bytes);
      assert.deepEqual(await store.read(pack.bytes.length, 0), Buffer.alloc(0));
      const end = pack.bytes.length;
      const ranges = fc.tuple(fc.nat({ max: end }), fc.nat({ max: end }));
      await fc.assert(
        fc.asyncProperty(ranges, async ([a, b]) => {
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          assert.ok((await store.read(from, to - from)).equals(pack.bytes.subarray(from, to)));
        }),
        { numRuns: 100 },
      );
    });
  });

  test(`${name}: what is not a whole piece, or lies outside the pack, is refused and marks nothing`, async () => {
    await withStore(pack.info, async (store) => {
      await store.setPieceLayer(pack.pieceLayer);
      await assert.rejects(store.write(0, pack.piece(0).subarray(1)), raises("E_INTERNAL"));
      await assert.rejects(store.write(5, pack.piece(0)), raises("E_INTERNAL"));
      await assert.rejects(store.write(6, pack.piece(0)), raises("E_INTERNAL"));
      await assert.rejects(store.write(-1, pack.piece(0)), raises("E_INTERNAL"));
      await assert.rejects(store.read(0, pack.bytes.length + 1), raises("E_INTERNAL"));
      await assert.rejects(store.read(-1, 1), raises("E_INTERNAL"));
      assert.equal(store.haveCount(), 0);
    });
  });

  test(`${name}: a pack of one piece knows its piece layer, which is its root`, async () => {
    const small = samplePack(20_000);
    await withStore(small.info, async (store) => {
      assert.deepEqual(store.pieceLayer(), small.info.root);
      await store.write(0, small.bytes);
      assert.ok(store.complete);
      assert.deepEqual(await store.read(16_384, 3_616), small.bytes.subarray(16_384));
    });
  });

  test(`${name}: after close nothing is read or written, and closing again is fine`, async () => {
    await withStore(pack.info, async (store) => {
      await store.setPieceLayer(pack.pieceLayer);
      const lastWrite = store.write(0, pack.piece(0));
      await store.close();
      await lastWrite;
      await assert.rejects(store.read(0, 1), raises("E_INTERNAL"));
      await assert.rejects(store.write(1, pack.piece(1)), raises("E_INTERNAL"));
      await assert.rejects(store.setPieceLayer(pack.pieceLayer), raises("E_INTERNAL"));
      await store.close();
    });
  });
}
