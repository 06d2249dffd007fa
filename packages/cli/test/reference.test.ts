import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Command } from "commander";
import { addAllCommands, addCommandOf, createProgram } from "../src/command-line.ts";
import { EXAMPLES } from "../src/reference/examples.ts";
import { cliDocument } from "./support/cli-document.ts";
import { EXITS, exitsOfErrors } from "./support/command-pages.ts";
import { manPages } from "./support/man-pages.ts";
import { havePartners } from "../../core/test/support/partners.ts";

const ROOT = new URL("../../../", import.meta.url);
const DOCS = new URL("docs/", ROOT);

async function tree(): Promise<Command> {
  const program = createProgram(process.stdout);
  await addAllCommands(program, () => {});
  return program;
}

test("docs/CLI.md and the man pages are what the commands say (npm run docs:cli)", async () => {
  const program = await tree();
  const written = await readFile(new URL("CLI.md", DOCS), "utf8");
  assert.equal(written, cliDocument(written, program));
  const pages = manPages(program);
  assert.deepEqual((await readdir(new URL("man/", DOCS))).toSorted(), [...pages.keys()].toSorted());
  for (const [file, text] of pages) {
    assert.equal(await readFile(new URL(`man/${file}`, DOCS), "utf8"), text, file);
  }
});

test("every example is a command line that the program takes", async () => {
  for (const [line] of Object.values(EXAMPLES).flat()) {
    for (const part of line.matchAll(/backroom ([^|>)]*)/g)) {
      const args = (part[1] ?? "").replace(/ < .*/, "").trim().split(" ");
      // What comes through a pipe.
      if (line.includes("xargs") && args[0] === "resume") args.push("7k2m");
      const program = createProgram(process.stdout);
      let isTaken = false;
      await addCommandOf(args, program, () => (isTaken = true));
      await program.parseAsync(args, { from: "user" });
      assert.ok(isTaken, line);
    }
  }
});

/** Would catch: a command that has another name than the one that people are told, by a page, a message or an error. */
test("commands that people are told of are there", async () => {
  const program = await tree();
  const below = (command: Command, name: string) =>
    command.commands.find((one) => one.name() === name || one.aliases().includes(name));
  const pages = ["README.md", "docs/OPERATORS.md", "docs/CLI.md", "docs/THREAT_MODEL.md"];
  const sources = globSync("packages/*/src/**/*.{ts,tsx}", { cwd: ROOT });
  let count = 0;
  for (const file of [...pages, ...sources]) {
    // What signatures and keys begin with reads like a command, and has a version.
    const text = (await readFile(new URL(file, ROOT), "utf8")).replaceAll(/backroom [a-z ]+ v?1\b/g, "");
    for (const [line, name = "", part] of text.matchAll(
      /(?<=^|["`(]|: | {2})backroom ([a-z]+)(?: ([a-z]+)\b)?/gm,
    )) {
      if (name === "help") continue;
      const command = below(program, name);
      assert.ok(command !== undefined, `${file}: ${line}`);
      if (part !== undefined && command.commands.length > 0) {
        assert.ok(below(command, part) !== undefined, `${file}: ${line}`);
      }
      count++;
    }
  }
  assert.ok(count > 150, `only ${count} were named`);
});

test("the exit statuses that are documented are those that there are", () => {
  const told = EXITS.map(([exit]) => exit).filter((exit) => exit !== 0);
  assert.deepEqual(told, exitsOfErrors());
});

test("groff has nothing to say about the man pages", async (t) => {
  if (!havePartners(t, "groff")) return;
  for (const [file, text] of manPages(await tree())) {
    const options = ["-man", "-Tutf8", "-ww", "-z"];
    const { stderr, status } = spawnSync("groff", options, { input: text, encoding: "utf8" });
    assert.deepEqual([stderr, status], ["", 0], file);
  }
});
