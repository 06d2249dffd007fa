import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

const ROOT = path.join(import.meta.dirname, "../../../..");

/** Would catch: a claim whose test was renamed or removed. Names without a folder are in that of the one before. */
test("the tests that the threat model names are there", async () => {
  const text = await readFile(path.join(ROOT, "docs/THREAT_MODEL.md"), "utf8");
  const section = /\n## What is proven by which test\n(.*?)\n## /s.exec(text)?.[1] ?? "";
  let count = 0;
  let folder = "";
  for (const [, name = ""] of section.matchAll(/`((?:[\w-]+\/)*[\w-]+(?:\.test\.ts)?)`/g)) {
    if (!name.endsWith(".test.ts") && !name.includes("/")) continue;
    if (name.includes("/")) folder = path.dirname(name);
    const file = name.includes("/") ? name : path.join(folder, name);
    assert.ok(existsSync(path.join(ROOT, "packages", file)), file);
    count++;
  }
  assert.ok(count > 15, `only ${count} were named`);
});
