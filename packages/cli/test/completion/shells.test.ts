import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { SCRIPTS } from "../../src/completion/scripts.ts";
import { havePartners } from "../../../core/test/support/partners.ts";
import { BACKROOM } from "../support/network.ts";

/** A `backroom` that offers what an attacker may have got into names, notes how it was asked, and leaves the rest to the real one. */
let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "backroom-shells-"));
  const offers = `abcd0000\t$(touch ${folder}/evaluated) : a\`name\`\\n`;
  const stub = [
    "#!/bin/sh",
    `if [ "$4" = info ]; then printf '%s\\n' "$@" > ${folder}/asked; printf '${offers.replaceAll("'", "")}:none\\n'; exit; fi`,
    `exec ${BACKROOM.map((word) => `'${word}'`).join(" ")} "$@"`,
  ];
  await writeFile(path.join(folder, "backroom"), `${stub.join("\n")}\n`);
  await chmod(path.join(folder, "backroom"), 0o755);
  await writeFile(path.join(folder, "a file.txt"), "");
  for (const shell of ["bash", "zsh", "fish"] as const)
    await writeFile(path.join(folder, shell), SCRIPTS[shell]);
});
after(() => rm(folder, { recursive: true, force: true }));

function run(program: string, args: readonly string[]): string[] {
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env["PATH"]}`,
    HOME: folder,
    XDG_CONFIG_HOME: folder,
  };
  const { stdout, stderr, status } = spawnSync(program, args, { env, cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  assert.equal(spawnSync("test", ["-e", path.join(folder, "evaluated")]).status, 1, "a name was evaluated");
  return stdout.split("\n").filter((line) => line !== "");
}

/** As bash calls the function: words and the index of the one at the cursor, then what it made of them. */
function inBash(...words: string[]): string[] {
  const script = [
    `source ${folder}/bash`,
    `COMP_WORDS=(${["backroom", ...words].map((word) => `'${word}'`).join(" ")})`,
    `COMP_CWORD=${words.length}`,
    "_backroom backroom",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ];
  return run("bash", ["--norc", "-c", script.join("\n")]);
}

test("bash completes commands, options, files and ids, and evaluates nothing that it is given", (t) => {
  if (!havePartners(t, "bash")) return;
  assert.deepEqual(inBash("reca", ""), [], "an unknown command has nothing");
  assert.deepEqual(inBash("rec"), ["recheck"]);
  assert.deepEqual(inBash("net", "jo"), ["join"]);
  assert.deepEqual(inBash("ls", "--ro"), ["--role"]);
  assert.deepEqual(inBash("info", "ab"), ["abcd0000"]);
  assert.deepEqual(inBash("share", "a f"), ["a file.txt"]);
  const registered = run("bash", ["--norc", "-c", `source ${folder}/bash; complete -p backroom`]);
  assert.deepEqual(registered, ["complete -F _backroom backroom"]);
});

test("zsh gives descriptions with colons in them, and evaluates nothing that it is given", (t) => {
  if (!havePartners(t, "zsh")) return;
  const inZsh = (...words: string[]): string[] => {
    const script = [
      "compdef() { :; }",
      "_describe() { print -rl -- ${(P)2}; }",
      "_files() { print -r -- files $*; }",
      `source ${folder}/zsh`,
      `words=(${["backroom", ...words].map((word) => `'${word}'`).join(" ")})`,
      `CURRENT=${words.length + 1}`,
      "_backroom",
    ];
    return run("zsh", ["-f", "-c", script.join("\n")]);
  };
  const [recheck] = inZsh("rec");
  assert.match(recheck ?? "", /^recheck:verify/);
  assert.deepEqual(inZsh("info", "ab"), [`abcd0000:$(touch ${folder}/evaluated) : a\`name\``]);
  assert.deepEqual(inZsh("get", "-o", ""), ["files -/"]);
});

test("fish completes commands with descriptions, ids and files", (t) => {
  if (!havePartners(t, "fish")) return;
  const inFish = (line: string): string[] =>
    run("fish", ["--no-config", "-c", `source ${folder}/fish; complete -C '${line}'`]);
  assert.match(inFish("backroom rec").join("\n"), /^recheck\tverify/);
  assert.deepEqual(inFish("backroom net jo"), [
    "join\tjoin the network that an invite names, and use it from now on",
  ]);
  assert.match(inFish("backroom info ab").join("\n"), /^abcd0000\t/);
  assert.match(inFish("backroom share a").join("\n"), /a file\.txt/);
});
