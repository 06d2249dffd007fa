import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { backroom, listing, TestFolder } from "../support/program.ts";

let folder: TestFolder;
before(async () => (folder = await TestFolder.make()));
after(() => folder.remove());

test("help goes to standard output, names every command, and every command has help of its own", async () => {
  const commands = ["share", "get", "relay", "net", "invite", "seal", "open", "demo"];
  const bare = await backroom([]);
  const help = await backroom(["--help"]);
  assert.deepEqual([bare.status, help.status, help.stderr], [0, 0, ""]);
  assert.equal(bare.stdout, help.stdout);
  for (const command of commands) assert.match(help.stdout, new RegExp(`^  ${command}[| ]`, "m"));
  const helps = await Promise.all(commands.map((command) => backroom([command, "--help"])));
  for (const [index, { status, stdout, stderr }] of helps.entries()) {
    assert.deepEqual([status, stderr], [0, ""], commands[index]);
    assert.match(stdout, new RegExp(`^Usage: backroom ${commands[index]}[| ]`));
  }
});

test("the version is that of the package", async () => {
  const manifest = JSON.parse(
    await readFile(new URL("../../package.json", import.meta.url), "utf8"),
  ) as Record<string, unknown>;
  const { stdout, status } = await backroom(["--version"]);
  assert.deepEqual([stdout, status], [`${String(manifest["version"])}\n`, 0]);
});

const WRONG: readonly (readonly string[])[] = [
  ["fetch"],
  ["get"],
  ["get", "a", "b"],
  ["share"],
  ["share", "--password", "--to", "age1x", "x"],
  ["seal", "x"],
  ["seal", "x", "-o", "y", "--password-file", "p", "--to", "age1x"],
  ["seal", "x", "-o", "y", "--identity", "k", "--password-file", "p"],
  ["relay", "--port", "99999"],
  ["relay", "--port", "http"],
  ["network", "create", "--relays", "2"],
  ["network", "destroy"],
  ["demo", "--fast"],
  ["get", "--data"],
  ["--data", "", "config", "list"],
  ["--log-level", "loud", "network", "list"],
];

test("a wrong command line ends with 2 and E_USAGE, says why, and touches nothing", async () => {
  const data = folder.join("never-made");
  await Promise.all(
    WRONG.map(async (args) => {
      const run = await backroom(["--data", data, ...args]);
      const shown = args.join(" ");
      assert.deepEqual([run.status, run.code, run.stdout], [2, "E_USAGE", ""], `${shown}\n${run.stderr}`);
      assert.match(run.stderr, /^error\[E_USAGE\]: .+\n {2}why: .+\n {2}try: .+\n$/, shown);
    }),
  );
  assert.deepEqual(await listing(folder.path), []);
});

test("a word that is mistyped is answered with the one that was meant", async () => {
  for (const [args, meant] of [
    [["shrae", "x"], "share"],
    [["net", "jion", "x"], "net join"],
    [["relay", "atuo"], "relay auto"],
    [["schedule", "lsit"], "schedule list"],
    [["ls", "--stat", "done"], "--state"],
  ] as const) {
    const { status, stderr } = await backroom(args);
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`[Dd]id you mean ${meant}\\?`));
  }
});

test("BACKROOM_FOREGROUND counts where it says yes, and not where it is empty or says no", async () => {
  // The foreground does not wait for days, and says so before the link is read.
  const codes = await Promise.all(
    ["1", "yes", "", "0", "false"].map(async (said) => {
      const env = { BACKROOM_FOREGROUND: said };
      return (await backroom(["--data", "/nowhere/x", "get", "--wait", "backroom:x"], { env })).code;
    }),
  );
  assert.deepEqual(codes, ["E_USAGE", "E_USAGE", "E_LINK", "E_LINK", "E_LINK"]);
});

test("with --json, also behind the command, a wrong command line is one line of JSON", async () => {
  for (const args of [
    ["--json", "fetch"],
    ["get", "--json"],
    ["relay", "--port", "x", "--json"],
  ]) {
    const run = await backroom(args);
    assert.equal(run.stderr, "");
    const [line, ...rest] = run.lines();
    assert.deepEqual([line?.["event"], line?.["code"], line?.["exit"], rest], ["error", "E_USAGE", 2, []]);
  }
});

test("a password that nobody is there to type is asked for by name, and the options are told", async () => {
  const run = await backroom(["seal", "--password", "-o", folder.join("p"), folder.path]);
  assert.deepEqual([run.status, run.code], [2, "E_USAGE"]);
  assert.match(run.stderr, /--password-file/);
});

test("a reader that goes away does not bring the program down", async () => {
  const run = await backroom([], { prefix: ["sh", "-c", '"$@" | head -c 1; exit ${PIPESTATUS:-0}', "sh"] });
  assert.deepEqual([run.stdout, run.stderr], ["U", ""]);
});
