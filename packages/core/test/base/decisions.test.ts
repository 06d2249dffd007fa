import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

const FOLDER = new URL("../../../../docs/adr/", import.meta.url);

/** Would catch: two decisions that were written at the same time and took the same number, so that “ADR 29” means either. */
test("every decision has a number of its own, without gaps, and says the same one", async () => {
  const names = (await readdir(FOLDER)).filter((name) => name !== "README.md").toSorted();
  const numbers = names.map((name) => Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]));
  assert.deepEqual(
    numbers,
    names.map((_, at) => at + 1),
  );
  for (const [at, name] of names.entries()) {
    const text = await readFile(new URL(name, FOLDER), "utf8");
    assert.ok(text.startsWith(`# ${at + 1}. `), name);
  }
});

/** Would catch: a decision that nobody finds who looks for what was decided. */
test("docs/adr/README.md lists every decision once, under its title", async () => {
  const list = await readFile(new URL("README.md", FOLDER), "utf8");
  const names = (await readdir(FOLDER)).filter((name) => name !== "README.md").toSorted();
  const listed = [...list.matchAll(/^- \[(.*)\]\((\S+)\)$/gm)].map(([, title = "", name = ""]) => ({
    title,
    name,
  }));
  assert.deepEqual(listed.map(({ name }) => name).toSorted(), names);
  for (const { title, name } of listed) {
    const text = await readFile(new URL(name, FOLDER), "utf8");
    assert.ok(text.startsWith(`# ${title}\n`), name);
  }
});
