import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { moveNew } from "@backroom/core/pack/move-new.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import { moveInto, type MoveDeps } from "../../src/engine/relocation.ts";

const { signal } = new AbortController();

/** As where the two folders are on different file systems: the first rename fails, the ones beside the target do not. */
function twoDisks(): MoveDeps {
  let isFirst = true;
  return {
    async moveNew(source, target) {
      if (isFirst) {
        isFirst = false;
        throw Object.assign(new Error("EXDEV"), { code: "EXDEV" });
      }
      await moveNew(source, target);
    },
  };
}

async function tree(folder: string): Promise<string> {
  const top = path.join(folder, "from", "album");
  await mkdir(path.join(top, "sub"), { recursive: true });
  await writeFile(path.join(top, "sub", "one.txt"), "one");
  await writeFile(path.join(top, "run.sh"), "run", { mode: 0o755 });
  await utimes(path.join(top, "run.sh"), 1e9, 1e9);
  return top;
}

for (const [name, depsOf] of [
  ["a rename", () => undefined],
  ["a copy into another file system", twoDisks],
] as const) {
  test(`moving by ${name} leaves everything there, and nothing behind`, async () => {
    await withFolder(async (folder) => {
      const top = await tree(folder);
      const to = path.join(folder, "to");
      const moved = await moveInto(top, to, signal, depsOf());
      assert.equal(moved, path.join(to, "album"));
      assert.equal(await readFile(path.join(moved, "sub", "one.txt"), "utf8"), "one");
      const script = await stat(path.join(moved, "run.sh"));
      assert.deepEqual([script.mode & 0o777, script.mtimeMs], [0o755, 1e12]);
      assert.deepEqual([await readdir(path.join(folder, "from")), await readdir(to)], [[], ["album"]]);
    });
  });

  test(`moving by ${name} replaces nothing`, async () => {
    await withFolder(async (folder) => {
      const top = await tree(folder);
      await mkdir(path.join(folder, "to", "album"), { recursive: true });
      await writeFile(path.join(folder, "to", "album", "kept"), "kept");
      await assert.rejects(moveInto(top, path.join(folder, "to"), signal, depsOf()), {
        code: "E_TARGET_EXISTS",
      });
      assert.deepEqual(await readdir(path.join(folder, "to", "album")), ["kept"]);
      assert.equal(await readFile(path.join(top, "sub", "one.txt"), "utf8"), "one");
    });
  });
}

/** Would catch: a link among the files that makes a copy of what lies elsewhere. */
test("a copy follows no link, and what was begun is gone again", async () => {
  await withFolder(async (folder) => {
    const top = await tree(folder);
    await symlink(folder, path.join(top, "loop"));
    await assert.rejects(moveInto(top, path.join(folder, "to"), signal, twoDisks()), { code: "E_FILE" });
    assert.deepEqual(await readdir(path.join(folder, "to")), []);
    assert.equal(await readFile(path.join(top, "sub", "one.txt"), "utf8"), "one");
  });
});

test("moving to where it is already is no error, and one that is stopped leaves the old one", async () => {
  await withFolder(async (folder) => {
    const top = await tree(folder);
    assert.equal(await moveInto(top, path.join(folder, "from"), signal), top);
    await assert.rejects(moveInto(top, path.join(folder, "to"), AbortSignal.abort(), twoDisks()), {
      code: "E_INTERRUPTED",
    });
    assert.equal(await readFile(path.join(top, "sub", "one.txt"), "utf8"), "one");
  });
});

/** Would catch: a file of a person's own that is lost, since it was put into the folder while that was copied. */
test("what somebody puts into a folder while it is copied stays where it is", async () => {
  await withFolder(async (folder) => {
    const top = await tree(folder);
    const { moveNew: rename } = twoDisks();
    let renames = 0;
    await moveInto(top, path.join(folder, "to"), signal, {
      async moveNew(source, target) {
        // The second one shows the copy.
        if (++renames === 2) await writeFile(path.join(top, "sub", "own.txt"), "own");
        await rename(source, target);
      },
    });
    assert.deepEqual((await readdir(path.join(folder, "to", "album"))).sort(), ["run.sh", "sub"]);
    assert.deepEqual(await readdir(top, { recursive: true }), ["sub", path.join("sub", "own.txt")]);
    assert.equal(await readFile(path.join(top, "sub", "own.txt"), "utf8"), "own");
  });
});
