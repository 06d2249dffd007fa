import { isBackroomError } from "../base/errors.ts";
import type { Profile } from "../directory/path.ts";
import { parseLink, topicSecret, type ShareLink } from "../link/link.ts";
import type { AgeKeys } from "../pack/age-header.ts";
import { openPackStore } from "../store/open-pack.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { removePack } from "../store/store-files.ts";
import type { GateMemory } from "../tunnel/seeder-presence.ts";
import { torrentInfo } from "../torrent/info.ts";
import { whenAborted } from "./aborted.ts";
import { Client } from "./client.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";
import { Fetching } from "./fetching.ts";
import type { Hooks } from "./hooks.ts";
import { networkOfLink } from "./network-of-link.ts";
import { withOutputFolder } from "./output-folder.ts";
import { lockPack } from "./pack-lock.ts";
import { openKeptGates, removeKeptGates } from "./kept-gates.ts";
import { keysFor, openInto, type OpenedFiles } from "./pack-files.ts";
import { readShareRecord } from "./share-record.ts";
import { Swarming } from "./swarming.ts";

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
  readonly profile: Profile;
  readonly signal: AbortSignal;
  readonly onDone: (result: GetResult) => void;
}

export interface GetResult extends OpenedFiles {
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
      client.close();
    }
  } finally {
    await lock.release();
  }
}

/** Keeps the pack for the next time where it was not fetched whole, and where it is to be handed out. */
async function fetchPack(
  parts: Omit<Download, "store" | "gates"> & { readonly folder: DataFolder },
): Promise<void> {
  const { folder, link, options } = parts;
  const info = torrentInfo(link.piecesRoot, link.packLength);
  const store = await openPackStore(folder.packs, info);
  // Nothing that is worth being kept.
  let done = true;
  try {
    const { client, hooks } = parts;
    const { log } = hooks;
    const gates = { folder, root: link.piecesRoot, log, relays: () => client.relays() };
    await download({ ...parts, store, gates: await openKeptGates(gates) });
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
  readonly link: ShareLink;
  readonly keys: AgeKeys | undefined;
  readonly store: PieceStore;
  readonly gates: GateMemory;
  readonly client: Client;
  readonly options: GetOptions;
  readonly hooks: Hooks;
}

async function download({ link, keys, store, gates, client, options, hooks }: Download): Promise<void> {
  const topic = { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint };
  const complete = Promise.withResolvers<void>();
  if (store.complete) complete.resolve();
  const swarming = new Swarming(
    { client, topic, store, sharerKeys: undefined, notGates: new Set(), gates, log: hooks.log },
    {
      onComplete: () => complete.resolve(),
      // The first one is told at once: it says that all of the way works.
      onPiece: () => {
        if (store.haveCount() === 1) tell();
      },
    },
  );
  const { swarm } = swarming;
  const done = new AbortController();
  const fetching = new Fetching({ client, swarming, log: hooks.log, signal: options.signal });

  const tell = (): void => {
    const { haveCount, peerCount } = swarm.stats();
    const bytes = Math.min(haveCount * store.info.pieceLength, store.info.length);
    // A bar at zero tells less than what is being waited for.
    if (peerCount === 0 && haveCount === 0) return;
    const note = `${peerCount} ${peerCount === 1 ? "peer" : "peers"}`;
    hooks.progress("downloading", bytes, store.info.length, note);
  };
  if (!store.complete) hooks.status("Looking for somebody who has it …");
  const telling = setInterval(tell, TELL_MS);
  const arrived = complete.promise.then(() => {
    clearInterval(telling);
    tell();
  });
  // Also where all is there: what turns out to be damaged on disk is fetched again.
  const supply = fetching.run(done.signal);
  // A supply that fails ends the swarm, and with it every read that waits.
  supply.catch(() => swarm.close());
  const opening =
    keys === undefined ? undefined : openInto(swarm.source(), link.piecesRoot, keys, options, afterwards());
  try {
    const [opened] = await Promise.all([opening, arrived, untilSupplied()]);
    const files = opened ?? { paths: [], name: link.name ?? "", fileCount: 0, size: link.filesBytes ?? 0 };
    options.onDone({ ...files, fetchedBytes: swarm.stats().downloadedBytes });
    if (options.seed || options.mirror) {
      done.abort();
      hooks.note("Handing it out. Press Ctrl-C to stop.");
      swarming.seed();
      await Promise.race([whenAborted(options.signal), swarming.failed]);
    }
  } catch (error) {
    throw await reasonOf(error);
  } finally {
    clearInterval(telling);
    done.abort();
    swarming.close();
    await Promise.allSettled([supply, opening]);
  }

  /** Opening goes on behind the download and is shown once that has ended. */
  function afterwards(): Pick<Hooks, "progress"> {
    return {
      progress: (stage, value, total) => {
        if (store.complete) hooks.progress(stage, value, total);
      },
    };
  }

  /** Fulfilled with the download; rejected when it cannot go on. */
  function untilSupplied(): Promise<void> {
    return Promise.race([arrived, supply.then(() => arrived)]);
  }

  /** The first cause: a read fails because the swarm closed, the swarm closed because the disk is full or nobody is there. */
  async function reasonOf(error: unknown): Promise<unknown> {
    if (!isBackroomError(error, "E_SWARM_CLOSED")) return error;
    done.abort();
    try {
      await supply;
    } catch (reason) {
      return reason;
    }
    return error;
  }
}
