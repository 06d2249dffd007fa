import assert from "node:assert/strict";
import { test } from "node:test";
import stringWidth from "string-width";
import { SCOPES, TRANSFER_STATES } from "@backroom/api/words.ts";
import { Scope } from "@backroom/api/schemas/daemon.ts";
import { TransferState } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LOCKED_LINK } from "../../../core/test/link/examples.ts";
import { FakeDaemon, transferOf } from "../support/fake-daemon.ts";
import { runInProcess } from "../support/in-process.ts";

const ATTACK = "\u001b[2J\u202egpj.exe\nrm -rf\u009b1A";

test("share shows a link once it is sealed, alone on standard output, and says how to stop", async () => {
  const daemon = new FakeDaemon();
  daemon.instead.links = ({ id }) => {
    // Gates take it a little later, as they do.
    setImmediate(() => daemon.change(id, { gateCount: 2 }));
    return { link: "backroom:abc", lockedLink: "backroom:def", kind: "read" };
  };
  const running = runInProcess(["share", "film.mp4"], { daemon });
  const { id } = await added(daemon);
  daemon.change(id, { doneBytes: 1_000_000 });
  daemon.change(id, { state: "looking", kind: "read", waits: null });
  const run = await running;
  assert.deepEqual([run.status, run.stdout], [0, "backroom:abc\n"]);
  assert.match(run.stderr, new RegExp(`backroom pause ${id.slice(0, 8)}`));
  assert.deepEqual(askedFor(daemon, "addShare")["paths"], [`${process.cwd()}/film.mp4`]);
});

test("a share that fails ends with the daemon's error and its exit status", async () => {
  const daemon = new FakeDaemon();
  const running = runInProcess(["share", "film.mp4"], { daemon });
  const { id } = await added(daemon);
  const failure = { code: "E_DISK_FULL", what: "no room for the pack", why: "why", fix: "fix" };
  daemon.change(id, { state: "failed", failure });
  const run = await running;
  assert.deepEqual([run.status, run.stdout], [5, ""]);
  assert.ok(run.stderr.endsWith("error[E_DISK_FULL]: no room for the pack\n  why: why\n  try: fix\n"));
});

test("get tells of warnings, ends when the files are there, and prints where", async () => {
  const daemon = new FakeDaemon();
  const running = runInProcess(["get", "backroom:x", "-o", "/tmp/out", "--wait"], { daemon });
  const { id } = await added(daemon);
  daemon.tell({ name: "notice", data: { level: "warn", text: "a clock is wrong", transfer: id } });
  daemon.tell({ name: "notice", data: { level: "warn", text: "of another one", transfer: "f".repeat(16) } });
  daemon.change(id, { state: "downloading", doneBytes: 5 });
  daemon.change(id, { state: "opening", doneBytes: 1 });
  daemon.change(id, { state: "done", paths: ["/tmp/out/Holiday"], finishedMs: 1 });
  // More than is needed: what still waits with an event in its hand would keep the process from ending.
  for (let more = 0; more < 3; more++) daemon.tell({ name: "reset", data: {} });
  const run = await running;
  assert.equal(daemon.listenerCount, 0);
  assert.deepEqual([run.status, run.stdout], [0, "/tmp/out/Holiday\n"]);
  assert.match(run.stderr, /warning: a clock is wrong/);
  assert.doesNotMatch(run.stderr, /another one/);
  const { output, wait } = askedFor(daemon, "addGet");
  assert.deepEqual([output, wait], ["/tmp/out", true]);
});

test("Ctrl-C leaves a transfer to the daemon and says so; --stop-on-exit pauses it", async () => {
  for (const [flags, state, said] of [
    [[], "looking", /goes on/],
    [["--stop-on-exit"], "paused", /is paused/],
  ] as const) {
    const daemon = new FakeDaemon();
    const interrupt = new AbortController();
    const running = runInProcess(["get", "backroom:x", ...flags], { daemon, signal: interrupt.signal });
    await added(daemon);
    interrupt.abort();
    const run = await running;
    assert.equal(run.status, 130);
    assert.match(run.stderr, said);
    assert.equal(daemon.transfers[0]?.state, state);
  }
});

test("a consent that nobody is there to give is an error, one that was given goes to the daemon", async () => {
  const daemon = new FakeDaemon();
  daemon.instead.addGet = ({ accept }) => {
    if (!accept.includes("few-sources")) throw new BackroomError("E_FEW_SOURCES", "one source");
    return daemon.add({ role: "get", state: "done" });
  };
  assert.equal((await runInProcess(["get", "backroom:x"], { daemon })).status, 4);
  assert.equal((await runInProcess(["get", "backroom:x", "--accept-few-sources"], { daemon })).status, 0);
});

test("a locked link wants a password or key, which do not stand on the command line", async () => {
  const daemon = new FakeDaemon();
  const facts = await daemon.call("inspectLink", { link: "x" });
  daemon.instead.inspectLink = () => ({ ...facts, kind: "locked" });
  const run = await runInProcess(["get", "backroom:x"], { daemon });
  assert.equal(run.status, 2);
  assert.match(run.stderr, /--password-file/);
  assert.ok(!daemon.asked.some(({ name }) => name === "addGet"));
});

test("a transfer is found by id, by what its id begins with, or by a name that one has alone", async () => {
  const daemon = new FakeDaemon();
  daemon.transfers = [
    transferOf("aaaa000000000001", { name: "Holiday" }),
    transferOf("aaaa000000000002", { name: "Holiday" }),
    transferOf("bbbb000000000003", { name: "Tax return" }),
    // A name that looks like how another's id begins.
    transferOf("cccc000000000004", { name: "bbbb" }),
  ];
  const idOf = async (text: string): Promise<unknown> => {
    const run = await runInProcess(["--json", "info", text], { daemon });
    const line = run.lines().at(-1);
    return line?.["id"] ?? line?.["code"];
  };
  assert.equal(await idOf("aaaa000000000002"), "aaaa000000000002");
  assert.equal(await idOf("aaaa00000000000"), "E_NO_TRANSFER");
  assert.equal(await idOf("cccc"), "cccc000000000004");
  assert.equal(await idOf("Tax return"), "bbbb000000000003");
  assert.equal(await idOf("tax"), "E_NO_TRANSFER");
  for (const text of ["Holiday", "bbbb", "ccc", "zzzz", "dddd000000000000", "", ATTACK]) {
    assert.equal(await idOf(text), "E_NO_TRANSFER", text);
  }
  const told = await runInProcess(["info", "cccc"], { daemon });
  assert.match(told.stdout, /^Notes: +\S+ \S+ {2}begun\n {9,}\S+ \S+ {2}a relay is slow$/m);
  const ambiguous = await runInProcess(["info", "aaaa"], { daemon });
  assert.match(ambiguous.stderr, /aaaa000000000001, aaaa000000000002/);
});

test("a change is made to all that are named or, where one is not there, to none", async () => {
  const daemon = new FakeDaemon();
  const [one, two] = [daemon.add({ name: "one" }), daemon.add({ name: "two" })];
  assert.equal((await runInProcess(["pause", one.id, "nothing"], { daemon })).status, 3);
  assert.deepEqual(new Set(daemon.transfers.map(({ state }) => state)), new Set(["seeding"]));
  const run = await runInProcess(["pause", one.id, "two", "one"], { daemon });
  assert.deepEqual([run.status, run.stdout], [0, `${one.id}\n${two.id}\n`]);
  const gone = await runInProcess(["rm", "one"], { daemon });
  assert.equal(gone.stdout, `${one.id}\n`);
  assert.deepEqual(
    daemon.transfers.map(({ name }) => name),
    ["two"],
  );
});

test("a list fits 40, 80 and 200 columns, whatever names are; a pipe gets whole names and no colours", async () => {
  const daemon = new FakeDaemon();
  daemon.add({ name: ATTACK.repeat(5), downloadRate: 12_345_678, state: "downloading", doneBytes: 5 });
  daemon.add({ name: "写真".repeat(60), state: "failed" });
  for (const columns of [40, 80, 200]) {
    for (const command of [["ls"], ["info", daemon.transfers[0]?.id ?? ""]]) {
      const run = await runInProcess(command, { daemon, columns, env: { NO_COLOR: "1" } });
      for (const line of run.stdout.split("\n")) {
        // A single word may be wider than a narrow terminal.
        if (command[0] === "ls" || line.includes(" ")) {
          assert.ok(stringWidth(line) < columns || command[0] === "info", `${columns}: ${line}`);
        }
        assert.doesNotMatch(line, /[\p{Cc}\p{Bidi_Control}]/u);
      }
    }
  }
  const colored = await runInProcess(["ls"], { daemon, columns: 80 });
  assert.ok(colored.stdout.includes("\u001b[31mfailed"));
  const piped = await runInProcess(["ls"], { daemon });
  assert.ok(piped.stdout.includes("写真".repeat(60)) && !piped.stdout.includes("\u001b"));
  assert.ok(piped.stdout.includes(daemon.transfers[0]?.id ?? "none"));
  const json = await runInProcess(["--json", "ls"], { daemon });
  assert.doesNotMatch(json.stdout.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}]/u);
  assert.equal(json.lines()[1]?.["name"], ATTACK.repeat(5));
});

test("ten thousand transfers come page by page; a terminal gets the newest, and is told of the others", async () => {
  const daemon = new FakeDaemon();
  daemon.transfers = Array.from({ length: 10_000 }, (_, index) =>
    transferOf(`t${String(index).padStart(15, "0")}`, { name: `share ${index}` }),
  );
  const all = await runInProcess(["ls", "--ids"], { daemon });
  assert.equal(all.stdout.split("\n").length, 10_001);
  assert.equal(daemon.asked.filter(({ name }) => name === "listTransfers").length, 10);
  const seen = await runInProcess(["ls"], { daemon, columns: 80 });
  assert.equal(seen.stdout.split("\n").length, 52);
  assert.match(seen.stderr, /50 of 10,000 transfers; more with --all/);
  const some = await runInProcess(["--json", "ls", "--limit", "1001"], { daemon });
  assert.deepEqual(some.lines().at(-1), { v: 1, event: "result", shownCount: 1001, total: 10_000 });
});

test("what commands say of states and scopes without loading the schemas is what the schemas say", () => {
  assert.deepEqual([...TRANSFER_STATES], TransferState.options);
  assert.deepEqual([...SCOPES], Scope.options);
});

/** Would catch: a daemon that is started, and goes on running, for a command that could never have worked. */
test("what is plainly wrong is said before a daemon is started for it", async () => {
  const file = import.meta.filename;
  for (const [code, ...args] of [
    ["E_LINK", "get", "backroom:abc"],
    ["E_LINK", "mirror", "what"],
    ["E_LINK", "get", "--mirror", "what"],
    ["E_LINK", "share", "backroom:abc"],
    ["E_FILE", "get", LOCKED_LINK, "--password-file", "/nowhere"],
    ["E_FILE", "get", LOCKED_LINK, "-o", file],
    // Nobody is there to type the password.
    ["E_USAGE", "get", LOCKED_LINK],
    ["E_INPUT", "share", "/nowhere"],
    ["E_RECIPIENT", "share", file, "--to", "age1nobody"],
    ["E_WATCH", "watch", "add", "/nowhere"],
    ["E_WATCH", "watch", "add", file],
    // Nothing is wrong with these.
    ["E_NO_DAEMON", "get", LOCKED_LINK, "--password-file", file],
    ["E_NO_DAEMON", "share", file],
    ["E_NO_DAEMON", "watch", "add", import.meta.dirname],
  ] as const) {
    const { stderr } = await runInProcess(args);
    assert.ok(stderr.includes(`error[${code}]`), `${args.join(" ")}: ${stderr}`);
  }
});

/** Would catch: what newcomers type first taken for a mistake, and a command that says nothing at all. */
test("help is --help, and a log that is not there is said to be none", async () => {
  const asked = await runInProcess(["share", "--help"]);
  assert.deepEqual(await runInProcess(["help", "share"]).then(({ stdout }) => stdout), asked.stdout);
  assert.match(asked.stdout, /^Usage: backroom share/);
  const { status, stderr } = await runInProcess(["--data", "/nowhere/x", "daemon", "logs"]);
  assert.equal(status, 0);
  assert.match(stderr, /Nothing is logged/);
});

/** The transfer that a command begins. */
async function added(daemon: FakeDaemon): Promise<{ readonly id: string }> {
  for (;;) {
    const [first] = daemon.transfers;
    // Followed already, so that nothing that happens from now on is missed.
    if (first !== undefined && daemon.asked.some(({ name }) => name === "getTransfer")) return first;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function askedFor(daemon: FakeDaemon, wanted: string): Record<string, unknown> {
  const found = daemon.asked.find(({ name }) => name === wanted);
  assert.ok(found !== undefined, `${wanted} was not asked for`);
  return found.input as Record<string, unknown>;
}
