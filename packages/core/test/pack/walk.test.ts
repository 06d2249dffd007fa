import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import type { PackEntry } from "../../src/pack/entry.ts";
import { diskFiles, type InputFiles } from "../../src/pack/input-files.ts";
import { resolveRoots, walkInputs, type LeftOut } from "../../src/pack/walk.ts";
import { makeTree, tempFolder, type Tree } from "../support/pack-fixtures.ts";

const raises = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);

async function walk(
  paths: string[],
  files: InputFiles = diskFiles,
): Promise<{ entries: Omit<PackEntry, "offset">[]; leftOut: LeftOut[] }> {
  const leftOut: LeftOut[] = [];
  const entries: Omit<PackEntry, "offset">[] = [];
  const leaveOut = (item: LeftOut): void => void leftOut.push(item);
  const roots = await resolveRoots(paths, files);
  const found = (entry: Omit<PackEntry, "offset">): void => void entries.push(entry);
  await walkInputs(roots, { files, leaveOut, recordTimes: true, found });
  return { entries, leftOut };
}

async function treeIn(t: TestContext, tree: Tree): Promise<string> {
  const folder = await tempFolder(t);
  await makeTree(folder, tree);
  return folder;
}

test("the order is that of the bytes of tar paths, in which a folder ends in a slash", async (t) => {
  const folder = await treeIn(t, {
    "r/a/x": "",
    "r/a-b": "",
    "r/a.c": "",
    "r/a0": "",
    "r/é": "",
    "r/\u{1f600}": "",
    "r/\u{ff5e}": "",
  });
  const paths = (await walk([join(folder, "r")])).entries.map((entry) => entry.path);
  // "-" and "." sort before "/", "0" behind; UTF-16 order would put the emoji before U+FF5E.
  assert.deepEqual(paths, [
    "r/",
    "r/a-b",
    "r/a.c",
    "r/a/",
    "r/a/x",
    "r/a0",
    "r/é",
    "r/\u{ff5e}",
    "r/\u{1f600}",
  ]);
});

test("several inputs are sorted together, and each keeps its own name", async (t) => {
  const folder = await treeIn(t, { "one/z/f": "", "two/b.txt": "b", "two/b/g": "" });
  const { entries } = await walk([join(folder, "one/z/"), join(folder, "two/b"), join(folder, "two/b.txt")]);
  assert.deepEqual(
    entries.map((entry) => entry.path),
    ["b.txt", "b/", "b/g", "z/", "z/f"],
  );
});

test("links and sockets are left out and named, and nothing behind a link is read", async (t) => {
  const folder = await treeIn(t, { "r/f": "1", "outside/secret": "2" });
  await symlink(join(folder, "outside"), join(folder, "r/link"));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "r/socket"), resolve));
  t.after(() => server.close());
  const { entries, leftOut } = await walk([join(folder, "r")]);
  assert.deepEqual(
    entries.map((entry) => entry.path),
    ["r/", "r/f"],
  );
  assert.deepEqual(leftOut, [
    { path: "r/link", reason: "link" },
    { path: "r/socket", reason: "special" },
  ]);
});

test("an input that is itself a link is what the link points to, under the link's name", async (t) => {
  const folder = await treeIn(t, { "real/f": "1" });
  await symlink(join(folder, "real"), join(folder, "alias"));
  assert.deepEqual(
    (await walk([join(folder, "alias")])).entries.map((entry) => entry.path),
    ["alias/", "alias/f"],
  );
});

test("inputs that are missing, unnamed, of one name, or no files are refused with their own codes", async (t) => {
  const folder = await treeIn(t, { "a/x": "", "b/x": "" });
  await assert.rejects(walk([join(folder, "none")]), raises("E_INPUT"));
  await assert.rejects(walk([]), raises("E_INPUT"));
  await assert.rejects(walk(["/dev/null"]), raises("E_INPUT"));
  await assert.rejects(walk(["/"]), raises("E_INPUT_NAMES"));
  await assert.rejects(walk([join(folder, "a/x"), join(folder, "b/x")]), raises("E_INPUT_NAMES"));
});

test("a name that is not Unicode stops the share instead of changing the name", async (t) => {
  const folder = await treeIn(t, { "r/f": "" });
  try {
    await writeFile(Buffer.concat([Buffer.from(`${folder}/r/`), Buffer.from([0xff, 0xfe])]), "");
  } catch {
    t.skip("this file system has no such names");
    return;
  }
  await assert.rejects(walk([join(folder, "r")]), raises("E_INPUT_NAMES"));
});

test("a name with a sign of replacement in it is Unicode, and goes in", async (t) => {
  const folder = await treeIn(t, { "r/\u{fffd}": "", "r/a": "" });
  const paths = (await walk([join(folder, "r")])).entries.map((entry) => entry.path);
  assert.deepEqual(paths, ["r/", "r/a", "r/\u{fffd}"]);
});

test("any names come in the order of their bytes", async (t) => {
  const folder = await tempFolder(t);
  const name = fc.string({
    unit: fc.constantFrom(..."a0é\u{7ff}\u{d7ff}\u{e000}\u{ff5e}\u{10000}\u{10ffff}"),
    minLength: 1,
    maxLength: 4,
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 2, maxLength: 12 }), async (names) => {
      const root = `r${run++}`;
      await makeTree(folder, Object.fromEntries(names.map((one) => [`${root}/${one}`, ""])));
      const paths = (await walk([join(folder, root)])).entries.map((entry) => entry.path);
      assert.deepEqual(
        paths,
        paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
    }),
    { numRuns: 50 },
  );
});

test("a folder that cannot be read stops the share; leaving it out unseen would lose files", async (t) => {
  const folder = await treeIn(t, {});
  await mkdir(join(folder, "r/closed"), { recursive: true });
  const denied: InputFiles = {
    ...diskFiles,
    list: (path) => (path.endsWith("closed") ? Promise.reject(new Error("EACCES")) : diskFiles.list(path)),
  };
  await assert.rejects(walk([join(folder, "r")], denied), raises("E_INPUT"));
});

test("a file that is replaced by a link between listing and looking is noticed", async (t) => {
  const folder = await treeIn(t, { "r/f": "1" });
  const swapped: InputFiles = {
    ...diskFiles,
    stat: (path) => ({
      ...diskFiles.stat(path),
      ...(path.endsWith("/f") ? { kind: "link" as const } : {}),
    }),
  };
  await assert.rejects(walk([join(folder, "r")], swapped), raises("E_FILE_CHANGED"));
});
