import type { Clock } from "../base/clock.ts";
import type { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { Fifo } from "../circuit/fifo.ts";
import type { CircuitStream, StreamHandlers } from "../circuit/stream.ts";

/** What a splice needs of the gate. */
export interface SpliceDeps {
  readonly clock: Pick<Clock, "after" | "monotonicMs">;
  /** So many payloads more wait; negative when fewer do. */
  held(by: number): void;
  /** Told when a payload had to wait. */
  queued(): void;
  joined(): void;
  done(): void;
}

/**
 * One direction of a spliced tunnel. A payload that the far side has no window for waits here, and only when it was passed on
 * is its sender told `consumed`: so a side that stalls stops its own peer at the window, and nobody else.
 */
class Lane {
  readonly waiting = new Fifo<Buffer>();
  from: CircuitStream | undefined;
  to: CircuitStream | undefined;
  /** The sender is gone; what waits may still go out. */
  senderEnded = false;
  /** When a payload last passed. */
  passedMs: number;
  readonly #deps: SpliceDeps;
  readonly #onPassed: () => void;

  constructor(deps: SpliceDeps, onPassed: () => void) {
    this.#deps = deps;
    this.#onPassed = onPassed;
    this.passedMs = deps.clock.monotonicMs();
  }

  /** Returns false when the sender broke the window that it was granted, or said more than it may before it has an answer. */
  take(payload: Buffer): boolean {
    this.waiting.push(payload);
    this.#deps.held(1);
    this.pass();
    return this.waiting.length <= (this.to === undefined ? LIMITS.gateEarlyFrames : LIMITS.streamFramesMost);
  }

  pass(): void {
    let passed = 0;
    while (this.to !== undefined && this.to.sendWindow > 0) {
      const payload = this.waiting.shift();
      if (payload === undefined) break;
      passed++;
      this.to.send(payload);
      if (!this.senderEnded) this.from?.consumed(1);
    }
    if (passed === 0) return;
    this.#deps.held(-passed);
    this.passedMs = this.#deps.clock.monotonicMs();
    this.#onPassed();
  }

  clear(): void {
    this.#deps.held(-this.waiting.length);
    this.waiting.clear();
  }
}

/** Two streams joined at a gate: payloads and END pass unchanged (PROTOCOL 8). */
export class Splice {
  /** For the stream that a downloader opened, and for the one that the gate opens to the seeder. */
  readonly downloaderSide: StreamHandlers;
  readonly seederSide: StreamHandlers;
  /** Since when it carries payloads. */
  joinedMs = 0;
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #deps: SpliceDeps;
  /** Turns with something to pass, in this span and the one before: an idle tunnel is not as good as a busy one. */
  #turns = 0;
  #turnsBefore = 0;
  #spanSinceMs = 0;
  #cancelLinger: (() => void) | undefined;
  #done = false;

  constructor(deps: SpliceDeps) {
    this.#deps = deps;
    const onPassed = (): void => this.#count();
    this.#up = new Lane(deps, onPassed);
    this.#down = new Lane(deps, onPassed);
    this.downloaderSide = this.#side(this.#up, this.#down);
    this.seederSide = this.#side(this.#down, this.#up);
  }

  get waiting(): number {
    return this.#up.waiting.length + this.#down.waiting.length;
  }

  get done(): boolean {
    return this.#done;
  }

  /** For how long nothing has passed, either way. */
  get idleMs(): number {
    return this.#deps.clock.monotonicMs() - Math.max(this.#up.passedMs, this.#down.passedMs);
  }

  /** For how long something has waited that nobody takes; 0 where nothing waits. */
  get stalledMs(): number {
    const holding = [this.#up, this.#down].filter(({ waiting }) => waiting.length > 0);
    const nowMs = this.#deps.clock.monotonicMs();
    return Math.max(0, ...holding.map(({ passedMs }) => nowMs - passedMs));
  }

  /** How busy it has been lately; only good for comparing. */
  get pace(): number {
    this.#turnSpan();
    return Math.max(this.#turns, this.#turnsBefore);
  }

  join(downloader: CircuitStream, seeder: CircuitStream): void {
    this.#up.from = this.#down.to = downloader;
    this.#up.to = this.#down.from = seeder;
    if (this.#done) return this.#endBoth();
    this.joinedMs = this.#spanSinceMs = this.#deps.clock.monotonicMs();
    this.#deps.joined();
    this.#up.pass();
    this.#down.pass();
  }

  /** Ends both streams at once. */
  abort(): void {
    if (this.#done) return;
    this.#done = true;
    this.#cancelLinger?.();
    this.#up.clear();
    this.#down.clear();
    this.#endBoth();
    this.#deps.done();
  }

  #side(out: Lane, back: Lane): StreamHandlers {
    return {
      onData: (payload) => {
        if (this.#done) return;
        if (!out.take(payload)) this.abort();
        else if (out.waiting.length > 0) this.#deps.queued();
      },
      onWindow: () => {
        if (this.#done) return;
        back.pass();
        if (back.senderEnded && back.waiting.length === 0) this.abort();
      },
      onEnd: (error) => this.#sideEnded(out, back, error),
    };
  }

  /** An orderly END still lets what was sent before it reach the other side, for a while. */
  #sideEnded(out: Lane, back: Lane, error: BackroomError | undefined): void {
    out.senderEnded = true;
    back.to = undefined;
    if (this.#done) return;
    const nobodyThere = out.to === undefined || back.senderEnded;
    if (error !== undefined || out.waiting.length === 0 || nobodyThere) this.abort();
    else this.#cancelLinger = this.#deps.clock.after(LIMITS.gateLingerMs, () => this.abort());
  }

  #endBoth(): void {
    if (!this.#up.senderEnded) this.#up.from?.end();
    if (!this.#down.senderEnded) this.#down.from?.end();
  }

  #count(): void {
    this.#turnSpan();
    this.#turns++;
  }

  #turnSpan(): void {
    const spans = Math.floor((this.#deps.clock.monotonicMs() - this.#spanSinceMs) / LIMITS.gateStallMs);
    if (spans === 0) return;
    this.#spanSinceMs += spans * LIMITS.gateStallMs;
    this.#turnsBefore = spans === 1 ? this.#turns : 0;
    this.#turns = 0;
  }
}
