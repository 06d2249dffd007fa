import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { release } from "../base/memory.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import type { Channel } from "../net/channel.ts";
import { FRAME, frameBody, frameCircuit, frameCredit, frameType, isData, makeFrame } from "../net/frame.ts";
import { DESTROY_REASON, type DestroyReason } from "./control.ts";
import type { CreditDeps } from "./credit-window.ts";
import { Fifo } from "./fifo.ts";
import { CLIENT_MESSAGE_BYTES } from "./handshake.ts";
import { Leg } from "./leg.ts";

/** Ids of circuits that the channel's initiator opened (PROTOCOL 5). */
const INITIATOR_BIT = 0x8000_0000;
const LAST_NUMBER = 0x7fff_ffff;

export interface MuxHandlers {
  /** A neighbour opens a circuit: answer with `sendCreated`, or destroy the leg. Absent where nobody may: on a client's channel. */
  onCreate?(leg: Leg, message: Buffer, mux: ChannelMux): void;
  /** How many circuits a channel on which the neighbour opens another one may carry. Absent: as many as its kind may. */
  mostCircuits?(channel: Channel): number;
  /** What all circuits of a relay share. */
  readonly limit?: RateLimit;
  /** Once; every leg has had `onGone` by then. */
  onClose?(mux: ChannelMux, error: BackroomError | undefined): void;
  /** The last leg is gone. */
  onIdle?(mux: ChannelMux): void;
}

/**
 * Many circuits on one channel. Legs with something to send take turns, a frame each, as long as the channel accepts; so one circuit
 * with a full queue costs another one frame's time, and a blocked channel holds no more than the circuits' credits.
 */
export class ChannelMux {
  readonly channel: Channel;
  readonly #credits: CreditDeps;
  readonly #handlers: MuxHandlers;
  readonly #legs = new Map<number, Leg>();
  readonly #turns = new Fifo<Leg>();
  /** What waits for the channel to have room: not frames, of which a neighbour that does not read could make any number wait. */
  readonly #destroys = new Fifo<{ readonly id: number; readonly reason: DestroyReason }>();
  readonly #limit: number;
  #lastNumber = 0;
  #accepting = true;
  #pumping = false;
  #closed = false;

  /** `credits` is what the circuits of this channel share. */
  constructor(channel: Channel, credits: CreditDeps, handlers: MuxHandlers = {}) {
    this.channel = channel;
    this.#credits = credits;
    this.#handlers = handlers;
    this.#limit = channel.peerKey === undefined ? LIMITS.circuitsPerClient : LIMITS.circuitsPerRelay;
    channel.start({
      onFrame: (frame) => this.#receive(frame),
      onDrain: () => this.#drained(),
      onClose: (error) => this.#ended(error),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get circuitCount(): number {
    return this.#legs.size;
  }

  /** A leg with a fresh id, for CREATE. Raises E_CIRCUIT on a channel that is closed or full. */
  open(): Leg {
    if (this.#closed) throw new BackroomError("E_CIRCUIT", "the channel is closed");
    if (this.#legs.size >= this.#limit)
      throw new BackroomError("E_CIRCUIT", "the channel carries too many circuits");
    const bit = this.channel.initiator ? INITIATOR_BIT : 0;
    // Counting up keeps an id out of use until all others had their turn: late frames of an old circuit meet no new one.
    do {
      this.#lastNumber = this.#lastNumber === LAST_NUMBER ? 1 : this.#lastNumber + 1;
    } while (this.#legs.has(this.#lastNumber + bit));
    return this.#add(this.#lastNumber + bit, false);
  }

  close(error?: BackroomError): void {
    this.channel.close(error);
  }

  // --- for legs ---

  schedule(leg: Leg): void {
    if (!leg.scheduled) {
      leg.scheduled = true;
      this.#turns.push(leg);
    }
    this.#pump();
  }

  transmit(frame: Buffer): void {
    if (!this.channel.send(frame)) this.#accepting = false;
  }

  remove(leg: Leg): void {
    this.#legs.delete(leg.id);
    if (this.#legs.size === 0) this.#handlers.onIdle?.(this);
  }

  sendDestroy(id: number, reason: DestroyReason): void {
    if (this.#closed) return;
    this.#destroys.push({ id, reason });
    if (this.#destroys.length > LIMITS.destroysWaiting)
      return this.fail(new BackroomError("E_CHANNEL", "the neighbour does not read"));
    this.#pump();
  }

  fail(error: BackroomError): void {
    this.channel.close(error);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#accepting) {
      const over = this.#destroys.shift();
      if (over !== undefined) {
        const frame = makeFrame(FRAME.destroy, over.id);
        frameBody(frame)[0] = over.reason;
        this.transmit(frame);
        continue;
      }
      const leg = this.#turns.shift();
      if (leg === undefined) break;
      leg.scheduled = false;
      leg.sendOne();
      if (leg.sendable && !leg.scheduled) {
        leg.scheduled = true;
        this.#turns.push(leg);
      }
    }
    this.#pumping = false;
  }

  #drained(): void {
    this.#accepting = true;
    this.#pump();
  }

  #receive(frame: Buffer): void {
    const id = frameCircuit(frame);
    const type = frameType(frame);
    if (type === FRAME.create) return this.#receiveCreate(id, frame);
    const leg = this.#legs.get(id);
    // A circuit that this side destroyed while frames of it were under way.
    if (leg === undefined) return release(frame);
    if (isData(type)) return leg.receiveData(frame, frameCredit(frame));
    if (type === FRAME.control) return leg.receiveControl(frame, frameCredit(frame));
    if (type === FRAME.credit) return leg.receiveCredit(frameCredit(frame));
    if (type === FRAME.created) return leg.receiveCreated(frameBody(frame));
    this.#legs.delete(id);
    leg.receiveGone();
    if (this.#legs.size === 0) this.#handlers.onIdle?.(this);
  }

  #receiveCreate(id: number, frame: Buffer): void {
    const byInitiator = id >= INITIATOR_BIT;
    if (
      byInitiator === this.channel.initiator ||
      this.#legs.has(id) ||
      this.#handlers.onCreate === undefined
    ) {
      return this.fail(new BackroomError("E_FRAME", "a neighbour opened a circuit that it may not"));
    }
    if (this.#legs.size >= (this.#handlers.mostCircuits?.(this.channel) ?? this.#limit)) {
      return this.sendDestroy(id, DESTROY_REASON.refused);
    }
    this.#handlers.onCreate(this.#add(id, true), frameBody(frame).subarray(0, CLIENT_MESSAGE_BYTES), this);
  }

  #add(id: number, created: boolean): Leg {
    const leg = new Leg(this, id, created, this.#credits, this.#handlers.limit);
    this.#legs.set(id, leg);
    return leg;
  }

  #ended(error: BackroomError | undefined): void {
    this.#closed = true;
    const legs = [...this.#legs.values()];
    this.#legs.clear();
    this.#destroys.clear();
    // First of all, so that nobody who opens another circuit at once is given this channel again.
    this.#handlers.onClose?.(this, error);
    for (const leg of legs) leg.receiveGone();
  }
}
