import assert from "node:assert/strict";
import { readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { readStateFile, writeStateFile } from "../../src/store/state-file.ts";
import { raises } from "./piece-store-suite.ts";
import { withFolder } from "./temporary.ts";

test("what is written is read back, replaced whole, for the owner alone, and leaves no other file", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "state");
    assert.equal(await readStateFile(file, 100), undefined);
    // A longer content left by a killed writer must not shine through.
    await writeFile(`${file}.tmp`, "x".repeat(50));
    await writeStateFile(file, Buffer.from("a longer text"));
    await writeStateFile(file, Buffer.from("short"));
    assert.equal((await readStateFile(file, 100))?.toString(), "short");
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["state"]);
  });
});

test("writes at the same time happen one after the other, and the last one stays", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "state");
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(1000));
    await Promise.all(texts.map((text) => writeStateFile(file, Buffer.from(text))));
    assert.equal((await readStateFile(file, 10_000))?.toString(), texts.at(-1));
  });
});

test("a write that fails says so, keeps the old content, and does not stop later ones", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "missing", "state");
    await assert.rejects(writeStateFile(file, Buffer.from("a")), raises("E_STORE"));
    await assert.rejects(writeStateFile(file, Buffer.from("b")), raises("E_STORE"));
  });
});

test("a file larger than the bound, or one that cannot be read, is refused unread", async () => {
  await withFolder(async (folder) => {
    await writeFile(path.join(folder, "large"), Buffer.alloc(101));
    await assert.rejects(readStateFile(path.join(folder, "large"), 100), raises("E_STORE"));
    await assert.rejects(readStateFile(folder, 100_000), raises("E_STORE"));
  });
});
