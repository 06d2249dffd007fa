import type { Profile } from "../directory/path.ts";
import { parseLink, type ShareLink } from "../link/link.ts";
import type { PackReader } from "../pack/pack-reader.ts";
import { onlyThese } from "./patterns.ts";
import type { Plan } from "./piece-levels.ts";
import type { Selection } from "../pack/selection.ts";
import type { AgeKeys } from "../pack/age-header.ts";
import { openPackStore } from "../store/open-pack.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { removePack } from "../store/store-files.ts";
import { torrentInfo } from "../torrent/info.ts";
import { whenAborted } from "../base/abort.ts";
import { Client } from "./client.ts";
import type { Choice } from "./choosing.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";
import { startDownload } from "./downloading.ts";
import { assertNotDenied } from "./deny-file.ts";
import type { Hooks } from "./hooks.ts";
import { networkOfLink } from "./network-of-link.ts";
import { withOutputFolder } from "./output-folder.ts";
import { lockPack } from "./pack-lock.ts";
import { removeKeptGates } from "./kept-gates.ts";
import { keysFor, type OpenedFiles } from "./pack-files.ts";
import { readShareRecord } from "./share-record.ts";

const TELL_MS = 200;

export interface GetOptions {
  readonly link: string;
  readonly outputFolder: string;
  readonly dataFolder: string | undefined;
  /** As in `ClientOptions`. */
  readonly proxy: string | undefined;
  readonly lan: boolean;
  readonly identityFile: string | undefined;
  /** Asked for locked links where no key file is given. */
  readonly password: () => Promise<string>;
  /** Go on handing out after the download, until `signal` is aborted. */
  readonly seed: boolean;
  /** Fetch and hand out without opening. */
  readonly mirror: boolean;
  /** Fetch nothing but these files and folders of the share: paths or patterns, as `onlyThese`. Empty: all. */
  readonly only: readonly string[];
  readonly profile: Profile;
  readonly signal: AbortSignal;
  readonly onDone: (result: GetResult) => void;
}

/** Its counts are those of the files that were wanted. */
export interface GetResult extends OpenedFiles {
  /** Of all that the share holds. */
  readonly shareFileCount: number;
  readonly shareSize: number;
  /** What came from peers in this run, bytes that came twice included: little more than what was missing. */
  readonly fetchedBytes: number;
}

/**
 * `backroom get`: fetches a share, opens it while it arrives, and hands out what is there meanwhile. What was fetched stays for the
 * next time when it fails or is stopped. Raises as `Client.open` and `openPack`, E_NO_SEEDERS, E_LOCKED, E_DISK_FULL, E_INTERRUPTED.
 */
export async function getShare(options: GetOptions, hooks: Hooks): Promise<void> {
  const link = parseLink(options.link);
  const folder = await openDataFolder(options.dataFolder);
  if (options.mirror) await assertNotDenied(folder, link.piecesRoot);
  const { network, joinRelays, keep } = await networkOfLink(folder, link, hooks);
  const keys = options.mirror ? undefined : await keysFor(link, options);
  const lock = await lockPack(folder, link.piecesRoot);
  try {
    const client = await Client.open(
      {
        folder,
        network,
        joinRelays,
        profile: options.profile,
        log: hooks.log,
        proxy: options.proxy,
        lan: options.lan,
      },
      hooks,
    );
    try {
      await keep();
      const run = (): Promise<void> => fetchPack({ folder, link, keys, client, options, hooks });
      await (keys === undefined ? run() : withOutputFolder(options.outputFolder, run));
    } finally {
      await client.close();
    }
  } finally {
    await lock.release();
  }
}

/** Keeps the pack for the next time where it was not fetched whole, and where it is to be handed out. */
async function fetchPack(parts: Omit<Download, "store">): Promise<void> {
  const { folder, link, options } = parts;
  const info = torrentInfo(link.piecesRoot, link.packLength);
  const store = await openPackStore(folder.packs, info);
  // Nothing that is worth being kept.
  let done = true;
  try {
    await download({ ...parts, store });
    // Whoever shared it here wants to go on with that, whatever else is done with its link.
    done = !options.seed && !options.mirror && (await readShareRecord(folder, link)) === undefined;
  } catch (error) {
    done = store.haveCount() === 0;
    throw error;
  } finally {
    await store.close();
    if (done) {
      await removePack(folder.packs, info);
      await removeKeptGates(folder, link.piecesRoot);
    }
  }
}

interface Download {
  readonly folder: DataFolder;
  readonly link: ShareLink;
  readonly keys: AgeKeys | undefined;
  readonly store: PieceStore;
  readonly client: Client;
  readonly options: GetOptions;
  readonly hooks: Hooks;
}

async function download({ folder, link, keys, store, client, options, hooks }: Download): Promise<void> {
  const { outputFolder, signal } = options;
  let plan: Plan | undefined;
  const running = await startDownload({
    folder,
    client,
    link,
    store,
    opening:
      keys === undefined
        ? undefined
        : {
            keys,
            outputFolder,
            ...(options.only.length === 0 ? {} : { choice: choiceOf(options, (made) => (plan = made)) }),
          },
    log: hooks.log,
    signal,
    // The first one is told at once: it says that all of the way works.
    onPiece: () => {
      if (store.haveCount() === 1) tell();
    },
    // Opening goes on behind the download and is shown once that has ended.
    onOpening: (doneBytes, totalBytes) => {
      if (isComplete()) hooks.progress("opening", doneBytes, totalBytes);
    },
  });
  const { swarming, arrived } = running;
  const isComplete = (): boolean => swarming.swarm.stats().complete;

  function tell(): void {
    const { haveCount, peerCount, wantedBytes, wantedDoneBytes } = swarming.swarm.stats();
    // A bar at zero tells less than what is being waited for.
    if (peerCount === 0 && haveCount === 0) return;
    const note = `${peerCount} ${peerCount === 1 ? "peer" : "peers"}`;
    hooks.progress("downloading", wantedDoneBytes, wantedBytes, note);
  }

  if (!isComplete()) hooks.status("Looking for somebody who has it …");
  const telling = setInterval(tell, TELL_MS);
  void arrived.then(() => {
    clearInterval(telling);
    tell();
  });
  try {
    const finished = await running.finished;
    const files = finished?.files ?? {
      paths: [],
      name: link.name ?? "",
      fileCount: 0,
      size: link.filesBytes ?? 0,
    };
    options.onDone({
      ...files,
      fileCount: plan?.wantedCount ?? files.fileCount,
      size: plan?.wantedSize ?? files.size,
      shareFileCount: files.fileCount,
      shareSize: files.size,
      fetchedBytes: swarming.swarm.stats().downloadedBytes,
    });
    if (options.seed || options.mirror) {
      running.stopFetching();
      hooks.note("Handing it out. Press Ctrl-C to stop.");
      swarming.seed();
      await Promise.race([whenAborted(signal), swarming.failed]);
    }
  } finally {
    clearInterval(telling);
    await running.close();
  }
}

/** Before the index is there nobody knows what patterns fit; then nothing else is fetched. */
function choiceOf({ only, seed }: GetOptions, onPlan: (plan: Plan) => void): Choice {
  const selection = (reader: PackReader): Promise<Selection> => onlyThese(reader.entries(), only);
  return { selection, opened: undefined, isKept: seed, onPlan };
}
