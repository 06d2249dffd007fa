import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test, type TestContext } from "node:test";
import type { CommandProcess } from "../../src/demo/children.ts";
import { loadedInto, TestNetwork } from "../support/network.ts";
import {
  assertArrived,
  busiestNeighbour,
  completed,
  downloaded,
  latestDone,
  makeFile,
  MIB,
  outFolder,
  share,
  startGet,
  type Share,
} from "../support/transfer.ts";

const FILE_BYTES = 40 * MIB;
/** A download takes some three seconds, also on a machine that could do it in half a second: each part does something in the middle of one. */
const SLOW = path.join(import.meta.dirname, "../support/slow-packs.ts");
const BYTES_PER_SECOND = 12 * MIB;
/** Each part takes seconds; a busy machine and a relay that has to be given up make them minutes at worst. */
const PART = { timeout: 150_000 };

let network: TestNetwork;
let source: string;
let shared: Share;

before(async () => {
  const settings = { BACKROOM_PACK_RATE: String(BYTES_PER_SECOND) };
  network = await TestNetwork.start(
    8,
    loadedInto((name) => name === "sharer", SLOW, settings),
  );
  source = network.path("film.mp4");
  await makeFile(source, FILE_BYTES);
  shared = await share(network, "sharer", source);
});

after(async () => {
  await network.close();
});

/** Lets a download run until a moment nobody chose, and tells which it was. */
async function untilSomeMoment(t: TestContext, downloader: CommandProcess): Promise<void> {
  const percent = randomInt(3, 50);
  const ms = randomInt(200);
  t.diagnostic(`${downloader.name}: stopped ${ms} ms after ${percent} %`);
  await downloaded(downloader, (shared.packLength * percent) / 100);
  await sleep(ms);
}

/** Downloads what is missing, and holds it against what a stopped run had told. */
async function goesOn(name: string, doneBytes: number): Promise<void> {
  const result = await completed(await startGet(network, name, shared.link));
  await assertArrived(source, outFolder(network, name));
  const fetched = Number(result["fetchedBytes"]);
  const missing = shared.packLength - doneBytes;
  assert.ok(fetched <= missing * 1.05 + 2 * MIB, `fetched ${fetched} bytes where ${missing} were missing`);
  assert.deepEqual(
    await readdir(outFolder(network, name)),
    [path.basename(source)],
    "something was left behind",
  );
  assert.deepEqual(
    await readdir(path.join(network.dataFolder(name), "packs")),
    [],
    "something was left in the data folder",
  );
}

/** Would catch: marks written before their pieces, a lock or staging folder of a dead process in the way, pieces fetched again. */
test("a downloader that is killed goes on where it was", PART, async (t) => {
  const first = await startGet(network, "killed", shared.link);
  await untilSomeMoment(t, first);
  first.kill("SIGKILL");
  await first.ended();
  await goesOn("killed", latestDone(first));
});

/** Would catch: an interrupt that loses what was fetched, hangs, or leaves half-opened files beside the target. */
test("a downloader that is interrupted says how to go on, and does", PART, async (t) => {
  const first = await startGet(network, "interrupted", shared.link);
  await untilSomeMoment(t, first);
  first.kill("SIGINT");
  assert.equal(await first.ended(), 130);
  const error = first.latest("error");
  assert.equal(error?.["code"], "E_INTERRUPTED");
  assert.match(String(error["try"]), /same command again/);
  const beside = await readdir(outFolder(network, "interrupted")).catch(() => []);
  assert.deepEqual(beside, [], "something was left beside the target");
  await goesOn("interrupted", latestDone(first));
});

/** Would catch: patience that ends too early, leases of the dead sharer tried for ever, a lock that a dead sharer keeps. */
test("a download waits for a sharer that is killed and started again", PART, async (t) => {
  const downloader = await startGet(network, "patient", shared.link);
  await downloaded(downloader, shared.packLength * 0.2);
  shared.process.kill("SIGKILL");
  await shared.process.ended();
  await sleep(1000);
  const again = await share(network, "sharer", shared.link);
  const startedMs = performance.now();
  assert.equal(again.link, shared.link);
  shared = again;
  const atStart = latestDone(downloader);
  await downloaded(downloader, Math.min(atStart + 4 * MIB, shared.packLength));
  t.diagnostic(
    `4 MiB more were there ${((performance.now() - startedMs) / 1000).toFixed(1)} s after the sharer was`,
  );
  await completed(downloader);
  await assertArrived(source, outFolder(network, "patient"));
});

/** Would catch: guards that are kept though they are gone, a dead connection that is waited for. */
for (const [how, name, signal] of [
  // Its kernel goes on to take what is sent to it, so nothing tells that it is gone but its silence.
  ["falls silent", "unanswered", "SIGSTOP"],
  ["dies", "guarded", "SIGKILL"],
] as const)
  test(`a download goes on when the downloader's guard ${how}`, PART, async (t) => {
    if (process.platform !== "linux") return t.skip("reads /proc");
    const downloader = await startGet(network, name, shared.link);
    await downloaded(downloader, shared.packLength * 0.2);
    const victim = await busiestNeighbour(network, downloader);
    assert.ok(victim !== undefined, "the downloader had no guard");
    const atDeath = latestDone(downloader);
    assert.ok(atDeath < shared.packLength, "the download had ended before");
    const diedMs = performance.now();
    victim.kill(signal);
    // What was under way behind the guard is at most the line's and the process's own buffers.
    const most = shared.packLength;
    await downloaded(downloader, Math.min(atDeath + 4 * MIB, most));
    t.diagnostic(
      `4 MiB more were there ${((performance.now() - diedMs) / 1000).toFixed(1)} s after ${victim.name} ${how}`,
    );
    await downloaded(downloader, Math.min(atDeath + 12 * MIB, most));
    t.diagnostic(
      `${victim.name} ${how}; 12 MiB more were there after ${((performance.now() - diedMs) / 1000).toFixed(1)} s`,
    );
    await completed(downloader);
    await assertArrived(source, outFolder(network, name));
    victim.kill("SIGCONT");
  });
