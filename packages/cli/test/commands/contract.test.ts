import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Command } from "commander";
import { addAllCommands, createProgram } from "../../src/command-line.ts";
import { COMMANDS } from "../../src/commands/table.ts";
import { RESULTS, type CommandPath } from "../../src/contract.ts";
import { leaves } from "../../src/reference/command-tree.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";
import { runInProcess, type InProcessRun } from "../support/in-process.ts";
import { assertContract } from "../support/json-contract.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "backroom-contract-"));
  await writeFile(path.join(folder, "film.mp4"), "x".repeat(1000));
});
after(() => rm(folder, { recursive: true, force: true }));

async function tree(): Promise<Command> {
  const program = createProgram(process.stdout);
  await addAllCommands(program, () => {});
  return program;
}

/** A daemon with one share in it, which finishes what it is told to begin. */
function daemonWith(): { daemon: FakeDaemon; id: string } {
  const daemon = new FakeDaemon();
  daemon.instead.addShare = () => daemon.add({});
  daemon.instead.addGet = ({ mirror }) =>
    daemon.add({ role: mirror ? "mirror" : "get", state: "done", paths: ["/tmp/Holiday"] });
  return { daemon, id: daemon.add({}).id };
}

/** One run of each command against the fake daemon that ends well. What needs a network or a process of its own is looked at elsewhere, as said. */
const RUNS: Readonly<Record<CommandPath, ((id: string) => string[]) | string>> = {
  share: () => ["share", path.join(folder, "film.mp4")],
  get: () => ["get", "backroom:x", "-o", folder],
  mirror: () => ["mirror", "backroom:x"],
  ls: () => ["ls"],
  info: (id) => ["info", id],
  files: (id) => ["files", id],
  link: (id) => ["link", id],
  page: () => ["page", "--print"],
  open: (id) => ["open", id],
  pause: (id) => ["pause", id],
  resume: (id) => ["resume", id],
  recheck: (id) => ["recheck", id],
  relocate: (id) => ["relocate", id, folder],
  rm: (id) => ["rm", id],
  "watch add": () => ["watch", "add", folder],
  "watch list": () => ["watch", "list"],
  "watch rm": () => ["watch", "rm", folder],
  limit: () => ["limit", "down", "2M"],
  "schedule list": () => ["schedule"],
  "schedule add": () => ["schedule", "add", "mon-fri", "9-17", "up", "500k"],
  "schedule rm": () => ["schedule", "rm", "1"],
  "net status": () => ["net"],
  "net list": () => ["net", "list"],
  "net create": () => ["net", "create", "--no-run"],
  "net run": "commands/json.test.ts",
  "net join": "commands/json.test.ts",
  "net use": "commands/json.test.ts",
  "net lan": () => ["net", "lan"],
  "relay status": () => ["relay", "status"],
  "relay auto": () => ["relay", "auto", "--no-gate"],
  "relay on": () => ["relay", "on", "--gate"],
  "relay off": () => ["relay", "off"],
  "relay run": "commands/json.test.ts",
  invite: "commands/json.test.ts",
  proxy: () => ["proxy"],
  "daemon run": "the tests of the daemon's process",
  "daemon start": "the tests of the daemon's process",
  "daemon stop": "the tests of the daemon's process",
  "daemon status": "the tests of the daemon's process",
  "daemon logs": "the tests of the daemon's process",
  "service install": "the tests of the service",
  "service remove": "the tests of the service",
  "token add": () => ["token", "add", "phone", "--scope", "read", "links"],
  "token list": () => ["token", "list"],
  "token rm": () => ["token", "rm", "phone"],
  "config list": () => ["config"],
  "config get": () => ["config", "get", "page.port"],
  "config set": () => ["config", "set", "page.port", "8080"],
  "config unset": () => ["config", "unset", "page.port"],
  "config path": () => ["config", "path"],
  doctor: () => ["doctor"],
  seal: "commands/json.test.ts",
  completion: () => ["completion", "bash"],
  demo: "npm run demo",
};

test("every command of the tree has a shape for its result, and every shape a command", async () => {
  const words = leaves(await tree()).map(({ words: path }) => path.join(" "));
  assert.deepEqual(words.toSorted(), Object.keys(RESULTS).toSorted());
  assert.deepEqual(Object.keys(RUNS).toSorted(), Object.keys(RESULTS).toSorted());
});

test("what is loaded by a command's word is that command, and no word is taken twice", async () => {
  for (const entry of COMMANDS) {
    const program = createProgram(process.stdout);
    (await entry.load())(program, () => {});
    const made = program.commands.map((command) => [command.name(), ...command.aliases()]);
    assert.deepEqual(made, [entry.names]);
  }
  const words = COMMANDS.flatMap(({ names }) => names);
  assert.equal(new Set(words).size, words.length);
});

for (const [command, args] of Object.entries(RUNS)) {
  if (typeof args === "string") continue;
  test(`${command} --json writes what the contract says, to standard output alone`, async () => {
    const { daemon, id } = daemonWith();
    daemon.instead.relay = () => relayStatus;
    daemon.instead.setRelay = () => relayStatus;
    daemon.instead.network = () => networkStatus;
    daemon.instead.listSettings = () => ({ file: "/home/a/config.toml", settings: [pagePort], problems: [] });
    daemon.instead.setSetting = () => pagePort;
    daemon.instead.doctor = () => ({ status: "ok", rows: [] });
    daemon.instead.listNetworks = () => ({ networks: [] });
    await prepare(command, daemon);
    const run = await runInProcess(["--json", "--data", path.join(folder, "data"), ...args(id)], { daemon });
    assertGood(run, command as CommandPath);
  });
}

/** What some commands need to be there before. */
async function prepare(command: string, daemon: FakeDaemon): Promise<void> {
  if (command === "watch rm") await daemon.call("addWatch", { folder });
  if (command === "token rm") await daemon.call("addToken", { name: "phone", scopes: ["read"] });
  if (command === "schedule rm") {
    const limits = { downloadRate: null, uploadRate: null, relayRate: null };
    const rule = { days: [0], fromHour: 1, toHour: 2, limits };
    await daemon.call("setLimits", { schedule: [rule] });
  }
}

function assertGood(run: InProcessRun, command: CommandPath): void {
  assert.deepEqual([run.status, run.stderr], [0, ""], run.stdout);
  const lines = run.lines();
  assertContract(lines, command);
  assert.equal(lines.filter(({ event }) => event === "result").length, 1);
}

test("without a daemon a command that needs one is one line of error, with the code's exit status", async () => {
  for (const args of [["ls"], ["info", "abcd"], ["pause", "abcd"], ["limit"], ["token", "list"]]) {
    const run = await runInProcess(["--json", ...args]);
    const [line, ...rest] = run.lines();
    assert.deepEqual([line?.["code"], run.status, run.stderr, rest], ["E_NO_DAEMON", 4, "", []]);
    assertContract(run.lines(), args[0] as CommandPath);
  }
});

const pagePort = {
  key: "page.port",
  value: 8080,
  origin: "file" as const,
  default: 7420,
  expects: "a whole number from 0 to 65535",
  environment: "BACKROOM_PAGE_PORT",
  description: "the port of the page",
  takesHold: "restart" as const,
};

const relayStatus = {
  mode: "auto" as const,
  gate: false,
  state: "running" as const,
  reachable: true,
  hostCount: 0,
  circuitCount: 3,
  guestCount: 0,
  carriedBytes: 1,
  port: 1,
  sinceMs: 1,
  failure: null,
};

const networkStatus = {
  network: null,
  state: "none" as const,
  guardCount: 0,
  privacy: null,
  circuitCount: 0,
  circuits: [],
  clockSkewMs: null,
};
