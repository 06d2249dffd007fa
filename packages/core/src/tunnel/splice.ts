import type { Clock } from "../base/clock.ts";
import type { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { CircuitStream, StreamHandlers } from "../circuit/stream.ts";

/**
 * One direction of a spliced tunnel. A payload that the far side has no window for waits here, and only when it was passed on
 * is its sender told `consumed`: so a side that stalls stops its own peer at the window, and nobody else.
 */
class Lane {
  readonly waiting: Buffer[] = [];
  from: CircuitStream | undefined;
  to: CircuitStream | undefined;
  /** The sender is gone; what waits may still go out. */
  senderEnded = false;

  /** Returns false when the sender broke the window that it was granted. */
  take(payload: Buffer): boolean {
    this.waiting.push(payload);
    this.pass();
    return this.waiting.length <= LIMITS.gateQueueFrames;
  }

  pass(): void {
    while (this.to !== undefined && this.to.sendWindow > 0) {
      const payload = this.waiting.shift();
      if (payload === undefined) return;
      this.to.send(payload);
      if (!this.senderEnded) this.from?.consumed(1);
    }
  }
}

/** What a gate's tunnels share: how many payloads wait in all of them. */
export class SpliceTotal {
  readonly #open = new Set<Splice>();
  readonly #clock: Pick<Clock, "after">;

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  get tunnels(): number {
    return this.#open.size;
  }

  get waiting(): number {
    let waiting = 0;
    for (const splice of this.#open) waiting += splice.waiting;
    return waiting;
  }

  /** A new tunnel; `onDone` runs once, when both its streams are gone. */
  splice(onDone: () => void): Splice {
    const splice: Splice = new Splice({
      clock: this.#clock,
      queued: () => this.#makeRoom(),
      done: () => {
        this.#open.delete(splice);
        onDone();
      },
    });
    this.#open.add(splice);
    return splice;
  }

  /** Over the bound of all tunnels together the one that holds most goes: it is the one that stalls. */
  #makeRoom(): void {
    if (this.waiting <= LIMITS.gateQueuedFrames) return;
    const longest = [...this.#open].reduce((a, b) => (b.waiting > a.waiting ? b : a));
    longest.abort();
  }
}

interface SpliceDeps {
  readonly clock: Pick<Clock, "after">;
  /** Told when a payload had to wait. */
  queued(): void;
  done(): void;
}

/** Two streams joined at a gate: payloads and END pass unchanged (PROTOCOL 8). */
export class Splice {
  /** For the stream that a downloader opened, and for the one that the gate opens to the seeder. */
  readonly downloaderSide: StreamHandlers;
  readonly seederSide: StreamHandlers;
  readonly #up = new Lane();
  readonly #down = new Lane();
  readonly #deps: SpliceDeps;
  #cancelLinger: (() => void) | undefined;
  #done = false;

  constructor(deps: SpliceDeps) {
    this.#deps = deps;
    this.downloaderSide = this.#side(this.#up, this.#down);
    this.seederSide = this.#side(this.#down, this.#up);
  }

  get waiting(): number {
    return this.#up.waiting.length + this.#down.waiting.length;
  }

  join(downloader: CircuitStream, seeder: CircuitStream): void {
    this.#up.from = this.#down.to = downloader;
    this.#up.to = this.#down.from = seeder;
    if (this.#done) this.#endBoth();
    this.#up.pass();
    this.#down.pass();
  }

  /** Ends both streams at once. */
  abort(): void {
    if (this.#done) return;
    this.#done = true;
    this.#cancelLinger?.();
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
    if (error !== undefined || out.waiting.length === 0 || back.senderEnded) this.abort();
    else this.#cancelLinger = this.#deps.clock.after(LIMITS.gateLingerMs, () => this.abort());
  }

  #endBoth(): void {
    if (!this.#up.senderEnded) this.#up.from?.end();
    if (!this.#down.senderEnded) this.#down.from?.end();
  }
}
