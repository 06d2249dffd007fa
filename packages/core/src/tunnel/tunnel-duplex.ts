import type { Clock } from "../base/clock.ts";
import type { ByteDuplex, DuplexHandlers } from "../base/duplex.ts";
import { isBackroomError, type BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { release } from "../base/memory.ts";
import type { KeyChain } from "../circuit/key-chain.ts";
import type { CircuitStream, StreamHandlers } from "../circuit/stream.ts";
import { openRecord, RECORD_BYTES, sealRecord, WriteQueue } from "./records.ts";

export interface TunnelDeps {
  readonly clock: Pick<Clock, "after">;
  /** Runs a function after what happens now, once. Absent: `setImmediate`. */
  readonly soon?: (run: () => void) => void;
}

/**
 * The byte stream inside a tunnel whose keys are agreed. What is written within one turn of the event loop shares records: a record
 * costs 2 KiB at least, whatever is in it, and a peer's requests are 17 bytes each. So does what is written with `more` and what comes next.
 * A paused tunnel leaves records unopened and does not say `consumed`, so the peer stops at the window.
 */
export class TunnelDuplex implements ByteDuplex, StreamHandlers {
  readonly #stream: CircuitStream;
  readonly #outbound: KeyChain;
  readonly #inbound: KeyChain;
  readonly #deps: TunnelDeps;
  readonly #unsent = new WriteQueue();
  /** Records that arrived while paused: at most the window that we granted. */
  #unopened: Buffer[] = [];
  #handlers: DuplexHandlers | undefined;
  #paused = true;
  #opening = false;
  #flushing = false;
  /** While what is unsent waits for the next write, to fill its record: ends that. */
  #cancelHold: (() => void) | undefined;
  #writerWaits = false;
  /** open; closing: only what was written before still goes out; ended: the peer or circuit is gone; done: onClose was called. */
  #state: "open" | "closing" | "ended" | "done" = "open";
  #endError: BackroomError | undefined;
  #cancelLinger: (() => void) | undefined;

  constructor(stream: CircuitStream, chains: { outbound: KeyChain; inbound: KeyChain }, deps: TunnelDeps) {
    this.#stream = stream;
    this.#outbound = chains.outbound;
    this.#inbound = chains.inbound;
    this.#deps = deps;
  }

  start(handlers: DuplexHandlers): void {
    this.#handlers = handlers;
    this.resume();
  }

  write(bytes: Buffer, more = false): boolean {
    if (this.#state !== "open") return false;
    this.#unsent.push(bytes);
    this.#sendRecords(RECORD_BYTES);
    if (this.#unsent.bytes > LIMITS.tunnelQueueBytes) this.#writerWaits = true;
    this.#holds(more && !this.#writerWaits && this.#unsent.bytes > 0);
    this.#flushSoon();
    return !this.#writerWaits;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#openRecords();
  }

  close(): void {
    if (this.#state === "ended") this.#finish();
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#unopened = [];
    this.#sendRecords(1);
    if (this.#unsent.bytes === 0) this.#finish();
    else this.#cancelLinger = this.#deps.clock.after(LIMITS.tunnelLingerMs, () => this.#finish());
  }

  onData(record: Buffer): void {
    if (this.#state !== "open") return;
    this.#unopened.push(record);
    this.#openRecords();
  }

  onWindow(): void {
    this.#sendRecords(this.#state === "closing" ? 1 : RECORD_BYTES);
    if (this.#state === "closing" && this.#unsent.bytes === 0) this.#finish();
    this.#wakeWriter();
    this.#flushSoon();
  }

  onEnd(error?: BackroomError): void {
    if (this.#state === "closing") this.#finish();
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#endError = error;
    this.#openRecords();
  }

  /** Sends while the window allows and at least `least` bytes wait. */
  #sendRecords(least: number): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    while (this.#unsent.bytes >= least && this.#unsent.bytes > 0 && this.#stream.sendWindow > 0) {
      this.#stream.send(sealRecord(this.#outbound, this.#unsent));
    }
  }

  /** Lets what is unsent wait for the next write from now on, or no longer. */
  #holds(isHeld: boolean): void {
    this.#cancelHold?.();
    this.#cancelHold = undefined;
    if (!isHeld) return;
    this.#cancelHold = this.#deps.clock.after(LIMITS.tunnelHoldMs, () => {
      this.#cancelHold = undefined;
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#flushing || this.#cancelHold !== undefined || this.#unsent.bytes === 0) return;
    this.#flushing = true;
    (this.#deps.soon ?? setImmediate)(() => {
      this.#flushing = false;
      this.#sendRecords(this.#cancelHold === undefined ? 1 : RECORD_BYTES);
      this.#wakeWriter();
    });
  }

  /** Never from inside `write`, so that a writer is not called while it writes. */
  #wakeWriter(): void {
    if (!this.#writerWaits || this.#state !== "open" || this.#unsent.bytes > LIMITS.tunnelQueueBytes / 2)
      return;
    this.#writerWaits = false;
    this.#handlers?.onDrain();
  }

  #openRecords(): void {
    // A handler may pause, resume or close; only the outermost call goes through the queue.
    if (this.#opening || this.#handlers === undefined) return;
    this.#opening = true;
    let next = 0;
    try {
      while (!this.#paused && next < this.#unopened.length) {
        const bytes = openRecord(this.#inbound, this.#unopened[next++] as Buffer);
        if (bytes.length > 0) this.#handlers.onData(bytes);
        release(bytes);
        if (this.#state === "open") this.#stream.consumed(1);
      }
    } catch (error) {
      if (!isBackroomError(error, "E_TUNNEL")) throw error;
      this.#endError = error;
      this.#finish();
    } finally {
      this.#opening = false;
      this.#unopened.splice(0, next);
    }
    if (this.#state === "ended" && this.#unopened.length === 0) this.#finish();
  }

  #finish(): void {
    if (this.#state === "done") return;
    const peerEnded = this.#state === "ended";
    this.#state = "done";
    this.#unopened = [];
    this.#holds(false);
    this.#cancelLinger?.();
    if (!peerEnded) this.#stream.end();
    this.#handlers?.onClose(this.#endError);
  }
}
