import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { DaemonMember, gone } from "../support/daemon-member.ts";
import { BACKROOM, TestNetwork } from "../support/network.ts";
import { backroom } from "../support/program.ts";
import { assertArrived, makeFile, MIB, outFolder } from "../support/transfer.ts";

/** Loaded into a daemon, it keeps it from taking away the file that says that it runs. */
const STUCK = path.join(import.meta.dirname, "../support/stuck-removal.ts");
const FILE_BYTES = 32 * MIB;
/** So slow that there is a middle in which to be killed. */
const SLOW = 3 * MIB;
/** Eight relays and two daemons on a busy computer. */
const WHOLE = { timeout: 240_000 };

let network: TestNetwork;
let sharer: DaemonMember;
let downloader: DaemonMember;
let source: string;

before(async () => {
  network = await TestNetwork.start(8);
  source = network.path("film.mp4");
  await makeFile(source, FILE_BYTES);
  for (const name of ["sharer", "downloader"]) await network.join(name);
  sharer = new DaemonMember(network.dataFolder("sharer"));
  downloader = new DaemonMember(network.dataFolder("downloader"));
});

after(async () => {
  await Promise.all([sharer.end(), downloader.end()]);
  await network.close();
});

/**
 * Would catch: a share that is not handed out again by itself after a kill, a download that begins anew or is forgotten, what is left by a dead daemon (lock, socket)
 * in the way of the next, bytes that differ in the end, a shutdown that parts hold up.
 */
test("share and get outlive stops and kills of both daemons, at moments nobody chose", WHOLE, async (t) => {
  let sharing = await sharer.start();
  const sharerClient = await sharer.client();
  await sharerClient.call("addShare", { paths: [source] });
  const shared = await sharer.transfer(({ state, gateCount }) => state === "seeding" && gateCount > 0);
  const { link } = await sharerClient.call("links", { id: shared.id });

  let fetching = await downloader.start();
  const client = await downloader.client();
  await client.call("setLimits", { always: { downloadRate: SLOW } });
  await client.call("addGet", { link, output: outFolder(network, "downloader"), wait: true });
  const packLength = shared.packLength ?? 0;
  const isThere = async (percent: number): Promise<number> => {
    const { doneBytes } = await downloader.transfer((one) => one.doneBytes >= (packLength * percent) / 100);
    return (doneBytes / packLength) * 100;
  };

  t.diagnostic(`stopped at ${(await isThere(8)).toFixed(0)} %`);
  const stopped = await downloader.run("daemon", "stop");
  assert.equal(stopped.status, 0, stopped.stdout);
  await gone(fetching);
  const log = await readFile(path.join(downloader.dataFolder, "daemon.log"), "utf8");
  assert.match(log, /"the daemon stops"/);
  assert.doesNotMatch(log, /did not end in time/);
  fetching = await downloader.start();
  await isThere(10);

  for (const percent of [randomInt(15, 30), randomInt(35, 55)]) {
    await isThere(percent);
    await sleep(randomInt(200));
    await Promise.all([sharer.kill(sharing), downloader.kill(fetching)]);
    t.diagnostic(`both killed after ${percent} %`);
    [sharing, fetching] = await Promise.all([sharer.start(), downloader.start()]);
    // Until it has looked at its pieces it says what was noted last, which a kill may find seconds old.
    const kept = await downloader.transfer(({ state }) => state === "downloading");
    assert.ok(kept.doneBytes > (packLength * percent) / 200, `only ${kept.doneBytes} bytes are left`);
  }
  await (await downloader.client()).call("setLimits", { always: { downloadRate: null } });
  const done = await downloader.transfer(({ state }) => state === "done");
  assert.equal(done.paths.length, 1);
  await assertArrived(source, outFolder(network, "downloader"));
});

/** Would catch: two daemons for one folder, or a start that fails since another was quicker. */
test("commands that start the daemon at once end up with one", WHOLE, async () => {
  const member = new DaemonMember(network.dataFolder("hurried"));
  try {
    const pids = await Promise.all([member.start(), member.start(), member.start()]);
    assert.equal(new Set(pids).size, 1, String(pids));
    const again = await member.run("daemon", "run");
    assert.deepEqual([again.status, again.code], [5, "E_LOCKED"]);
    const status = await member.run("daemon", "status");
    assert.equal(status.lines().at(-1)?.["pid"], pids[0]);
    // A command must not use a daemon that goes another way than the command is told to go.
    const past = await member.run("--proxy", "socks5://127.0.0.1:9", "ls");
    assert.equal(past.code, "E_PROXY");
    assert.equal((await member.run("daemon", "stop")).status, 0);
    assert.deepEqual((await member.run("daemon", "status")).code, "E_NO_DAEMON");
  } finally {
    await member.end();
  }
});

/** Would catch: a reason that is lost between two processes. */
test("a daemon that does not start says why to whoever started it", WHOLE, async () => {
  const member = new DaemonMember(network.dataFolder("misled"));
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  try {
    const env = { ...member.env, BACKROOM_PAGE_ENABLED: "true", BACKROOM_PAGE_PORT: String(port) };
    const run = await backroom(["--json", "--data", member.dataFolder, "daemon", "start"], { env });
    assert.deepEqual([run.status, run.code], [4, "E_PORT_IN_USE"], run.stdout);
    assert.match(String(run.lines().at(-1)?.["try"]), /page\.port/);
  } finally {
    other.close();
  }
});

/**
 * Would catch: a daemon that cannot be ended by whoever insists. What it does last never ends here; the first signal alone would take it away after
 * five seconds.
 */
test("a second signal ends it at once", WHOLE, async () => {
  const member = new DaemonMember(network.dataFolder("stuck"));
  const [program = "", ...args] = BACKROOM;
  const daemon = spawn(
    program,
    [`--import=${STUCK}`, ...args, "--json", "--data", member.dataFolder, "daemon", "run"],
    { env: { ...process.env, ...member.env }, stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = once(daemon, "exit") as Promise<[number | null, string | null]>;
  try {
    await once(createInterface({ input: daemon.stdout }), "line");
    daemon.kill("SIGTERM");
    const log = path.join(member.dataFolder, "daemon.log");
    while (!(await readFile(log, "utf8")).includes("the daemon stops")) await sleep(20);
    daemon.kill("SIGTERM");
    assert.deepEqual(await ended, [null, "SIGKILL"]);
  } finally {
    daemon.kill("SIGKILL");
  }
});
