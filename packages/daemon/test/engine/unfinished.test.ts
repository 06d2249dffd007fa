import assert from "node:assert/strict";
import { lstatSync } from "node:fs";
import { link, mkdir, readdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { Unfinished } from "../../src/engine/unfinished.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const ID = transferOf(0).id;
const never = (): Promise<void> => Promise.reject(new Error("a pack is changed"));
const noPacks = { remove: never, keepOnly: never };
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
  const remove = async ({ root: one }: { readonly root: string }): Promise<void> => void gone.push(one);
  const notNow = (): Promise<void> => Promise.reject(new BackroomError("E_STORE", "not now"));
  new Unfinished(catalogue).packLeaves({ root, packLength: 1 });
  await new Unfinished(catalogue).finish({ remove: notNow, keepOnly: never });
  await new Unfinished(catalogue).finish({ remove, keepOnly: never });
  await new Unfinished(catalogue).finish(noPacks);
  assert.deepEqual(gone, [root]);
  new Unfinished(catalogue).packLeaves({ root, packLength: 1 });
  catalogue.put({ ...transferOf(0), root });
  await new Unfinished(catalogue).finish(noPacks);
  assert.equal(catalogue.value("engine.leaving"), undefined);
});

test("of the pack of a download that was over only its list stays, unless it was not over, or is asked for again", async () => {
  const root = "cd".repeat(32);
  const pack = { root, packLength: 9, pieces: [0, 3] };
  for (const [state, isKept] of [
    ["done", false],
    ["active", true],
    ["paused", true],
  ] as const) {
    const catalogue = memoryCatalogue();
    catalogue.put({ ...transferOf(0), role: "get", state, root });
    const kept: unknown[] = [];
    const keepOnly = async (one: unknown): Promise<void> => void kept.push(one);
    new Unfinished(catalogue).packShrinks(pack);
    await new Unfinished(catalogue).finish({ remove: never, keepOnly });
    assert.deepEqual(kept, isKept ? [] : [pack]);
    assert.equal(catalogue.value("engine.shrinking"), undefined);
  }
});

/** Would catch: a file that is left at its old place, too; an empty file that keeps a place for nobody, and one that is taken from a person. */
test("a kill in the middle of a rename: a second name goes, and so does what kept the place", async () => {
  await withMove(async ({ catalogue, from, to }) => {
    new Unfinished(catalogue).moving(ID, { from, to, fileId: numberOf(from) });
    await link(from, to);
    assert.deepEqual(await restart(catalogue), [[to], false]);
    assert.deepEqual(
      [await readdir(path.dirname(from)), await readdir(path.dirname(to))],
      [[], ["film.bin"]],
    );
  });
  await withMove(async ({ catalogue, from, to }) => {
    new Unfinished(catalogue).moving(ID, { from, to, fileId: numberOf(from) });
    await writeFile(to, "");
    assert.deepEqual(await restart(catalogue), [[from], false]);
    assert.deepEqual(
      [await readdir(path.dirname(from)), await readdir(path.dirname(to))],
      [["film.bin"], []],
    );
  });
});

/** Would catch: all files of a download twice on the disk; one that somebody changed at the old place, gone with it. */
test("a kill after a copy got its place: what was copied goes, unless it was touched since", async () => {
  for (const isTouched of [false, true]) {
    await withFolder(async (root) => {
      const [from, to] = [path.join(root, "from", "album"), path.join(root, "to", "album")];
      for (const place of [from, to]) {
        await mkdir(path.join(place, "sub"), { recursive: true });
        await writeFile(path.join(place, "sub", "song"), "la");
        await utimes(path.join(place, "sub", "song"), 1.25, 1.25);
      }
      if (isTouched) await writeFile(path.join(from, "sub", "song"), "lo");
      const catalogue = memoryCatalogue();
      catalogue.put({ ...transferOf(0), paths: [from], output: path.dirname(from) });
      const aside = path.join(root, "to", ".backroom-move-00ff");
      new Unfinished(catalogue).moving(ID, { from, to, fileId: numberOf(to), aside });
      assert.deepEqual(await restart(catalogue), [[to], false]);
      assert.deepEqual(await readdir(path.dirname(from)), isTouched ? ["album"] : []);
    });
  }
});

/** Would catch: the only copy of a download removed, since the folder that it was to be moved to leads back to the one where it lies. */
test("what two paths lead to is not taken for two", async () => {
  for (const isFolder of [false, true]) {
    await withMove(async ({ catalogue, from, root }) => {
      if (isFolder) {
        await rm(from);
        await mkdir(from);
        await writeFile(path.join(from, "inside"), "film");
      }
      await symlink(path.dirname(from), path.join(root, "link"));
      const to = path.join(root, "link", "film.bin");
      new Unfinished(catalogue).moving(ID, { from, to, fileId: numberOf(from) });
      await restart(catalogue);
      const [place = ""] = catalogue.get(ID)?.paths ?? [];
      assert.ok(lstatSync(place, { throwIfNoEntry: false }) !== undefined, "it is gone");
      if (isFolder) assert.deepEqual(await readdir(place), ["inside"]);
    });
  }
});
