import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { limitRows } from "../../packages/core/test/support/limits-document.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const TEST_MS = 180_000;

/**
 * Whether each limit's test in docs/LIMITS.md fails once the limit is not enforced: in a copy of the tree every use of it becomes infinite, and the test is run. With
 * names only those. A test that hangs has noticed, too.
 */
export function soakLimits(names: readonly string[]): Promise<boolean> {
  const rows = limitRows().filter(({ limit }) => names.length === 0 || names.includes(limit));
  const tree = mkdtempSync(path.join(tmpdir(), "backroom-limits-"));
  try {
    for (const name of ["packages", "docs", "scripts", "package.json", "tsconfig.json"]) {
      cpSync(path.join(ROOT, name), path.join(tree, name), { recursive: true });
    }
    symlinkSync(path.join(ROOT, "node_modules"), path.join(tree, "node_modules"));
    let unnoticed = 0;
    for (const { limit, sources, test } of rows) {
      if (test === undefined) continue;
      const noticed = failsWithout(tree, limit, sources, test);
      if (!noticed) unnoticed++;
      process.stdout.write(`${noticed ? "noticed    " : "NOT NOTICED"} ${limit}\n`);
    }
    return Promise.resolve(unnoticed === 0);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function failsWithout(tree: string, limit: string, sources: readonly string[], test: string): boolean {
  const files = sources.map((source) => path.join(tree, "packages", source));
  const before = files.map((file) => readFileSync(file, "utf8"));
  try {
    for (const [index, file] of files.entries()) {
      const text = before[index] as string;
      writeFileSync(file, text.replaceAll(new RegExp(`\\bLIMITS\\.${limit}\\b`, "g"), "Infinity"));
    }
    const run = spawnSync(process.execPath, ["--test", path.join("packages", test)], {
      cwd: tree,
      timeout: TEST_MS,
      stdio: "ignore",
    });
    return run.status !== 0;
  } finally {
    for (const [index, file] of files.entries()) writeFileSync(file, before[index] as string);
  }
}
