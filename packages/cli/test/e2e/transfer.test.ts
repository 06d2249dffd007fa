import assert from "node:assert/strict";
import { cp, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import type { CommandProcess } from "../../src/demo/children.ts";
import { TestNetwork } from "../support/network.ts";
import {
  assertArrived,
  completed,
  makeFile,
  MIB,
  mirror,
  outFolder,
  share,
  startGet,
} from "../support/transfer.ts";

const RELAYS = 8;
/** Half of it does on two busy cores. */
const LIMIT = { timeout: 480_000 };
/** Thousands of small files, deep folders, links that are left out: what people have on their disks. */
const TREE = path.join(import.meta.dirname, "../../../../node_modules");
/** Two thirds of its files and bytes, and nothing that the others have not. */
const MORE_OF_THE_SAME = /^node$|^react-/;
const MIRRORS = ["mirror 1", "mirror 2", "mirror 3"];

/** Fetches what was shared and compares it; tells how long it took. */
async function fetchAndCompare(
  t: TestContext,
  network: TestNetwork,
  name: string,
  shared: { readonly link: string; readonly packLength: number; readonly source: string },
): Promise<void> {
  const startedMs = performance.now();
  const result = await completed(await startGet(network, name, shared.link));
  const seconds = (performance.now() - startedMs) / 1000;
  const mib = shared.packLength / MIB;
  t.diagnostic(
    `${name}: ${mib.toFixed(0)} MiB in ${seconds.toFixed(1)} s, ${(mib / seconds).toFixed(1)} MiB/s`,
  );
  await assertArrived(shared.source, outFolder(network, name));
  await rm(outFolder(network, name), { recursive: true });
  const fetched = Number(result["fetchedBytes"]);
  assert.ok(fetched >= shared.packLength, "less was fetched than there is");
  assert.ok(fetched < shared.packLength * 1.1, `${fetched} bytes fetched for a pack of ${shared.packLength}`);
}

/** What a process that hands out has sent, by its last word; it tells every second. */
function uploaded(seeder: CommandProcess): number {
  return Number(seeder.latest("seeding")?.["uploadedBytes"]);
}

/** Would catch: files or folders lost, bytes reordered on the way, a pack that opens only where it was made. */
test("a tree arrives identical", LIMIT, async (t) => {
  const network = await TestNetwork.start(RELAYS);
  try {
    const source = network.path("tree");
    const isOther = (file: string): boolean =>
      path.dirname(file) !== TREE || !MORE_OF_THE_SAME.test(path.basename(file));
    await cp(TREE, source, { recursive: true, verbatimSymlinks: true, filter: isOther });
    const shared = { ...(await share(network, "sharer", source)), source };
    await fetchAndCompare(t, network, "from one", shared);
  } finally {
    await network.close();
  }
});

/**
 * Would catch: a deadlock of windows and credits after thousands of frames, whole-pack buffering anywhere, and a downloader that takes
 * everything from one seeder while three others stand by.
 */
test(
  "a large file arrives identical from one seeder and from four, of which several really sent it",
  LIMIT,
  async (t) => {
    const network = await TestNetwork.start(RELAYS);
    try {
      const source = network.path("film.mp4");
      await makeFile(source, 384 * MIB);
      const shared = { ...(await share(network, "sharer", source)), source };
      await fetchAndCompare(t, network, "from one", shared);
      // They tell every second.
      await sleep(1500);
      const sentAlone = uploaded(shared.process);
      const seeders = [shared.process];
      for (const name of MIRRORS) seeders.push((await mirror(network, "sharer", name, shared.link)).process);
      await fetchAndCompare(t, network, "from four", shared);
      await sleep(1500);
      const sent = seeders.map((seeder) => uploaded(seeder) - (seeder === shared.process ? sentAlone : 0));
      t.diagnostic(`sent in MiB: ${sent.map((bytes) => Math.round(bytes / MIB)).join(", ")}`);
      const busy = sent.filter((bytes) => bytes > shared.packLength / 20);
      assert.ok(busy.length > 1, "one seeder sent everything");
      assert.ok(sent.reduce((sum, bytes) => sum + bytes) >= shared.packLength, "less was sent than arrived");
    } finally {
      await network.close();
    }
  },
);
