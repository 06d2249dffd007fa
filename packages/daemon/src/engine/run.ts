import type { Transfer, TransferState } from "@backroom/api/schemas/transfer.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { assertNotDenied } from "@backroom/core/node/deny-file.ts";
import { untilAborted } from "@backroom/core/base/abort.ts";
import type { PackSource } from "@backroom/core/pack/source.ts";
import type { SwarmLimits } from "@backroom/core/swarm/swarm.ts";
import type { FileChoice } from "@backroom/core/pack/selection.ts";
import type { StoredSelection, TransferRecord } from "../catalogue/catalogue.ts";
import { checkStep } from "./check-step.ts";
import { fetchStep } from "./fetch-step.ts";
import { linkStep } from "./link-step.ts";
import type { Live } from "./live.ts";
import type { Members } from "./members.ts";
import type { Happening } from "./notes.ts";
import type { Packs } from "./packs.ts";
import type { Placing } from "@backroom/core/pack/placing.ts";
import { sealStep } from "./seal-step.ts";
import { nextStep } from "./transfer-state.ts";
import type { Turns } from "./turns.ts";
import type { Unfinished } from "./unfinished.ts";

export interface RunDeps {
  readonly folder: DataFolder;
  readonly log: Log;
  readonly members: Members;
  readonly packs: Packs;
  readonly unfinished: Pick<Unfinished, "packShrinks" | "packShrunk">;
  readonly limits: SwarmLimits;
  readonly sealing: Turns;
  readonly downloads: Turns;
  nowMs(): number;
  /** What is kept of the transfer; undefined once it is removed. */
  record(): TransferRecord | undefined;
  /** Keeps it, and tells. */
  put(record: TransferRecord): void;
  /** What is kept of its files: undefined where nothing was ever chosen. */
  selection(): StoredSelection | undefined;
  /** Keeps both at once, and tells. */
  putWith(record: TransferRecord, selection: StoredSelection): void;
  /** Keeps that it has failed, and tells. */
  putFailed(record: TransferRecord, error: BackroomError): void;
  putProgress(progress: Pick<TransferRecord, "doneBytes" | "downloadedBytes" | "uploadedBytes">): void;
  /** What was kept by `putPlacing` last. */
  placing(): unknown;
  /** Keeps what is about to appear where the files belong; undefined once the record says that it has. */
  putPlacing(placing: (Placing & { readonly choices?: readonly FileChoice[] }) | undefined): void;
  /** It does something else now. */
  onState(): void;
  /** Numbers have changed, which is told every second. */
  onNumbers(): void;
  /** Tells the person, and keeps it with the transfer. */
  notice(level: "note" | "warn", text: string): void;
  /** Keeps it with the transfer. */
  note(kind: Happening): void;
}

export interface RunOptions {
  /** All pieces are verified first. */
  readonly isCheck?: boolean;
  /** The pack was found to be damaged, and is completed from others. */
  readonly isMending?: boolean;
  /** Nobody sits before it: it was wanted before the daemon was started anew, and waits as long as it takes. */
  readonly isPatient?: boolean;
}

/** What goes on in a run's step, as far as it has begun. */
export interface Activity {
  /** Bytes of the pack that may still be arriving: reads wait for their pieces. */
  readonly source?: PackSource | undefined;
  /** Brings `live` up to date; called every second. */
  refresh?(): void;
  /** Other files are wanted now. */
  choose?(): void;
}

/** One transfer at work: goes from step to step until it rests, or has nothing left to do but to be handed out. */
export class Run {
  readonly deps: RunDeps;
  readonly options: RunOptions;
  readonly signal: AbortSignal;
  live: Live;
  /** Fulfilled when nothing of it goes on any more; never rejected. */
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  #activity: Activity = {};
  /** Fulfilled with the next source that an activity has. */
  #nextSource = newSource();

  /** Begins at once. */
  constructor(deps: RunDeps, options: RunOptions) {
    this.deps = deps;
    this.options = options;
    this.signal = this.#stop.signal;
    this.live = { ...liveOf(this.record()), ...(options.isCheck === true ? { state: "checking" } : {}) };
    this.ended = this.#go();
  }

  /** Raises E_INTERRUPTED once the transfer is gone. */
  record(): TransferRecord {
    const record = this.deps.record();
    if (record === undefined) throw interrupted();
    return record;
  }

  get activity(): Activity {
    return this.#activity;
  }

  set activity(activity: Activity) {
    this.#activity = activity;
    if (activity.source === undefined) return;
    this.#nextSource.resolve(activity.source);
    this.#nextSource = newSource();
  }

  /** The bytes of its pack, of `length`, which may not have begun to arrive: reads wait for that, too. */
  source(length: number): PackSource {
    return {
      length,
      read: async (offset, count, signal) => {
        const source = this.#activity.source ?? (await untilAborted(this.#nextSource.promise, signal));
        return source.read(offset, count, signal);
      },
    };
  }

  show(live: Partial<Live>): void {
    const before = this.live.state;
    this.live = { ...this.live, ...live };
    if (this.live.state === before) this.deps.onNumbers();
    else this.deps.onState();
  }

  /** A new step: what the last one counted is over. */
  begin(state: TransferState, waits: Transfer["waits"] = null): void {
    this.live = { ...liveOf(this.record()), state, waits };
    this.deps.onState();
  }

  /** Fulfilled once it has stopped. What is on disk stays. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  async #go(): Promise<void> {
    // Not before whoever made it knows it.
    await Promise.resolve();
    try {
      await this.#assertAllowed();
      if (this.options.isCheck === true) await checkStep(this);
      if (this.options.isMending === true) await fetchStep(this);
      for (;;) {
        if (this.signal.aborted) return;
        const step = nextStep(this.record());
        if (step === "seal") await sealStep(this);
        else if (step === "link") await linkStep(this);
        else if (step === "fetch") await fetchStep(this);
        else return;
      }
    } catch (error) {
      this.#onFailed(error);
    } finally {
      this.activity = {};
      this.#nextSource.reject(interrupted());
    }
  }

  /** Also a mirror that was there before the operator thought otherwise. */
  async #assertAllowed(): Promise<void> {
    const { role, root } = this.record();
    if (role === "mirror" && root !== null) await assertNotDenied(this.deps.folder, Buffer.from(root, "hex"));
  }

  #onFailed(error: unknown): void {
    const record = this.deps.record();
    if (this.signal.aborted || record === undefined) return;
    const known = isBackroomError(error)
      ? error
      : new BackroomError("E_INTERNAL", "a transfer failed in a way it should not", { cause: error });
    this.deps.log("info", "a transfer failed", { code: known.code });
    this.deps.putFailed(record, known);
  }
}

function newSource(): PromiseWithResolvers<PackSource> {
  const next = Promise.withResolvers<PackSource>();
  // Nobody may be waiting for it.
  next.promise.catch(() => {});
  return next;
}

export function liveOf(record: TransferRecord): Live {
  return {
    state: "queued",
    doneBytes: record.doneBytes,
    totalBytes: record.wantedBytes ?? record.packLength ?? record.size ?? 0,
    downloadRate: 0,
    uploadRate: 0,
    peerCount: 0,
    gateCount: 0,
    waits: null,
  };
}

export function interrupted(): BackroomError {
  return new BackroomError("E_INTERRUPTED", "the transfer was stopped");
}
