import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Selection } from "@backroom/core/pack/selection.ts";
import {
  foundRows,
  openRows,
  treeOf,
  withChoices,
  type FileEntry,
  type FilePriority,
} from "../src/state/file-tree.ts";

const file = (path: string, size = 1, priority: FilePriority = "normal"): FileEntry => ({
  path,
  size,
  mtimeMs: null,
  doneBytes: 0,
  priority,
});

test("folders come first, each with what its files come to", () => {
  const tree = treeOf([
    file("a/b/one", 1, "skip"),
    file("a/two", 2, "high"),
    file("three", 4),
    file("z/four", 8, "skip"),
  ]);
  assert.deepEqual(
    openRows(tree, () => true).map(({ node, place, siblings }) => [
      node.path,
      node.level,
      `${place}/${siblings}`,
      node.size,
      `${node.chosenCount}/${node.fileCount}`,
      node.priority,
    ]),
    [
      ["a", 1, "1/3", 3, "1/2", "mixed"],
      ["a/b", 2, "1/2", 1, "0/1", "skip"],
      ["a/b/one", 3, "1/1", 1, "0/1", "skip"],
      ["a/two", 2, "2/2", 2, "1/1", "high"],
      ["z", 1, "2/3", 8, "0/1", "skip"],
      ["z/four", 2, "1/1", 8, "0/1", "skip"],
      ["three", 1, "3/3", 4, "1/1", "normal"],
    ],
  );
  assert.deepEqual([tree.chosenBytes, tree.chosenCount, tree.priority], [6, 2, "mixed"]);
  assert.deepEqual(
    openRows(tree, ({ path }) => path === "a").map(({ node }) => node.path),
    ["a", "a/b", "a/two", "z", "three"],
  );
});

test("searching finds parts of whole paths, in any case, and says which they are", () => {
  const found = foundRows([file("Music/One.flac"), file("Film.mp4"), file("music/two.mp3")], "MUSIC/");
  assert.deepEqual(
    found.map(({ node, place, siblings }) => [node.name, node.level, place, siblings]),
    [
      ["Music/One.flac", 1, 1, 2],
      ["music/two.mp3", 1, 2, 2],
    ],
  );
});

/** Would catch: a page that shows another choice than the daemon makes of it. */
test("what is chosen looks at once as the daemon will tell it", () => {
  const name = fc.constantFrom("a", "b", "c");
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
  const choice = fc.record({
    path: fc.oneof(path, fc.constant("")),
    priority: fc.constantFrom<FilePriority>("skip", "low", "normal", "high"),
  });
  fc.assert(
    fc.property(fc.uniqueArray(path), fc.array(choice), fc.array(choice), (paths, before, more) => {
      const known = Selection.of(before);
      const files = paths.map((one) => file(one, 1, known.priorityOf(one)));
      const daemon = known.with(more);
      assert.deepEqual(
        withChoices(files, more).map(({ priority }) => priority),
        paths.map((one) => daemon.priorityOf(one)),
      );
    }),
  );
});

test("a hundred thousand files, and folders within folders within folders, are no trouble", () => {
  const deep = Array.from({ length: 2_000 }, () => "d").join("/");
  const files = [
    ...Array.from({ length: 100_000 }, (_, n) => file(`Set ${n % 100}/Track ${n}`, 1)),
    file(`${deep}/end`),
  ];
  const tree = treeOf(files);
  assert.equal(tree.fileCount, 100_001);
  const rows = openRows(tree, () => true);
  assert.ok(rows.length < 100_001 + 100 + 100);
  const end = rows.find(({ node }) => node.path === `${deep}/end`);
  assert.ok(end?.node.name.endsWith("/d/end"), "it has its name, and its place");
});
