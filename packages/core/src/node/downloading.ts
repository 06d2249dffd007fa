import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { topicSecret, type ShareLink } from "../link/link.ts";
import type { SharerKey } from "../link/sharer-key.ts";
import type { AgeKeys } from "../pack/age-header.ts";
import type { OpenOptions } from "../pack/open.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { Client } from "./client.ts";
import type { DataFolder } from "./data-folder.ts";
import { Fetching, type FetchingOptions } from "./fetching.ts";
import { openKeptGates } from "./kept-gates.ts";
import { openInto, type OpenedFiles } from "./pack-files.ts";
import type { SwarmLimits } from "../swarm/swarm.ts";
import { Swarming, type SwarmingOptions } from "./swarming.ts";

export interface DownloadOptions extends Pick<FetchingOptions, "isPatient" | "onAlone"> {
  readonly folder: DataFolder;
  readonly client: SwarmingOptions["client"] & FetchingOptions["client"] & Pick<Client, "relays">;
  readonly link: ShareLink;
  /** What is there is not fetched again. Not closed with the download. */
  readonly store: PieceStore;
  /** What opens the pack while it arrives, and into which folder, which is there; undefined where it is not opened. */
  readonly opening:
    | ({ readonly keys: AgeKeys; readonly outputFolder: string } & Pick<OpenOptions, "onPlacing">)
    | undefined;
  /** Where it is our own share whose pack is completed from others. */
  readonly sharer?: SharerKey | undefined;
  /** Shared with the member's other shares. */
  readonly limits?: SwarmLimits | undefined;
  readonly log: Log;
  /** Whoever aborts it makes `finished` reject with E_INTERRUPTED. */
  readonly signal: AbortSignal;
  /** A piece was stored. */
  readonly onPiece?: () => void;
  /** Of files' contents, in bytes: opening goes on behind the download. */
  readonly onOpening?: (doneBytes: number, totalBytes: number) => void;
}

export interface Download {
  readonly swarming: Swarming;
  /** All pieces are stored. */
  readonly arrived: Promise<void>;
  /**
   * Everything is stored, and opened where that was asked for: what was put where. Rejects with the first cause of what stops it, as `Fetching.run`
   * and `openPack`.
   */
  readonly finished: Promise<OpenedFiles | undefined>;
  /** Asks for nothing more; the swarm goes on handing out. */
  stopFetching(): void;
  /** Ends all of it; fulfilled when nothing uses the store any more. */
  close(): Promise<void>;
}

/** Fetches what a store lacks, opens it while it arrives, and hands out what is there meanwhile. Raises E_STORE. */
export async function startDownload(options: DownloadOptions): Promise<Download> {
  const { folder, client, link, store, log, signal, limits } = options;
  const topic = { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint };
  const relays = (): ReturnType<Client["relays"]> => client.relays();
  const gates = await openKeptGates({ folder, root: link.piecesRoot, log, relays });
  const complete = Promise.withResolvers<void>();
  if (store.complete) complete.resolve();
  const swarming = new Swarming(
    { client, topic, store, sharerKeys: options.sharer?.keys, notGates: new Set(), gates, limits, log },
    { onComplete: () => complete.resolve(), onPiece: () => options.onPiece?.() },
  );
  const { swarm } = swarming;
  const { isPatient, onAlone } = options;
  const fetching = new Fetching({
    client,
    swarming,
    log,
    signal,
    ...(isPatient === undefined ? {} : { isPatient }),
    ...(onAlone === undefined ? {} : { onAlone }),
  });
  const done = new AbortController();
  const arrived = complete.promise;
  // Also where all is there: what turns out to be damaged on disk is fetched again.
  const supply = fetching.run(done.signal);
  // A supply that fails ends the swarm, and with it every read that waits.
  supply.catch(() => swarm.close());
  const opened = open();
  const finished = finish();
  // Whoever closes it may not have waited for it.
  finished.catch(() => {});

  async function open(): Promise<OpenedFiles | undefined> {
    if (options.opening === undefined) return undefined;
    const { keys, outputFolder, onPlacing } = options.opening;
    const progress = (_stage: unknown, doneBytes: number, totalBytes: number): void =>
      options.onOpening?.(doneBytes, totalBytes);
    return openInto(swarm.source(), link.piecesRoot, keys, { outputFolder, signal, onPlacing }, { progress });
  }

  async function finish(): Promise<OpenedFiles | undefined> {
    try {
      const untilSupplied = Promise.race([arrived, supply.then(() => arrived)]);
      const [files] = await Promise.all([opened, arrived, untilSupplied]);
      return files;
    } catch (error) {
      throw await reasonOf(error);
    }
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

  return {
    swarming,
    arrived,
    finished,
    stopFetching: () => done.abort(),
    async close() {
      done.abort();
      swarming.close();
      await Promise.allSettled([supply, opened]);
    },
  };
}
