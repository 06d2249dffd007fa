import assert from "node:assert/strict";
import { lstatSync } from "node:fs";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { Unfinished } from "../../src/engine/unfinished.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const ID = transferOf(0).id;
const noPacks = (): Promise<void> => Promise.reject(new Error("a pack is removed"));
const numberOf = (place: string): string => String(lstatSync(place, { bigint: true }).ino);

interface Places {
  readonly catalogue: Catalogue;
  readonly from: string;
  readonly to: string;
  /** Of the folder that holds both. */
  readonly root: string;
}

async function withMove(run: (places: Places) => Promise<void>): Promise<void> {
  await withFolder(async (root) => {
    const [from, to] = [path.join(root, "from", "film.bin"), path.join(root, "to", "film.bin")];
    await mkdir(path.dirname(from));
    await mkdir(path.dirname(to));
    await writeFile(from, "film");
    const catalogue = memoryCatalogue();
    catalogue.put({ ...transferOf(0), paths: [from], output: path.dirname(from) });
    await run({ catalogue, from, to, root });
  });
}

/** What the next process makes of it. */
async function restart(catalogue: Catalogue): Promise<readonly [paths: readonly string[], isNoted: boolean]> {
  await new Unfinished(catalogue).finish(noPacks);
  return [catalogue.get(ID)?.paths ?? [], catalogue.value("engine.moves") !== undefined];
}

test("a kill before the rename, after it, and after the catalogue knew", async () => {
  for (const [isMoved, isKnown] of [
    [false, false],
    [true, false],
    [true, true],
  ]) {
    await withMove(async ({ catalogue, from, to }) => {
      new Unfinished(catalogue).moving(ID, { from, to, fileId: numberOf(from) });
      if (isMoved) await rename(from, to);
      if (isKnown) catalogue.put({ ...transferOf(0), paths: [to] });
      assert.deepEqual(await restart(catalogue), [[isMoved ? to : from], false]);
    });
  }
});

test("a person's own file at the end of a move is not taken for what was to come there", async () => {
  await withMove(async ({ catalogue, from, to }) => {
    await writeFile(to, "own");
    new Unfinished(catalogue).moving(ID, { from, to, fileId: numberOf(from) });
    assert.deepEqual(await restart(catalogue), [[from], false]);
  });
});

test("a copy that a kill left half is taken away, and one that is whole counts", async () => {
  for (const isWhole of [false, true]) {
    await withMove(async ({ catalogue, from, to, root }) => {
      const aside = path.join(root, "to", ".backroom-move-00ff");
      await mkdir(aside);
      const copy = path.join(aside, "film.bin");
      await writeFile(copy, "film");
      const unfinished = new Unfinished(catalogue);
      unfinished.moving(ID, { from, to, fileId: "", aside });
      if (isWhole) {
        unfinished.moving(ID, { from, to, fileId: numberOf(copy), aside });
        await rename(copy, to);
      }
      assert.deepEqual(await restart(catalogue), [[isWhole ? to : from], false]);
      assert.deepEqual(await readdir(path.dirname(to)), isWhole ? ["film.bin"] : []);
    });
  }
});

test("where both places are gone, as with a disk that is not there, the next start looks again", async () => {
  await withMove(async ({ catalogue, from, to, root }) => {
    new Unfinished(catalogue).moving(ID, { from, to, fileId: numberOf(from) });
    await rename(from, path.join(root, "away"));
    assert.deepEqual(await restart(catalogue), [[from], true]);
    await rename(path.join(root, "away"), to);
    assert.deepEqual(await restart(catalogue), [[to], false]);
  });
});

test("a pack goes with the next start, unless somebody has it again; and later where it cannot go now", async () => {
  const root = "ab".repeat(32);
  const catalogue = memoryCatalogue();
  const gone: string[] = [];
  const remove = ({ root: one }: { readonly root: string }): Promise<void> =>
    Promise.resolve(void gone.push(one));
  new Unfinished(catalogue).packLeaves({ root, packLength: 1 });
  await new Unfinished(catalogue).finish(() => Promise.reject(new BackroomError("E_STORE", "not now")));
  await new Unfinished(catalogue).finish(remove);
  await new Unfinished(catalogue).finish(noPacks);
  assert.deepEqual(gone, [root]);
  new Unfinished(catalogue).packLeaves({ root, packLength: 1 });
  catalogue.put({ ...transferOf(0), root });
  await new Unfinished(catalogue).finish(noPacks);
  assert.equal(catalogue.value("engine.leaving"), undefined);
});
