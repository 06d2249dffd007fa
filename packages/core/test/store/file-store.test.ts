import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { adoptSealedPack, openPackStore } from "../../src/store/open-pack.ts";
import { openForBoth, packPaths, removePack } from "../../src/store/store-files.ts";
import { verifyPiece } from "../../src/torrent/merkle.ts";
import { pieceStoreSuite, raises, samplePack, type SamplePack } from "./piece-store-suite.ts";
import { withFolder } from "./temporary.ts";

pieceStoreSuite("file store", async (info, run) => {
  await withFolder(async (folder) => {
    const store = await openPackStore(folder, info);
    await run(store);
    await store.close();
  });
});

const pack = samplePack(5 * 65_536 + 1000);

/** A store of `pack` in which these pieces are, closed again. */
async function filled(folder: string, sample: SamplePack, pieces: readonly number[]): Promise<void> {
  const store = await openPackStore(folder, sample.info);
  await store.setPieceLayer(sample.pieceLayer);
  for (const piece of pieces) await store.write(piece, sample.piece(piece));
  await store.close();
}

async function damage(file: string, offset: number): Promise<void> {
  const handle = await open(file, "r+");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, offset);
  await handle.write(Buffer.from([buffer.readUInt8(0) ^ 1]), 0, 1, offset);
  await handle.close();
}

test("a store that is opened again has what it had: pieces, marks and piece layer", async () => {
  await withFolder(async (folder) => {
    await filled(folder, pack, [0, 4, 5]);
    const store = await openPackStore(folder, pack.info);
    assert.equal(store.haveCount(), 3);
    assert.deepEqual(store.pieceLayer(), pack.pieceLayer);
    assert.deepEqual(await store.read(4 * 65_536 - 0, 65_536 + 1000), pack.bytes.subarray(4 * 65_536));
    await store.close();
  });
});

test("the files have the names and layout of the protocol, and only their owner reads them", async () => {
  await withFolder(async (folder) => {
    await filled(folder, pack, [0]);
    const stem = pack.info.root.toString("hex").slice(0, 32);
    assert.deepEqual((await readdir(folder)).sort(), [`${stem}.pack`, `${stem}.state`]);
    const state = await readFile(path.join(folder, `${stem}.state`));
    assert.equal(state.length, 64 + 1 + 6 * 32);
    assert.equal(state.toString("latin1", 0, 16), "backroom state 1");
    assert.deepEqual(state.subarray(16, 48), pack.info.root);
    assert.equal(state.readUIntBE(48, 6), pack.bytes.length);
    assert.equal(state[64], 0x80);
    for (const name of await readdir(folder)) {
      assert.equal((await stat(path.join(folder, name))).mode & 0o777, 0o600, name);
    }
    assert.equal((await stat(path.join(folder, `${stem}.pack`))).size, pack.bytes.length);
  });
});

test("a piece that rotted on the disk is never handed out, and can be fetched again", async () => {
  await withFolder(async (folder) => {
    await filled(folder, pack, [0, 1, 2]);
    await damage(packPaths(folder, pack.info.root).pack, 65_536 + 30_000);
    const store = await openPackStore(folder, pack.info);
    assert.ok(store.have(1));
    const reads = [store.read(65_536, 10), store.read(65_546, 10)];
    for (const read of reads) await assert.rejects(read, raises("E_HASH"));
    assert.deepEqual([store.have(0), store.have(1), store.have(2)], [true, false, true]);
    await store.write(1, pack.piece(1));
    assert.deepEqual(await store.read(0, 3 * 65_536), pack.bytes.subarray(0, 3 * 65_536));
    await store.close();
  });
});

test("a mark that was taken away stays away: the bitmap on disk must follow", async () => {
  await withFolder(async (folder) => {
    await filled(folder, pack, [0, 1]);
    await damage(packPaths(folder, pack.info.root).pack, 5);
    const store = await openPackStore(folder, pack.info);
    await assert.rejects(store.read(0, 1), raises("E_HASH"));
    await store.close();
    const again = await openPackStore(folder, pack.info);
    assert.deepEqual([again.have(0), again.have(1)], [false, true]);
    await again.close();
  });
});

test("a pack file that became shorter loses the marks beyond its end, also when it is opened twice", async () => {
  await withFolder(async (folder) => {
    await filled(folder, pack, [0, 1, 2, 3, 4, 5]);
    await truncate(packPaths(folder, pack.info.root).pack, 2 * 65_536 + 7);
    for (let run = 0; run < 2; run++) {
      const store = await openPackStore(folder, pack.info);
      assert.equal(store.haveCount(), 2);
      assert.ok(store.have(1) && !store.have(2));
      await store.close();
    }
  });
});

test("a state file that is missing, cut or damaged gives an empty store, never a wrong one", async () => {
  await withFolder(async (folder) => {
    const { state } = packPaths(folder, pack.info.root);
    await filled(folder, pack, [0, 1]);
    const good = await readFile(state);
    for (const at of [0, 20, 50, 54, 60, 64, 70, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] as number) ^ 1;
      await writeFile(state, bad);
      const store = await openPackStore(folder, pack.info);
      assert.equal(store.haveCount(), 0, `damaged at ${at}`);
      await store.close();
    }
    for (const cut of [0, 63, good.length - 1]) {
      await writeFile(state, good.subarray(0, cut));
      const store = await openPackStore(folder, pack.info);
      assert.equal(store.haveCount(), 0, `cut at ${cut}`);
      await store.close();
    }
  });
});

test("a kill -9 at any moment leaves no mark without its piece, and what was marked before stays", async () => {
  await withFolder(async (folder) => {
    const large = samplePack(40 * 65_536 - 99);
    const file = path.join(folder, "bytes");
    await writeFile(file, large.bytes);
    const script = fileURLToPath(new URL("kill-child.ts", import.meta.url));
    let before = 0;
    for (let round = 0; round < 6; round++) {
      const child = spawn(process.execPath, [script, folder, file], { stdio: ["ignore", "pipe", "inherit"] });
      const gone = once(child, "close");
      // Rounds stop at different moments: at once, or some pieces later.
      let said = 0;
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
        said += chunk.length / "ready\n".length;
        if (said > round * 2) child.kill("SIGKILL");
      }
      await gone;
      const bytes = await readFile(packPaths(folder, large.info.root).pack);
      const store = await openPackStore(folder, large.info);
      assert.ok(store.haveCount() >= before + Math.floor(said), "a mark that was reported is lost");
      before = store.haveCount();
      for (let piece = 0; piece < large.info.pieceCount; piece++) {
        if (!store.have(piece)) continue;
        const end = Math.min((piece + 1) * 65_536, bytes.length);
        const there = verifyPiece(large.info, large.pieceLayer, piece, bytes.subarray(piece * 65_536, end));
        assert.ok(there, `piece ${piece} is marked and not there`);
      }
      await store.close();
    }
    assert.ok(before > 0);
  });
});

/** Would catch: a seeder that makes garbage of each byte that it serves, and a cache that holds what its reader has had in full. */
test("a read of all that one read of the file brings lies in the memory that it is given", async () => {
  await withFolder(async (folder) => {
    const large = samplePack(8 * 65_536);
    await filled(folder, large, [0, 1, 2, 3, 4, 5, 6, 7]);
    const store = await openPackStore(folder, large.info);
    // Pieces are shorter than what a read may bring, so that is one.
    const into = Buffer.alloc(65_536);
    assert.equal(await store.read(4 * 65_536, into.length, into), into);
    assert.deepEqual(into, large.bytes.subarray(4 * 65_536, 5 * 65_536));
    await store.close();
  });
});

test("a full disk raises E_DISK_FULL, marks nothing and harms nothing", async () => {
  await withFolder(async (folder) => {
    await filled(folder, pack, [0]);
    let full = true;
    const openFile = async (file: string): ReturnType<typeof open> => {
      const handle = await openForBoth(file);
      const write = handle.write.bind(handle);
      const failing = (...args: Parameters<typeof write>): unknown => {
        if (full) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
        return write(...args);
      };
      return Object.assign(handle, { write: failing });
    };
    const store = await openPackStore(folder, pack.info, { openFile });
    await assert.rejects(store.write(1, pack.piece(1)), raises("E_DISK_FULL"));
    assert.deepEqual([store.have(0), store.have(1)], [true, false]);
    assert.deepEqual(await store.read(0, 65_536), pack.piece(0));
    full = false;
    await store.write(1, pack.piece(1));
    assert.deepEqual(await store.read(65_536, 65_536), pack.piece(1));
    await store.close();
  });
});

test("a folder that cannot be used raises E_STORE without naming its path", async () => {
  await withFolder(async (folder) => {
    await writeFile(path.join(folder, "file"), "");
    await assert.rejects(openPackStore(path.join(folder, "file", "packs"), pack.info), (error) => {
      assert.ok(raises("E_STORE")(error));
      const { message, why, cause } = error as Error & { why: string };
      assert.ok(!`${message}${why}${String(cause)}`.includes(folder));
      return true;
    });
  });
});

test("a sealed pack is adopted as a complete store, and one of another length is refused", async () => {
  await withFolder(async (folder) => {
    const digest = { root: pack.info.root, length: pack.info.length, pieceLayer: pack.pieceLayer };
    const sealed = path.join(folder, "sealing");
    await writeFile(sealed, pack.bytes.subarray(1));
    await assert.rejects(adoptSealedPack(folder, sealed, digest), raises("E_INTERNAL"));
    await writeFile(sealed, pack.bytes);
    const store = await adoptSealedPack(folder, sealed, digest);
    assert.ok(store.complete);
    assert.deepEqual(await store.read(0, pack.bytes.length), pack.bytes);
    await store.close();
    assert.ok(!(await readdir(folder)).includes("sealing"));
    const again = await openPackStore(folder, pack.info);
    assert.ok(again.complete);
    await again.close();
    await removePack(folder, pack.info);
    assert.deepEqual(await readdir(folder), []);
    await removePack(folder, pack.info);
  });
});

test("a pack is not hashed again by the process that sealed it, and is by the next one", async () => {
  await withFolder(async (folder) => {
    const sealed = path.join(folder, "sealing");
    await writeFile(sealed, pack.bytes);
    const digest = { root: pack.info.root, length: pack.info.length, pieceLayer: pack.pieceLayer };
    const store = await adoptSealedPack(folder, sealed, digest);
    // Damage shows who looks: nothing else tells whether a piece was hashed.
    await damage(packPaths(folder, pack.info.root).pack, 65_536 + 5);
    assert.equal((await store.read(65_536, 10)).length, 10);
    assert.ok(store.complete);
    await store.close();
    const again = await openPackStore(folder, pack.info);
    await assert.rejects(again.read(65_536, 10), raises("E_HASH"));
    assert.ok(!again.have(1) && again.have(0));
    await again.close();
  });
});
