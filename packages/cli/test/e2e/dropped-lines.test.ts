import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import type { CommandProcess } from "../../src/demo/children.ts";
import { createLab } from "../support/namespaces.ts";
import { TestNetwork } from "../support/network.ts";
import {
  assertArrived,
  completed,
  downloaded,
  latestDone,
  makeFile,
  makeFolders,
  MIB,
  outFolder,
  share,
  startGet,
} from "../support/transfer.ts";

const RELAYS = ["relay 1", "relay 2", "relay 3", "relay 4"];
const ENDS = ["downloader", "sharer"] as const;
const FILE_BYTES = 12 * MIB;
/** So slow that the download outlasts what happens to it. */
const BYTES_PER_SECOND = 2 * MIB;
/** Longer than it takes to notice that nobody answers. */
const DEAD_MS = 3_500;
/** What has to come after that: more than was on its way. */
const MORE_BYTES = 3 * MIB;

/** Seconds until that much more has arrived. */
async function goesOn(downloader: CommandProcess): Promise<string> {
  const sinceMs = performance.now();
  await downloaded(downloader, latestDone(downloader) + MORE_BYTES);
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}

/**
 * One end's line is dead for a while, and the other end has another address meanwhile; in one transfer the downloader's, in the other one the sharer's. Neither says anything, no FIN and no RST: what is
 * sent is lost. Would catch: a member that waits for connections that are gone, as TCP alone
 * would for a quarter of an hour; that gives up a transfer because nobody could be reached for a moment; that goes on sending from an address which it has no more.
 */
test(
  "a download goes on when a line was dead and an address changed, at either end",
  { timeout: 240_000 },
  async (t) => {
    if (!havePartners(t, "netns", "nft", "tcpdump")) return;
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-lines-"));
    const people = ENDS.flatMap((end) => [`sharer of ${end}`, `downloader of ${end}`]);
    const names = [...people, ...RELAYS];
    const lab = await createLab(names, folder, { without6: names });
    let started: TestNetwork | undefined;
    try {
      const network = (started = await TestNetwork.start(RELAYS.length, lab));
      // Both at once, since most of the time goes to waiting.
      await Promise.all(
        ENDS.map(async (end) => {
          const [sharer, getter] = [`sharer of ${end}`, `downloader of ${end}`];
          const [name, other] = end === "sharer" ? [sharer, getter] : [getter, sharer];
          const source = network.path(`film of ${end}.mp4`);
          await makeFile(source, FILE_BYTES);
          await makeFolders(network, getter);
          const { link } = await share(network, sharer, source);
          lab.slowDown(getter, BYTES_PER_SECOND);
          const downloader = await startGet(network, getter, link);
          await downloaded(downloader, MIB);
          const mend = lab.cut(name);
          lab.move(other);
          await sleep(DEAD_MS);
          mend();
          t.diagnostic(
            `${end}: after its line was dead, and the other's address another, ${MORE_BYTES / MIB} MiB came within ${await goesOn(downloader)} s`,
          );
          lab.slowDown(getter, Infinity);
          await completed(downloader);
          await assertArrived(source, outFolder(network, getter));
        }),
      );
    } finally {
      await started?.close();
      await lab.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
