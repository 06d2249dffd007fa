import path from "node:path";
import type { Clock } from "../base/clock.ts";
import { codeOf, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { Measurements } from "../directory/measurements.ts";
import type { Network } from "../directory/network.ts";
import { acquireLock, type Lock } from "../store/lock.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import type { DataFolder } from "./data-folder.ts";
import { Guards } from "./guards.ts";
import { KeptRelays, type KeepingRule } from "./kept-relays.ts";
import { networkIdText } from "./networks.ts";
import { decodePathState, encodePathState, NO_PATH_STATE, type PathState } from "./path-state.ts";

const DAY_MS = 24 * 3600 * 1000;
/**
 * A seeder's middle hops, which are all that its gates ever see: three to six days each, so that a gate that waits does not meet all relays there
 * are, and one that got a middle hop on its side does not keep it. Eight at most within that time.
 */
export const SECONDS_RULE: KeepingRule = { most: 8, leastMs: 3 * DAY_MS, spreadMs: 3 * DAY_MS };
/** Counts and measurements that a kill may cost. */
const SAVE_EVERY_MS = 5 * 60_000;
/** Another process of this member is writing. */
const LOCK_TRIES = 20;
const LOCK_AGAIN_MS = 50;

export interface PathStoreDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * What a member keeps of its paths in one network, in the file `networks/<id>.paths`: replaced whole, so that a kill finds the old or the new;
 * and shared with other processes of the same member, whose changes are taken over with each save.
 */
export class PathStore {
  readonly guards: Guards;
  readonly seconds: KeptRelays;
  readonly measurements: Measurements;
  readonly #file: string;
  readonly #deps: PathStoreDeps;
  #cancelTimer: (() => void) | undefined;
  /** The save under way and those that wait for it. */
  #saving: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(file: string, saved: PathState, network: Pick<Network, "test">, deps: PathStoreDeps) {
    this.#file = file;
    this.#deps = deps;
    this.guards = new Guards(saved.guards, { ...deps, network });
    this.seconds = new KeptRelays(saved.seconds, SECONDS_RULE, deps);
    this.measurements = new Measurements(deps.clock);
    this.measurements.restore(saved.measurements);
  }

  /** A file that is damaged counts as none. Raises E_STORE for one that cannot be read. */
  static async open(
    folder: DataFolder,
    network: Pick<Network, "id" | "test">,
    deps: PathStoreDeps,
  ): Promise<PathStore> {
    const file = path.join(folder.networks, `${networkIdText(network.id)}.paths`);
    return new PathStore(file, await readPathState(file), network, deps);
  }

  /** Raises E_DISK_FULL and E_STORE; gives up quietly where another process does not let go of the file, since there will be another time. */
  save(): Promise<void> {
    const turn = this.#saving.then(() => this.#write());
    this.#saving = turn.catch(() => {});
    return turn;
  }

  async #write(): Promise<void> {
    const lock = await this.#lock();
    if (lock === undefined) return;
    try {
      const theirs = await readPathState(this.#file);
      this.guards.merge(theirs.guards);
      this.seconds.merge(theirs.seconds);
      this.measurements.restore(theirs.measurements);
      const state = {
        guards: this.guards.list(),
        seconds: this.seconds.list(),
        measurements: this.measurements.entries(),
      };
      // Whoever could not join has nothing to keep, and leaves nothing behind.
      if (Object.values(state).every((list) => list.length === 0)) return;
      await writeStateFile(this.#file, encodePathState(state));
    } finally {
      await lock.release();
    }
  }

  /** Saves; where that fails the next run takes other relays, which is worse but no reason to stop. */
  saveQuietly(): void {
    this.save().catch((error: unknown) => {
      this.#deps.log("warn", "the guards could not be saved", { code: codeOf(error) });
    });
  }

  /** Counts or measurements have changed, which is worth saving now and then. */
  saveLater(): void {
    if (this.#closed) return;
    this.#cancelTimer ??= this.#deps.clock.after(SAVE_EVERY_MS, () => {
      this.#cancelTimer = undefined;
      this.saveQuietly();
    });
  }

  /** Saves once more; fulfilled when nothing is written any more. */
  close(): Promise<void> {
    if (!this.#closed) this.saveQuietly();
    this.#closed = true;
    this.#cancelTimer?.();
    return this.#saving;
  }

  async #lock(): Promise<Lock | undefined> {
    for (let tried = 0; tried < LOCK_TRIES; tried++) {
      try {
        // One after the other on purpose: each waits for the one before.
        // oxlint-disable-next-line no-await-in-loop
        return await acquireLock(`${this.#file}.lock`);
      } catch (error) {
        if (!isBackroomError(error, "E_LOCKED")) throw error;
      }
      await new Promise<void>((resolve) => void this.#deps.clock.after(LOCK_AGAIN_MS, resolve));
    }
    return undefined;
  }
}

async function readPathState(file: string): Promise<PathState> {
  const bytes = await readStateFile(file, LIMITS.pathStateBytes);
  if (bytes === undefined) return NO_PATH_STATE;
  try {
    return decodePathState(bytes);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return NO_PATH_STATE;
  }
}
