import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { FakeDaemon } from "../support/fake-daemon.ts";
import { runInProcess } from "../support/in-process.ts";

const NOTHING = { path: "", priority: "skip" };

function asked(daemon: FakeDaemon, name: string): unknown[] {
  return daemon.asked.flatMap((one) =>
    one.name === name ? [(one.input as { readonly choices?: unknown }).choices] : [],
  );
}

async function begun(daemon: FakeDaemon): Promise<string> {
  while (daemon.transfers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return daemon.transfers[0]?.id ?? "";
}

test("get --only: paths go along at once; it ends when they are there, and counts those alone", async () => {
  const daemon = new FakeDaemon();
  const args = ["get", "backroom:x", "--only", "Holiday/a.jpg", "--only", "Raw"];
  const running = runInProcess(args, { daemon });
  const id = await begun(daemon);
  daemon.change(id, {
    state: "done",
    fileCount: 3,
    skippedCount: 1,
    chosenSize: 2000,
    paths: ["/tmp/Holiday"],
    finishedMs: 1,
  });
  const run = await running;
  assert.deepEqual([run.status, run.stdout], [0, "/tmp/Holiday\n"]);
  assert.match(run.stderr, /2 files, 1.95 KiB/);
  const chosen = ["Holiday/a.jpg", "Raw"].map((path) => ({ path, priority: "normal" }));
  assert.deepEqual(asked(daemon, "addGet"), [[NOTHING, ...chosen]]);
  assert.deepEqual(asked(daemon, "chooseFiles"), []);
});

test("get --only: patterns wait for the list of files, and become what they fit", async () => {
  const daemon = new FakeDaemon();
  const running = runInProcess(["get", "backroom:x", "--only", "*.jpg"], { daemon });
  const id = await begun(daemon);
  daemon.instead.chooseFiles = () =>
    daemon.change(id, { state: "done", paths: ["/tmp/Holiday"], finishedMs: 1 });
  daemon.change(id, { state: "choosing" });
  const run = await running;
  assert.deepEqual([run.status, run.stdout], [0, "/tmp/Holiday\n"]);
  assert.doesNotMatch(run.stderr, /none is chosen/);
  assert.deepEqual(asked(daemon, "addGet"), [[NOTHING]]);
  const chosen = ["a.jpg", "b.jpg"].map((name) => ({ path: `Holiday/${name}`, priority: "normal" }));
  assert.deepEqual(asked(daemon, "chooseFiles"), [chosen]);
});

/** Would catch: a second get that drops what the first one asked for, waits for that to end, or asks for what the share does not hold. */
test("get --only: of what arrives already names are looked up at once, and come beside what was chosen", async () => {
  const daemon = new FakeDaemon();
  const { id } = daemon.add({ role: "get", state: "downloading", fileCount: 3, skippedCount: 2 });
  daemon.instead.addGet = () => daemon.change(id, {});
  const choices = (): unknown => asked(daemon, "chooseFiles").at(-1);
  for (const [name, wanted] of [
    ["Holiday/c.mp4", ["Holiday/c.mp4"]],
    ["*.jpg", ["Holiday/a.jpg", "Holiday/b.jpg"]],
  ] as const) {
    daemon.change(id, { state: "downloading", finishedMs: null });
    daemon.instead.chooseFiles = () => daemon.change(id, { state: "done", finishedMs: 1 });
    const run = await runInProcess(["get", "backroom:x", "--only", name], { daemon });
    assert.equal(run.status, 0);
    assert.deepEqual(
      choices(),
      wanted.map((path) => ({ path, priority: "normal" })),
    );
  }
  daemon.change(id, { state: "downloading", finishedMs: null });
  daemon.instead.chooseFiles = () => {
    throw new BackroomError("E_NO_FILE", "the share holds neither a file nor a folder “Holiday/none”");
  };
  const refused = await runInProcess(["get", "backroom:x", "--only", "Holiday/none"], { daemon });
  assert.match(refused.stderr, /E_NO_FILE/);
});

/** Would catch: a command that waits without a word for somebody to choose, since nothing that was chosen is in the share. */
test("get --only: what it waits for is said also once it has chosen", { timeout: 20_000 }, async () => {
  const daemon = new FakeDaemon();
  const stop = new AbortController();
  const running = runInProcess(["get", "backroom:x", "--only", "*.jpg"], {
    daemon,
    signal: stop.signal,
    columns: 100,
  });
  const id = await begun(daemon);
  const looks = (): number => daemon.asked.filter(({ name }) => name === "getTransfer").length;
  let before = Infinity;
  daemon.instead.chooseFiles = () => {
    before = looks();
    return daemon.change(id, { state: "choosing" });
  };
  daemon.change(id, { state: "choosing" });
  // Told what it is, and asked once more.
  while (looks() < before + 2) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort();
  assert.match((await running).stderr, /none is chosen/);
});

test("get --only with what fits nothing is an error that says so, as is a mirror of some files", async () => {
  const daemon = new FakeDaemon();
  const running = runInProcess(["get", "backroom:x", "--only", "*.png"], { daemon });
  daemon.change(await begun(daemon), { state: "choosing" });
  const run = await running;
  assert.equal(run.status, 3);
  assert.match(run.stderr, /E_NO_FILE.*\*\.png/);
  const mirror = await runInProcess(["get", "backroom:x", "--mirror", "--only", "a"], { daemon });
  assert.match(mirror.stderr, /E_USAGE/);
});

test("files chooses before it lists, what is left first and what is to come after that", async () => {
  const daemon = new FakeDaemon();
  const { id } = daemon.add({ role: "get", state: "downloading" });
  daemon.instead.chooseFiles = () => daemon.change(id, {});
  const words = ["files", id, "--high", "Holiday/a.jpg", "--skip", "*.mp4", "--only", "Holiday"];
  const run = await runInProcess(words, { daemon });
  assert.equal(run.status, 0);
  assert.match(run.stdout, /PRIORITY/);
  assert.deepEqual(asked(daemon, "chooseFiles"), [
    [NOTHING, { path: "Holiday", priority: "normal" }],
    [{ path: "Holiday/c.mp4", priority: "skip" }],
    [{ path: "Holiday/a.jpg", priority: "high" }],
  ]);
});
