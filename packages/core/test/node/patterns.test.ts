import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { knownPaths, onlyThese } from "../../src/node/patterns.ts";

const PATHS = [
  "r/",
  "r/a.jpg",
  "r/b[1].txt",
  "r/sub/",
  "r/sub/c.jpg",
  "r/sub/d.txt",
  "r/sub/more/",
  "r/sub/more/e.jpg",
];

async function chosen(...texts: string[]): Promise<string[]> {
  async function* entries(): AsyncGenerator<{ path: string }> {
    for (const path of PATHS) yield { path };
  }
  const selection = await onlyThese(entries(), texts);
  return PATHS.filter((path) => !path.endsWith("/") && selection.priorityOf(path) !== "skip");
}

test("files are named by path, by folder and by pattern, and a name with a bracket is a name first", async () => {
  assert.deepEqual(await chosen("r/a.jpg"), ["r/a.jpg"]);
  assert.deepEqual(await chosen("/r/sub/"), ["r/sub/c.jpg", "r/sub/d.txt", "r/sub/more/e.jpg"]);
  assert.deepEqual(await chosen("*.jpg"), ["r/a.jpg", "r/sub/c.jpg", "r/sub/more/e.jpg"]);
  assert.deepEqual(await chosen("r/*.jpg"), ["r/a.jpg"]);
  assert.deepEqual(
    await chosen("r/**/*.jpg", "r/b[1].txt"),
    PATHS.filter((path) => /jpg$|\[/.test(path)),
  );
  assert.deepEqual(await chosen("r/s*"), ["r/sub/c.jpg", "r/sub/d.txt", "r/sub/more/e.jpg"]);
  assert.deepEqual(await chosen("r/sub/more", "r/sub"), ["r/sub/c.jpg", "r/sub/d.txt", "r/sub/more/e.jpg"]);
});

test("what fits nothing is told, also beside something that does", async () => {
  for (const texts of [["r/b.jpg"], ["*.png", "r/a.jpg"], ["b.jpg"], ["c.jpg"], ["r/r/a.jpg"]]) {
    await assert.rejects(chosen(...texts), (error: unknown) => isBackroomError(error, "E_NO_FILE"));
  }
});

/** Would catch: a path as the file manager shows it that is told not to be there; another one taken in its place; one of two folders at the top taken for all. */
test("the one folder at the top may be left out, and a path that is there with it comes first", async () => {
  assert.deepEqual(await chosen("a.jpg"), ["r/a.jpg"]);
  assert.deepEqual(
    await chosen("sub/", "b[1].txt"),
    PATHS.filter((path) => /b\[|sub\/.*[a-z]$/.test(path)),
  );
  assert.deepEqual(await chosen("sub/*.jpg", "r/a.jpg"), ["r/a.jpg", "r/sub/c.jpg"]);
  const twice = ["r/", "r/r/", "r/r/a", "r/r/r", "r/x"];
  const known = async (paths: readonly string[], ...texts: string[]): Promise<object> => {
    const entries = (async function* () {
      for (const path of paths) yield { path };
    })();
    return Object.fromEntries(await knownPaths(entries, new Set(texts)));
  };
  assert.deepEqual(await known(twice, "r", "r/r", "r/a", "x", "y"), {
    r: "r",
    "r/r": "r/r",
    "r/a": "r/r/a",
    x: "r/x",
  });
  for (const more of ["s/", "s"])
    assert.deepEqual(await known([...twice, more], "x", "r/x"), { "r/x": "r/x" });
});

/** Would catch: a share of a million files that fills the memory of whoever asks for all that its names end in. */
test("more than is kept is refused as soon as it is known, and what lies in a chosen folder does not count", async () => {
  let count = 0;
  async function* entries(): AsyncGenerator<{ path: string }> {
    yield { path: "r/" };
    for (; count < 3 * LIMITS.selectionChoices; count++) yield { path: `r/${count}.txt` };
  }
  await assert.rejects(onlyThese(entries(), ["*.txt"]), (error: unknown) =>
    isBackroomError(error, "E_SELECTION"),
  );
  assert.ok(count < 2 * LIMITS.selectionChoices);
  count = 0;
  const all = await onlyThese(entries(), ["r", "*.txt"]);
  assert.deepEqual(
    all.choices().map(({ path }) => path),
    ["", "r"],
  );
});
