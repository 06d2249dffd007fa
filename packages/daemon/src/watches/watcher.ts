import type { Clock } from "@backroom/core/base/clock.ts";
import { codeOf, type ErrorCode } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import { SHARES_PER_HOUR, type FolderLook, type Landed, type WatchLogic } from "./watch-logic.ts";

/** Between looks where nobody says that something changed, as on a disk of another computer. */
const IDLE_MS = 30_000;
/** While something may be whole soon. */
const SETTLING_MS = 2_000;
/** After a sign that something changed: mostly there are many. */
const SIGN_MS = 500;
const AFTER_FAILURE_MS = 60_000;
/** A look that took long is followed by a pause that is so many times as long: half a percent of the time where nothing happens, ten where something does. */
const IDLE_FACTOR = 200;
const SETTLING_FACTOR = 10;

export interface WatcherDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logic: WatchLogic;
  /** As people know the folder; never for the log. */
  readonly name: string;
  /** Raises the system's error where the folder cannot be read. */
  look(): Promise<FolderLook>;
  /** Shares it and keeps that it was shared. False where it is not there as it was seen, and nothing was done. Raises BackroomError. */
  share(landed: Landed): Promise<boolean>;
  /** Calls back when something in the folder may have changed; there may be no sign where nobody gives any. */
  signs(onSign: () => void): () => void;
  /** A sentence for the person. */
  notice(level: "note" | "warn", text: string): void;
}

/** Looks at one folder again and again, and shares what has landed in it. */
export class Watcher {
  readonly #deps: WatcherDeps;
  readonly #stopSigns: () => void;
  #cancelLook: (() => void) | undefined;
  #isLooking = false;
  #hasSign = false;
  #isClosed = false;
  #isUnreadable = false;
  #failure: ErrorCode | undefined;
  /** The one that the person was told of last; told again only when it is another one, or came back. */
  #toldFailure: ErrorCode | undefined;
  #isHeldBack = false;

  constructor(deps: WatcherDeps) {
    this.#deps = deps;
    this.#stopSigns = deps.signs(() => this.#onSign());
    void this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopSigns();
    this.#cancelLook?.();
  }

  #onSign(): void {
    if (this.#isLooking) this.#hasSign = true;
    // After a failure the pause is there for a reason.
    else if (this.#failure === undefined) this.#lookIn(SIGN_MS);
  }

  #lookIn(ms: number): void {
    this.#cancelLook?.();
    if (!this.#isClosed) this.#cancelLook = this.#deps.clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock } = this.#deps;
    this.#isLooking = true;
    this.#hasSign = false;
    const startedMs = clock.monotonicMs();
    const found = await this.#found();
    const tookMs = clock.monotonicMs() - startedMs;
    const isSettling = found !== undefined && !this.#isClosed && (await this.#shareOf(found));
    this.#isLooking = false;
    if (this.#failure !== undefined) return this.#lookIn(AFTER_FAILURE_MS);
    const isSoon = isSettling || this.#hasSign;
    this.#lookIn(
      isSoon ? Math.max(SETTLING_MS, SETTLING_FACTOR * tookMs) : Math.max(IDLE_MS, IDLE_FACTOR * tookMs),
    );
  }

  async #found(): Promise<FolderLook | undefined> {
    try {
      const found = await this.#deps.look();
      this.#isUnreadable = false;
      return found;
    } catch {
      if (!this.#isUnreadable && !this.#isClosed) {
        this.#deps.log("warn", "a watched folder cannot be read");
        this.#deps.notice(
          "warn",
          `The watched folder ${this.#deps.name} cannot be read. It is tried again; what was shared out of it stays shared.`,
        );
      }
      this.#isUnreadable = true;
      return undefined;
    }
  }

  /** Whether something may be whole soon. */
  async #shareOf(found: FolderLook): Promise<boolean> {
    const { logic, clock } = this.#deps;
    const outcome = logic.look(clock.monotonicMs(), found);
    this.#noteHeldBack(outcome.heldBack);
    this.#failure = undefined;
    for (const landed of outcome.share) {
      try {
        // One after the other: each is a share of its own, and where one fails the next would too.
        // oxlint-disable-next-line no-await-in-loop
        if (await this.#deps.share(landed)) logic.shared(landed, clock.monotonicMs());
      } catch (error) {
        this.#noteFailure(codeOf(error));
        break;
      }
      if (this.#isClosed) break;
    }
    if (this.#failure === undefined) this.#toldFailure = undefined;
    return outcome.isSettling;
  }

  #noteFailure(code: ErrorCode): void {
    this.#failure = code;
    if (code === this.#toldFailure) return;
    this.#toldFailure = code;
    this.#deps.log("warn", "what landed in a watched folder could not be shared", { code });
    this.#deps.notice(
      "warn",
      `What landed in the watched folder ${this.#deps.name} could not be shared yet (${code}). It is tried again every minute.`,
    );
  }

  #noteHeldBack(count: number): void {
    const isHeldBack = count > 0;
    if (isHeldBack && !this.#isHeldBack) {
      this.#deps.notice(
        "warn",
        `More than ${SHARES_PER_HOUR} things landed in the watched folder ${this.#deps.name} within an hour. The others are shared later; was that meant?`,
      );
    }
    this.#isHeldBack = isHeldBack;
  }
}
