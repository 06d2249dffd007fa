import assert from "node:assert/strict";
import { open, readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { TestNetwork } from "../support/network.ts";
import {
  assertArrived,
  completed,
  copyPacks,
  downloaded,
  makeFile,
  MIB,
  outFolder,
  share,
  startGet,
  type Share,
} from "../support/transfer.ts";

const EVIL = [process.execPath, path.join(import.meta.dirname, "../support/evil-seeder.ts")];
const PART = { timeout: 150_000 };

let network: TestNetwork;
let source: string;
let shared: Share;

before(async () => {
  network = await TestNetwork.start(8);
  source = network.path("film.mp4");
  await makeFile(source, 24 * MIB);
  shared = await share(network, "sharer", source);
});

after(async () => {
  await network.close();
});

/** Flips a byte in the middle of every fourth MiB of the pack that a member holds. */
async function damage(name: string): Promise<void> {
  const folder = path.join(network.dataFolder(name), "packs");
  const pack = (await readdir(folder)).find((file) => file.endsWith(".pack"));
  assert.ok(pack !== undefined, "there is no pack to damage");
  const handle = await open(path.join(folder, pack), "r+");
  try {
    const byte = Buffer.alloc(1);
    for (let at = MIB / 2; at < shared.packLength; at += 4 * MIB) {
      await handle.read(byte, 0, 1, at);
      byte.writeUInt8(byte.readUInt8(0) ^ 255);
      await handle.write(byte, 0, 1, at);
    }
  } finally {
    await handle.close();
  }
}

/** Would catch: a store that believes its marks across runs, bytes that rotted on a disk sent on, a seeder that dies of them. */
test("a seeder whose pack rotted on its disk sends none of it, and serves the rest", PART, async () => {
  await copyPacks(network, "sharer", "rotten");
  await damage("rotten");
  shared.process.kill("SIGKILL");
  await shared.process.ended();
  // At first it is the only one, so that the downloader surely asks it for the damaged pieces, too.
  const rotten = await share(network, "rotten", shared.link);
  const downloader = await startGet(network, "first", shared.link);
  await downloaded(downloader, shared.packLength * 0.9);
  shared = await share(network, "sharer", shared.link);
  await completed(downloader);
  await assertArrived(source, outFolder(network, "first"));
  assert.ok(rotten.process.running, "the seeder with the damaged pack ended");
  rotten.process.kill("SIGKILL");
  await rotten.process.ended();
});

/** Would catch: pieces stored or opened unverified, a liar that is asked again and again, a download that gives up because of one. */
test("a seeder that sends wrong bytes is left, and the files are right", PART, async (t) => {
  await copyPacks(network, "sharer", "evil");
  shared.process.kill("SIGKILL");
  await shared.process.ended();
  // At first it is the only one, so that the downloader surely meets it.
  const evil = await network.run("evil", [shared.link], EVIL);
  await evil.line((line) => line.event === "ready");
  const downloader = await startGet(network, "second", shared.link);
  await evil.line((line) => line.event === "seeding" && Number(line["uploadedBytes"]) > 0);
  await sleep(1000);
  await share(network, "sharer", shared.link);
  const result = await completed(downloader);
  await assertArrived(source, outFolder(network, "second"));
  await sleep(300);
  const lies = Number(evil.latest("seeding")?.["uploadedBytes"]);
  t.diagnostic(
    `${(lies / MIB).toFixed(1)} MiB came from the liar, ${Number(result["fetchedBytes"])} bytes in all`,
  );
  // It was believed until its first wrong piece was whole; what was under way by then is a window of requests.
  assert.ok(lies < 8 * MIB, "the liar was asked on and on");
});
