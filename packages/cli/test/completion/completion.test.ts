import assert from "node:assert/strict";
import { test } from "node:test";
import { SHELL_NAMES } from "../../src/commands/completion.ts";
import { SHELLS } from "../../src/completion/scripts.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";
import { runInProcess } from "../support/in-process.ts";

/** What is offered at the end of a line, and what the shell is asked for besides. */
async function complete(
  line: string,
  daemon?: FakeDaemon,
): Promise<{ words: string[]; files: string; text: string }> {
  const words = line.split(" ");
  const current = words.pop() ?? "";
  const args = ["__complete", `--current=${current}`, "--", ...words];
  const run = await runInProcess(args, daemon === undefined ? {} : { daemon });
  assert.deepEqual([run.status, run.stderr], [0, ""]);
  const lines = run.stdout.trimEnd().split("\n");
  const files = lines.pop() ?? "";
  return { words: lines.map((one) => one.split("\t")[0] ?? ""), files, text: run.stdout };
}

test("commands, subcommands, options and their choices are offered where they fit", async () => {
  const first = await complete("");
  for (const word of ["share", "get", "ls", "net", "completion"]) assert.ok(first.words.includes(word), word);
  assert.ok(!first.words.includes("__complete"));
  assert.deepEqual((await complete("re")).words, ["resume", "recheck", "relocate", "relay"]);
  assert.deepEqual((await complete("--json net l")).words, ["list", "lan"]);
  assert.deepEqual((await complete("network l")).words, ["list", "lan"]);
  assert.deepEqual((await complete("ls --st")).words, ["--state"]);
  assert.deepEqual((await complete("ls --state se")).words, ["sealing", "seeding"]);
  assert.deepEqual((await complete("ls --quie")).words, ["--quiet"]);
  assert.deepEqual((await complete("completion z")).words, ["zsh"]);
  assert.deepEqual((await complete("net lan o")).words, ["on", "off"]);
});

test("files and folders are left to the shell, and links to nobody", async () => {
  const files = async (line: string): Promise<string> => (await complete(line)).files;
  assert.equal(await files("share "), ":files");
  assert.equal(await files("share a "), ":files");
  assert.equal(await files("get -o "), ":folders");
  assert.equal(await files("get -i "), ":files");
  assert.equal(await files("watch add "), ":folders");
  assert.equal(await files("get "), ":none");
});

test("ids are asked of the daemon, and names of strangers are descriptions only", async () => {
  const daemon = new FakeDaemon();
  const one = daemon.add({ name: "$(touch /tmp/x)\u001b[2J\n:files" });
  const two = daemon.add({ name: "001 in a name is no id" });
  const offered = await complete("info ", daemon);
  assert.deepEqual(offered.words, [two.id, one.id]);
  assert.equal(offered.files, ":none");
  assert.ok(!offered.text.includes("\u001b"));
  assert.deepEqual((await complete("info 001", daemon)).words, [one.id]);
  assert.deepEqual((await complete(`pause ${one.id} `, daemon)).words, [two.id, one.id]);
  assert.deepEqual((await complete(`relocate ${one.id} `, daemon)).files, ":folders");
});

test("a daemon that is not there, fails, or does not answer costs a moment and nothing else", async () => {
  assert.deepEqual((await complete("info ")).words, []);
  const daemon = new FakeDaemon();
  daemon.instead.listTransfers = () => {
    throw new Error("broken");
  };
  assert.deepEqual((await complete("info ", daemon)).words, []);
  daemon.instead.listTransfers = () => new Promise(() => {});
  assert.deepEqual((await complete("info ", daemon)).words, []);
});

test("the shells of the option are those that have a script", () => {
  assert.deepEqual(SHELL_NAMES, SHELLS);
});
