import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { RateLimit, RateShare } from "../base/rate-limit.ts";
import {
  DATA_FRAME_BYTES,
  FRAME,
  frameBody,
  makeFrame,
  setFrameCircuit,
  setFrameCredit,
} from "../net/frame.ts";
import type { DestroyReason } from "./control.ts";
import { CreditWindow, type CreditDeps } from "./credit-window.ts";
import { Fifo } from "./fifo.ts";

/** Where a leg takes the next DATA frame from, once there is credit and the channel has room. */
export interface FrameSource {
  /** How many frames `take` can give now. Call `leg.wake()` when this rises. */
  readonly waiting: number;
  /** A whole DATA frame; its header is written by the leg. */
  take(): Buffer;
}

/** What happens on a leg. Frames belong to who gets them. */
export interface LegEvents {
  /** Call `release` once the frame holds no memory here any more: that gives its credit back. */
  onData(frame: Buffer): void;
  onControl(frame: Buffer): void;
  /** Only on a leg that this side opened. */
  onCreated(body: Buffer): void;
  /** The neighbour destroyed the circuit or the channel is gone. Nothing comes after it, and it does not come after `destroy`. */
  onGone(): void;
}

/** PROTOCOL 6.3, for each direction. */
const CREDITS = {
  first: LIMITS.circuitFrames,
  used: LIMITS.circuitFramesUsed,
  least: LIMITS.circuitFramesLeast,
  most: LIMITS.circuitFramesMost,
  batch: LIMITS.creditBatch,
};

/** What a leg needs of the channel that it shares with others. */
interface LegHost {
  schedule(leg: Leg): void;
  transmit(frame: Buffer): void;
  remove(leg: Leg): void;
  /** Tells the neighbour that a circuit is over, once the channel has room. */
  sendDestroy(id: number, reason: DestroyReason): void;
  /** For a neighbour that breaks the rules of PROTOCOL 6.3. */
  fail(error: BackroomError): void;
}

/**
 * One circuit on one channel: its queues and the credits of both directions (PROTOCOL 6.3). Whatever a neighbour sent in the header is
 * read here and never passed on; every frame that leaves gets a header written anew.
 */
export class Leg {
  readonly id: number;
  /** In the channel's ring of legs that have something to send; kept by the channel. */
  scheduled = false;
  readonly #host: LegHost;
  readonly #control = new Fifo<Buffer>();
  #events: LegEvents | undefined;
  #source: FrameSource | undefined;
  /** Waits its turn like all others: whoever opens circuits and never reads would else fill the channel's queue. */
  #answer: Buffer | undefined;
  /** A leg that waits for CREATED may send nothing and must get nothing. */
  #created: boolean;
  #gone = false;
  #sendCredit: number = LIMITS.circuitFrames;
  readonly #credits: CreditWindow;
  /** Each leg takes its turn at the relay's limit of speed, where there is one. */
  readonly #rate: RateShare | undefined;
  #waitsForRate = false;

  constructor(host: LegHost, id: number, created: boolean, credits: CreditDeps, limit?: RateLimit) {
    this.#host = host;
    this.#rate = limit?.share(() => {
      this.#waitsForRate = false;
      this.wake();
    });
    this.#credits = new CreditWindow(CREDITS, credits);
    this.id = id;
    this.#created = created;
  }

  get alive(): boolean {
    return !this.#gone;
  }

  start(events: LegEvents, source: FrameSource): void {
    this.#events = events;
    this.#source = source;
  }

  /** CONTROL frames that wait. */
  get controlWaiting(): number {
    return this.#control.length;
  }

  sendCreate(message: Buffer): void {
    const frame = makeFrame(FRAME.create, this.id);
    frameBody(frame).set(message);
    this.#host.transmit(frame);
  }

  sendCreated(reply: Buffer): void {
    if (this.#gone) return;
    this.#answer = makeFrame(FRAME.created, this.id);
    frameBody(this.#answer).set(reply);
    this.wake();
  }

  /** Queues a whole CONTROL frame, ahead of all DATA. */
  sendControl(frame: Buffer): void {
    if (this.#gone) return;
    this.#control.push(frame);
    this.wake();
  }

  /** Says that there may be something to send. */
  wake(): void {
    if (this.sendable) this.#host.schedule(this);
  }

  /** One DATA frame that came in is no longer held here. */
  release(): void {
    if (this.#gone) return;
    this.#credits.release(1);
    if (this.#credits.due) this.wake();
  }

  /** Ends this leg and tells the neighbour; `onGone` is not called. */
  destroy(reason: DestroyReason): void {
    if (this.#gone) return;
    this.#drop();
    this.#host.remove(this);
    this.#host.sendDestroy(this.id, reason);
  }

  get sendable(): boolean {
    if (this.#gone || !this.#created) return false;
    if (this.#answer !== undefined || this.#control.length > 0 || this.#dataReady()) return true;
    return this.#credits.due;
  }

  /** For the channel, when it is this leg's turn: sends one frame. */
  sendOne(): void {
    if (this.#answer !== undefined) {
      this.#host.transmit(this.#answer);
      this.#answer = undefined;
      return;
    }
    const credit = this.#credits.grant();
    const frame = this.#nextFrame(credit);
    if (frame === undefined) return;
    // CONTROL and credits do not wait, or all that waits for them would; they are paid for afterwards.
    this.#rate?.spend(frame.length);
    setFrameCircuit(frame, this.id);
    setFrameCredit(frame, credit);
    this.#host.transmit(frame);
  }

  #nextFrame(credit: number): Buffer | undefined {
    const control = this.#control.shift();
    if (control !== undefined) return typed(control, FRAME.control);
    if (this.#dataReady() && this.#mayPass()) {
      this.#sendCredit--;
      const frame = (this.#source as FrameSource).take();
      return typed(frame, frame.length === DATA_FRAME_BYTES ? FRAME.data : FRAME.shortData);
    }
    return credit > 0 ? makeFrame(FRAME.credit, this.id) : undefined;
  }

  /** Frames that wait for the limit hold credit: whoever sends them is slowed down by that, and nothing is lost. */
  #mayPass(): boolean {
    this.#waitsForRate = this.#rate !== undefined && this.#rate.request() === 0;
    return !this.#waitsForRate;
  }

  #dataReady(): boolean {
    if (this.#waitsForRate) return false;
    return this.#sendCredit > 0 && this.#source !== undefined && this.#source.waiting > 0;
  }

  // --- for the channel: what came in ---

  receiveCreated(body: Buffer): void {
    if (this.#created) return this.#host.fail(broken("a circuit was created twice"));
    this.#created = true;
    this.#events?.onCreated(body);
  }

  receiveData(frame: Buffer, credit: number): void {
    if (!this.#accept(credit)) return;
    if (!this.#credits.take()) return this.#host.fail(broken("a neighbour sent more than it was granted"));
    this.#events?.onData(frame);
  }

  receiveControl(frame: Buffer, credit: number): void {
    if (this.#accept(credit)) this.#events?.onControl(frame);
  }

  receiveCredit(credit: number): void {
    if (credit === 0) return this.#host.fail(broken("a credit frame grants nothing"));
    this.#accept(credit);
  }

  /** Takes up the header's credit. False when the leg cannot go on. */
  #accept(credit: number): boolean {
    if (!this.#created) {
      this.#host.fail(broken("a frame came before its circuit was created"));
      return false;
    }
    if (credit === 0) return true;
    // Grants may exceed what was sent, so that they grow with rate and delay; the sum has its bound all the same.
    if (this.#sendCredit + credit > LIMITS.circuitFramesMost) {
      this.#host.fail(broken("a neighbour granted more than it may"));
      return false;
    }
    this.#sendCredit += credit;
    this.wake();
    return true;
  }

  receiveGone(): void {
    if (this.#gone) return;
    this.#drop();
    this.#events?.onGone();
  }

  #drop(): void {
    this.#gone = true;
    this.#rate?.close();
    this.#credits.close();
    this.#control.clear();
    this.#answer = undefined;
    this.#source = undefined;
  }
}

function typed(frame: Buffer, type: number): Buffer {
  frame[4] = type;
  frame[5] = 0;
  return frame;
}

function broken(what: string): BackroomError {
  return new BackroomError("E_FRAME", what);
}
