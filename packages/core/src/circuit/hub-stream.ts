import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { END_REASON, type EndReason } from "./control.ts";
import type { CreditPool } from "./credit-pool.ts";
import { CreditWindow, type CreditDeps } from "./credit-window.ts";
import { Fifo } from "./fifo.ts";
import { STREAM_PAYLOAD_BYTES, type CircuitStream, type StreamHandlers } from "./stream.ts";

/** What a stream needs of the hub that it belongs to. */
export interface StreamPort {
  queued(stream: HubStream, payloadBytes: number): void;
  /** So many payloads more lie with the stream's reader; negative when fewer do. */
  held(by: number): void;
  /** A queued payload will not be sent after all. */
  dropped(payloadBytes: number): void;
  answered(): void;
  sendWindow(stream: HubStream, frames: number): void;
  sendEnd(stream: HubStream, reason: EndReason, sentFrames: number): void;
  forget(stream: HubStream): void;
}

/** PROTOCOL 6.3. */
const WINDOW = {
  first: LIMITS.streamFrames,
  used: LIMITS.streamFramesUsed,
  least: LIMITS.streamFramesLeast,
  most: LIMITS.streamFramesMost,
  batch: LIMITS.windowBatch,
};

/** The one CircuitStream, for both ends: windows of both directions, acceptance and end (PROTOCOL 6.2, 6.3). */
export class HubStream implements CircuitStream {
  readonly id: number;
  readonly #port: StreamPort;
  readonly #outgoing = new Fifo<Buffer>();
  #handlers: StreamHandlers | undefined;
  #state: "waiting" | "open" | "ended";
  #sendWindow: number = LIMITS.streamFrames;
  /** The queue was filled and has not fallen to half of it since: whoever sends waits here, not with what the other end granted. */
  #full = false;
  readonly #window: CreditWindow;
  readonly #pool: CreditPool;
  #sentFrames = 0;
  #receivedFrames = 0;
  /** How many frames the other end sent in all, once it has said that it ended. */
  #lastFrame: number | undefined;

  constructor(port: StreamPort, id: number, origin: "opened" | "accepted", credits: CreditDeps) {
    this.#window = new CreditWindow(WINDOW, credits);
    this.#pool = credits.section.pool;
    this.#port = port;
    this.id = id;
    this.#state = origin === "opened" ? "waiting" : "open";
  }

  get sendWindow(): number {
    return this.#state === "ended" || this.#full ? 0 : this.#sendWindow;
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  get payloadCount(): number {
    return this.#outgoing.length;
  }

  start(handlers: StreamHandlers): void {
    this.#handlers = handlers;
  }

  send(payload: Buffer): void {
    if (this.#state === "ended") return;
    if (this.sendWindow === 0 || payload.length === 0 || payload.length > STREAM_PAYLOAD_BYTES) {
      throw new BackroomError("E_INTERNAL", "a stream was given what its window or a frame does not hold");
    }
    this.#sendWindow--;
    this.#sentFrames++;
    this.#outgoing.push(payload);
    if (this.#outgoing.length >= this.#queueFrames) this.#full = true;
    this.#port.queued(this, payload.length);
  }

  /** How many payloads may wait for the circuit, fewer where too much waits already. */
  get #queueFrames(): number {
    return Math.max(LIMITS.streamQueueLeast, Math.ceil(LIMITS.streamQueueFrames * (1 - this.#pool.crowding)));
  }

  consumed(frames: number): void {
    if (this.#state === "ended") return;
    if (frames > this.#window.held)
      throw new BackroomError("E_INTERNAL", "more was consumed than was delivered");
    this.#window.release(frames);
    this.#port.held(-frames);
    if (this.#lastFrame !== undefined || !this.#window.due) return;
    const granted = this.#window.grant();
    if (granted > 0) this.#port.sendWindow(this, granted);
  }

  end(): void {
    this.#finish(END_REASON.done, undefined);
  }

  /** For the hub, on BEGIN: nobody wants the stream. */
  refuse(): void {
    this.#finish(END_REASON.refused, undefined);
  }

  /** At once, whatever is queued. For the hub: when the circuit is gone. */
  abandon(error: BackroomError | undefined): void {
    for (let left = this.#outgoing.shift(); left !== undefined; left = this.#outgoing.shift())
      this.#port.dropped(left.length);
    this.#close(error);
  }

  takePayload(): Buffer {
    return this.#outgoing.shift() as Buffer;
  }

  /** For the hub, once what `takePayload` gave is out of the way. */
  tookPayload(): void {
    if (!this.#full || this.#outgoing.length * 2 > this.#queueFrames) return;
    this.#full = false;
    if (this.sendWindow > 0) this.#handlers?.onWindow();
  }

  receiveBegun(): void {
    if (this.#state !== "waiting") throw new BackroomError("E_FRAME", "a stream was accepted twice");
    this.#state = "open";
    this.#port.answered();
  }

  receiveData(payload: Buffer): void {
    if (!this.#window.take()) {
      return this.#finish(
        END_REASON.broken,
        new BackroomError("E_FRAME", "a stream got more than it granted"),
      );
    }
    this.#receivedFrames++;
    this.#port.held(1);
    this.#handlers?.onData(payload);
    this.#endIfComplete();
  }

  receiveWindow(frames: number): void {
    if (this.#sendWindow + frames > LIMITS.streamFramesMost) {
      return this.#finish(
        END_REASON.broken,
        new BackroomError("E_FRAME", "a stream's window is out of range"),
      );
    }
    if (this.#lastFrame !== undefined) return;
    const wasClosed = this.sendWindow === 0;
    this.#sendWindow += frames;
    if (wasClosed && this.sendWindow > 0) this.#handlers?.onWindow();
  }

  receiveEnd(reason: EndReason, sentFrames: number): void {
    if (reason === END_REASON.done) {
      // CONTROL overtakes: the last frames may still be on the way. Nothing goes out in the meantime.
      this.#lastFrame = sentFrames;
      this.#sendWindow = 0;
      return this.#endIfComplete();
    }
    const refused = reason === END_REASON.refused;
    this.abandon(
      refused
        ? new BackroomError("E_REFUSED", "the other end refused the stream")
        : new BackroomError("E_CIRCUIT", "the other end broke the stream off"),
    );
  }

  #endIfComplete(): void {
    if (this.#lastFrame !== undefined && this.#receivedFrames >= this.#lastFrame) this.#close(undefined);
  }

  #finish(reason: EndReason, error: BackroomError | undefined): void {
    if (this.#state === "ended") return;
    this.#port.sendEnd(this, reason, this.#sentFrames);
    if (reason === END_REASON.done) this.#close(error);
    else this.abandon(error);
  }

  #close(error: BackroomError | undefined): void {
    if (this.#state === "ended") return;
    if (this.#state === "waiting") this.#port.answered();
    this.#state = "ended";
    this.#window.close();
    this.#port.held(-this.#window.held);
    this.#port.forget(this);
    this.#handlers?.onEnd(error);
  }
}
