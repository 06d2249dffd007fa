import { BackroomError, isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { topicSecret, type ShareLink } from "../link/link.ts";
import type { SharerKey } from "../link/sharer-key.ts";
import type { AgeKeys } from "../pack/age-header.ts";
import type { OpenOptions } from "../pack/open.ts";
import type { Selection } from "../pack/selection.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { Client } from "./client.ts";
import type { DataFolder } from "./data-folder.ts";
import { Fetching, type FetchingOptions } from "./fetching.ts";
import { openKeptGates } from "./kept-gates.ts";
import { openWantedInto, type OpenedFiles } from "./pack-files.ts";
import { Choosing, type Choice, type Wanted } from "./choosing.ts";
import type { SwarmLimits } from "../swarm/swarm.ts";
import { relaysInLink } from "./share-link.ts";
import { Swarming, type SwarmingOptions } from "./swarming.ts";

export interface DownloadOptions extends Pick<FetchingOptions, "isPatient" | "onAlone"> {
  readonly folder: DataFolder;
  readonly client: SwarmingOptions["client"] & FetchingOptions["client"] & Pick<Client, "relays">;
  readonly link: ShareLink;
  /** What is there is not fetched again. Not closed with the download. */
  readonly store: PieceStore;
  /** What opens the pack while it arrives, and into which folder, which is there; undefined where it is not opened. */
  readonly opening:
    | ({
        readonly keys: AgeKeys;
        readonly outputFolder: string;
        /** Absent: all files are fetched and opened. */
        readonly choice?: Choice | undefined;
      } & Pick<OpenOptions, "onPlacing">)
    | undefined;
  /** Of a pack that is not opened: the pieces that are wanted, one of LEVELS for each. Absent: all. */
  readonly levels?: Uint8Array | undefined;
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
  /** All that is wanted is stored, for the first time. */
  readonly arrived: Promise<void>;
  /**
   * Everything that is wanted is stored, and opened where that was asked for: what was put where. Rejects with the first cause of what stops it, as
   * `Fetching.run` and `openPack`.
   */
  readonly finished: Promise<Finished | undefined>;
  /** From now on these files are wanted, where there is a choice; what had come to its end before stays as it is. Rejects with what reading the index raises. */
  choose(wanted: Wanted): Promise<void>;
  /** Asks for nothing more; the swarm goes on handing out. */
  stopFetching(): void;
  /** Ends all of it; fulfilled when nothing uses the store any more. */
  close(): Promise<void>;
}

export interface Finished {
  readonly files: OpenedFiles;
  /** What was opened; undefined where there was no choice. */
  readonly selection: Selection | undefined;
}

/** Fetches what a store lacks, opens it while it arrives, and hands out what is there meanwhile. Raises E_STORE. */
export async function startDownload(options: DownloadOptions): Promise<Download> {
  const { folder, client, link, store, log, signal, limits } = options;
  const topic = { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint };
  const relays = (): ReturnType<Client["relays"]> => client.relays();
  const gates = await openKeptGates({ folder, root: link.piecesRoot, log, relays });
  const complete = Promise.withResolvers<void>();
  let nextComplete = Promise.withResolvers<void>();
  const onComplete = (): void => {
    complete.resolve();
    nextComplete.resolve();
    nextComplete = Promise.withResolvers<void>();
  };
  const swarming = new Swarming(
    {
      client,
      topic,
      store,
      sharerKeys: options.sharer?.keys,
      notGates: relaysInLink(link),
      gates,
      limits,
      log,
    },
    { onComplete, onPiece: () => options.onPiece?.() },
  );
  const { swarm } = swarming;
  const { opening, levels } = options;
  if (levels !== undefined) swarm.want({ levels });
  const choosing =
    opening?.choice === undefined ? undefined : new Choosing(swarm, store.info, opening.keys, opening.choice);
  if (swarm.stats().complete) complete.resolve();
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
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  const arrived = complete.promise;
  // Also where all is there: what turns out to be damaged on disk is fetched again.
  const supply = fetching.run(done.signal);
  // A supply that fails ends the swarm, and with it every read that waits.
  supply.catch(() => swarm.close());
  const opened = open();
  const finished = finish();
  // Whoever closes it may not have waited for it.
  finished.catch(() => {});

  async function open(): Promise<Finished | undefined> {
    if (opening === undefined) return undefined;
    const { keys, outputFolder, onPlacing } = opening;
    await choosing?.ready;
    const progress = (_stage: unknown, doneBytes: number, totalBytes: number): void =>
      options.onOpening?.(doneBytes, totalBytes);
    const how = { outputFolder, signal, onPlacing, wanted: choosing?.files };
    return openWantedInto(swarm.source(), link.piecesRoot, keys, how, { progress });
  }

  async function finish(): Promise<Finished | undefined> {
    try {
      const untilSupplied = Promise.race([arrived, supply.then(() => arrived)]);
      const [finished] = await Promise.all([opened, arrived, untilSupplied]);
      // What else is wanted by now, such as what a pack needs to be whole.
      while (isMissing())
        await Promise.race([nextComplete.promise, supply.then(() => closed.promise), swarming.failed]);
      return finished;
    } catch (error) {
      throw await reasonOf(error);
    }
  }

  /** What somebody looks at without wanting it is nothing to wait for. */
  function isMissing(): boolean {
    const { wantedBytes, wantedDoneBytes } = swarm.stats();
    return wantedDoneBytes < wantedBytes;
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
    choose: async (wanted) => choosing?.choose(wanted),
    stopFetching: () => done.abort(),
    async close() {
      done.abort();
      closed.reject(new BackroomError("E_SWARM_CLOSED", "the download was closed"));
      swarming.close();
      await Promise.allSettled([supply, opened]);
    },
  };
}
