import type { Transfer, TransferState } from "@backroom/api/schemas/transfer.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Clock } from "@backroom/core/base/clock.ts";
import { removeKeptGates } from "@backroom/core/node/kept-gates.ts";
import { readNetwork } from "@backroom/core/node/networks.ts";
import { removeShareRecord } from "@backroom/core/node/share-record.ts";
import type { PackSource } from "@backroom/core/pack/source.ts";
import type { SwarmLimits } from "@backroom/core/swarm/swarm.ts";
import type { TransferRecord } from "../catalogue/catalogue.ts";
import type { DaemonContext, TransferTotals } from "../context.ts";
import { findAdoptable } from "./adoption.ts";
import { ChangeQueue } from "./change-queue.ts";
import { listedOf, seededFrom } from "./hand-out.ts";
import { LatestShares } from "./latest-shares.ts";
import { viewOf, type Live } from "./live.ts";
import { Lives } from "./lives.ts";
import type { Members } from "./members.ts";
import { Notes } from "./notes.ts";
import { Packs } from "./packs.ts";
import { Payload } from "./payload.ts";
import { placingName } from "./placing.ts";
import { Run, type RunOptions } from "./run.ts";
import type { ListedShare } from "./seats.ts";
import { Seeding } from "./seeding.ts";
import { failed, nextStep } from "./transfer-state.ts";
import { Turns } from "./turns.ts";
import { Unfinished } from "./unfinished.ts";

/** Sealing uses all cores and the disk: more at a time make each slower, not all of them faster. */
const SEALED_AT_A_TIME = 2;
const TICK_MS = 1_000;
/** Between ticks while nothing is under way. */
const QUIET_TICK_MS = 5_000;

/** All transfers of this computer: what each does now, and who is at it. What outlasts the daemon is the catalogue's. */
export class Transfers {
  readonly context: DaemonContext;
  readonly packs: Packs;
  readonly notes: Notes;
  readonly unfinished: Unfinished;
  readonly #members: Members;
  readonly #limits: SwarmLimits;
  readonly #clock: Clock;
  readonly #seeding: Seeding;
  readonly #lives: Lives;
  readonly #payload: Payload;
  readonly #sealing = new Turns(() => SEALED_AT_A_TIME);
  readonly #downloads: Turns;
  readonly #changes = new ChangeQueue();
  /** Transfers whose numbers have changed since they were told last. */
  readonly #changed = new Set<string>();
  readonly #latest: LatestShares;
  #cancelTick: (() => void) | undefined;
  #isClosed = false;

  constructor(context: DaemonContext, members: Members, limits: SwarmLimits) {
    this.context = context;
    this.#members = members;
    this.#limits = limits;
    this.#clock = context.machine.clock;
    this.notes = new Notes(context);
    this.unfinished = new Unfinished(context.catalogue);
    this.packs = new Packs(context.folder);
    this.#latest = new LatestShares(context.catalogue);
    this.#downloads = new Turns(() => context.settings.get("downloads.active"));
    context.settings.onChange((key) => {
      if (key === "downloads.active") this.#downloads.look();
    });
    const { folder, log } = context;
    this.#seeding = new Seeding(
      {
        folder,
        clock: this.#clock,
        random: context.machine.random,
        log,
        packs: this.packs,
        limits,
        share: (id) => seededFrom(context.catalogue, id),
        onIncomplete: (id) => this.#quietly(this.#mend(id)),
        onFailed: (id, error) => this.#quietly(this.#onSeedingFailed(id, error)),
        onActive: (id) => this.#seeding.touch(id),
        onUploaded: (id, bytes) => this.#payload.given(id, bytes),
      },
      async (networkId) => {
        const network = await readNetwork(folder, networkId);
        return network === undefined ? undefined : members.of(network);
      },
    );
    this.#lives = new Lives(this.#seeding);
    this.#payload = new Payload(context.catalogue, this.notes, (id) => void this.#changed.add(id));
    members.onChange(() => {
      for (const id of this.#lives.runs.keys()) this.#changed.add(id);
    });
  }

  /** Everything goes on as it was wanted last, and what was shared here without the daemon is taken up. Raises E_STORE, E_DISK_FULL. */
  async start(): Promise<void> {
    const { catalogue, folder, log, machine } = this.context;
    const startedMs = this.#clock.monotonicMs();
    await this.unfinished.finish({
      remove: ({ root, packLength }) => this.#removePack(root, packLength),
      keepOnly: ({ root, packLength, pieces }) => this.packs.keepOnly(root, packLength, pieces),
    });
    const seeds: ListedShare[] = [];
    for (const record of catalogue.outlines(["sealing", "active"])) {
      const listed = listedOf(record);
      if (listed === undefined) {
        this.notes.happened(record.id, "restarted");
        this.launch(record.id, { isPatient: true });
      } else seeds.push(listed);
    }
    const nowMs = this.#clock.nowMs();
    const isKnown = (name: string): boolean => catalogue.knowsRoot(name);
    const found = await findAdoptable(folder, isKnown, { random: machine.random, nowMs });
    if (found.length > 0) {
      catalogue.together(() => {
        for (const record of found) catalogue.put(record);
      });
      log("info", "shares that were made here without the daemon were taken up", {
        shareCount: found.length,
      });
    }
    seeds.push(...found.flatMap((record) => listedOf(record) ?? []));
    await this.#seeding.add(this.#latest.inOrder(seeds));
    this.#tickLater();
    log("info", "transfers go on", { tookMs: this.#clock.monotonicMs() - startedMs });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTick?.();
    this.#latest.keep(this.#seeding.latest());
    await Promise.all([...[...this.#lives.runs.values()].map((run) => run.stop()), this.#seeding.close()]);
  }

  /** Raises E_NO_TRANSFER. */
  record(id: string): TransferRecord {
    const record = this.context.catalogue.get(id);
    if (record === undefined) throw noTransfer();
    return record;
  }

  /** Raises E_NO_TRANSFER. */
  view(id: string): Transfer {
    return this.viewOf(this.record(id));
  }

  viewOf(record: TransferRecord): Transfer {
    return viewOf(record, this.#lives.of(record.id));
  }

  stateOf(record: TransferRecord): TransferState {
    return this.viewOf(record).state;
  }

  /** Live states and how many are in them; what is kept as over is the catalogue's to count. */
  liveCounts(): Map<TransferState, number> {
    return this.#lives.counts();
  }

  totals(): TransferTotals {
    const counts = this.#lives.counts();
    const kept = this.context.catalogue.counts();
    for (const state of ["paused", "done", "failed"] as const) counts.set(state, kept[state]);
    const { downloadRate, uploadRate, peerCount } = this.#lives.sums();
    const { downloadedBytes, uploadedBytes } = this.#payload;
    return {
      byState: Object.fromEntries([...counts].filter(([, count]) => count > 0)),
      downloadRate: Math.round(downloadRate),
      uploadRate: Math.round(uploadRate),
      downloadedBytes,
      uploadedBytes,
      peerCount,
    };
  }

  /** Keeps it, and tells everybody. Raises E_STORE, E_DISK_FULL. */
  put(record: TransferRecord): void {
    this.context.catalogue.put(record);
    this.publish(record.id);
  }

  publish(id: string): void {
    this.#changed.delete(id);
    if (this.#isClosed) return;
    const record = this.context.catalogue.get(id);
    if (record === undefined) return;
    const changed = [this.viewOf(record)];
    this.context.events.publish({ name: "transfers", data: { changed, removed: [] } });
  }

  /** Runs after every other change of the same transfer. */
  change<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#changes.run(id, work);
  }

  /** Lets it go on from what is kept of it. */
  launch(id: string, options: RunOptions = {}): void {
    if (this.#isClosed || this.#lives.runs.has(id)) return;
    const { catalogue, folder, log } = this.context;
    const run = new Run(
      {
        folder,
        log,
        members: this.#members,
        packs: this.packs,
        unfinished: this.unfinished,
        limits: this.#limits,
        sealing: this.#sealing,
        downloads: this.#downloads,
        nowMs: () => this.#clock.nowMs(),
        record: () => catalogue.get(id),
        put: (record) => this.put(record),
        selection: () => catalogue.selection(id),
        putWith: (record, selection) => {
          catalogue.together(() => {
            catalogue.putSelection(id, selection);
            catalogue.put(record);
          });
          this.publish(id);
        },
        putFailed: (record, error) => this.#putFailed(record, error),
        putProgress: (progress) => this.#payload.put(id, progress),
        placing: () => catalogue.value(placingName(id)),
        putPlacing: (placing) => catalogue.putValue(placingName(id), placing),
        onState: () => this.publish(id),
        onNumbers: () => void this.#changed.add(id),
        notice: (level, text) => this.notice(id, level, text),
        note: (kind) => this.notes.happened(id, kind),
      },
      options,
    );
    this.#lives.runs.set(id, run);
    // The pause before the next tick may be one of a quiet time.
    this.#tickLater();
    void run.ended.then(() => this.#onEnded(id, run));
  }

  /** As `launch`, where there is something for a run to do. Raises E_NO_TRANSFER. */
  goOn(id: string): void {
    if (nextStep(this.record(id)) !== "rest") this.launch(id);
  }

  /** Fulfilled when nothing is done for it any more: no run, nothing handed out. */
  async halt(id: string): Promise<void> {
    const run = this.#lives.runs.get(id);
    this.#lives.runs.delete(id);
    await Promise.all([run?.stop(), this.#seeding.remove(id)]);
  }

  /** Other files of it are wanted now. */
  chosen(id: string): void {
    this.#lives.runs.get(id)?.activity.choose?.();
  }

  /** What is there of its pack, and how it is read: what is read from an arriving one comes first. Undefined where nothing of it is at work. */
  arriving(id: string, length: number): PackSource | undefined {
    const run = this.#lives.runs.get(id);
    if (run === undefined) return undefined;
    return run.options.isMending === true || nextStep(run.record()) === "fetch"
      ? run.source(length)
      : undefined;
  }

  /** Shows what is done to it beside its run; undefined ends that. */
  job(id: string, live: Live | undefined): void {
    const isNew = !this.#lives.jobs.has(id);
    if (live === undefined) this.#lives.jobs.delete(id);
    else this.#lives.jobs.set(id, live);
    this.#changed.add(id);
    if (isNew) this.#tickLater();
  }

  /** Forgets it. What it fetched stays, and its pack where `keepPack` says so. Raises E_STORE. */
  async forget(id: string, keepPack: boolean): Promise<void> {
    const { catalogue, folder, events } = this.context;
    await this.halt(id);
    const { root, packLength } = this.record(id);
    // Before the catalogue forgets it: what is beside the pack and unknown there is taken up by the next start, and handed out again.
    if (root !== null) await removeShareRecord(folder, Buffer.from(root, "hex"));
    const pack = root === null || packLength === null ? undefined : { root, packLength };
    if (pack !== undefined) {
      if (keepPack) this.unfinished.packLeft(pack.root);
      else this.unfinished.packLeaves(pack);
    }
    // Before the pack: a kill in between leaves a pack to the next start, rather than a transfer without one.
    catalogue.remove(id);
    catalogue.putValue(placingName(id), undefined);
    events.publish({ name: "transfers", data: { changed: [], removed: [id] } });
    if (pack === undefined) return;
    if (keepPack) return removeKeptGates(folder, Buffer.from(pack.root, "hex"));
    await this.#removePack(pack.root, pack.packLength);
    this.unfinished.packLeft(pack.root);
  }

  async #removePack(root: string, packLength: number): Promise<void> {
    await removeKeptGates(this.context.folder, Buffer.from(root, "hex"));
    await this.packs.remove(root, packLength);
  }

  notice(id: string, level: "note" | "warn", text: string): void {
    this.notes.said(id, level, text);
    this.context.events.publish({ name: "notice", data: { level, text, transfer: id } });
  }

  #onEnded(id: string, run: Run): void {
    if (this.#lives.runs.get(id) !== run) return;
    this.#lives.runs.delete(id);
    if (this.#isClosed) return;
    const record = this.context.catalogue.get(id);
    if (record === undefined) return;
    const listed = listedOf(record);
    if (listed !== undefined) this.#quietly(this.#seeding.add([listed]).then(() => this.publish(id)));
    this.publish(id);
  }

  /** What is damaged, or was lost, comes from others, while what is there is handed out. */
  async #mend(id: string): Promise<void> {
    if (this.#lives.runs.has(id) || this.#isClosed) return;
    await this.change(id, async () => {
      const record = this.context.catalogue.get(id);
      if (record === undefined || nextStep(record) !== "hand-out" || this.#lives.runs.has(id)) return;
      await this.#seeding.remove(id);
      this.launch(id, { isMending: true });
    });
  }

  async #onSeedingFailed(id: string, error: BackroomError): Promise<void> {
    if (this.#isClosed) return;
    await this.change(id, async () => {
      await this.halt(id);
      const record = this.context.catalogue.get(id);
      if (record === undefined || nextStep(record) === "rest") return;
      this.#putFailed(record, error);
    });
  }

  /** Where that cannot be kept, as on a full disk, it is told, and tried again when the daemon starts anew. */
  #putFailed(record: TransferRecord, error: BackroomError): void {
    try {
      this.put(failed(record, error));
      this.notes.failed(record.id, error);
    } catch (unkept) {
      if (!isBackroomError(unkept)) throw unkept;
      this.notice(record.id, "warn", `${error.message}: ${error.why}`);
    }
  }

  #tickLater(): void {
    this.#cancelTick?.();
    if (this.#isClosed) return;
    this.#cancelTick = this.#clock.after(this.#lives.areQuiet ? QUIET_TICK_MS : TICK_MS, () => {
      this.#quietly(this.#tick());
      this.#tickLater();
    });
  }

  /** What nobody waits for: a disk that fails is noted, and does not end the daemon. */
  #quietly(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!isBackroomError(error)) throw error;
      this.context.log("warn", "something about a transfer could not be kept", { code: error.code });
    });
  }

  async #tick(): Promise<void> {
    for (const run of this.#lives.runs.values()) run.activity.refresh?.();
    this.#seeding.tick();
    for (const id of this.#lives.changedSeats()) this.#changed.add(id);
    for (const id of this.#changed) this.publish(id);
    this.#latest.keep(this.#seeding.latest());
  }
}

function noTransfer(): BackroomError {
  return new BackroomError("E_NO_TRANSFER", "there is no transfer of that id");
}
