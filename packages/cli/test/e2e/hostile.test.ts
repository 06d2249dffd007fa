import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { relaysLoading, TestNetwork } from "../support/network.ts";
import { assertArrived, completed, makeFile, MIB, outFolder, share, startGet } from "../support/transfer.ts";

const UNRELIABLE = path.join(import.meta.dirname, "../support/unreliable-relay.ts");
const TIMES_EACH = 1;

/**
 * Every relay hangs up in the middle of what it carries: guards, second hops and gates of both sides.
 * Would catch: a member that does not dial again, or blames the seeder for what relays did.
 */
test(
  "a download ends with the right file though relays each hang up on it once",
  { timeout: 200_000 },
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-unreliable-"));
    const noted = path.join(folder, "noted");
    await writeFile(noted, "");
    const settings = { BACKROOM_HUNG_UP: noted, BACKROOM_HANGS_UP: String(TIMES_EACH) };
    const network = await TestNetwork.start(8, relaysLoading(UNRELIABLE, settings));
    try {
      const source = network.path("film.mp4");
      await makeFile(source, 24 * MIB);
      const { link } = await share(network, "sharer", source);
      await completed(await startGet(network, "downloader", link));
      await assertArrived(source, outFolder(network, "downloader"));
      const times = (await readFile(noted)).length;
      assert.ok(times >= 3, `relays hung up only ${times} times, so little was proved`);
    } finally {
      await network.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
