import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { release } from "../base/memory.ts";
import type { Channel } from "../net/channel.ts";
import { FRAME, makeFrame } from "../net/frame.ts";
import {
  COMMAND,
  decodeControl,
  decodeExtend,
  DESTROY_REASON,
  makeDataFrame,
  writeControl,
  writeData,
  type Command,
  type ControlMessage,
  type DestroyReason,
} from "./control.ts";
import { SERVER_REPLY_BYTES } from "./handshake.ts";
import { MAX_HOPS, MINE, PASS_ON, type RelayLayers } from "./layer.ts";
import type { Leg, LegEvents } from "./leg.ts";
import { PassOnQueue, type QueueMeter } from "./pass-on-queue.ts";
import { Extension, type ExtensionDeps } from "./relay-extension.ts";
import {
  SERVICE,
  type CircuitStream,
  type ServedCircuit,
  type Service,
  type ServiceHandler,
  type StreamHandlers,
} from "./stream.ts";
import { StreamHub, type HubPort } from "./stream-hub.ts";

/** What all circuits of a relay share. */
export interface RelayContext extends ExtensionDeps {
  readonly services: Partial<Record<Service, ServiceHandler>>;
  readonly meter: QueueMeter;
  onCircuitEnded(circuit: RelayCircuit): void;
}

/** The channel towards the client. */
type Neighbour = Pick<Channel, "peerKey" | "peerHost">;

let lastId = 0;

/**
 * A relay's part of one circuit: `previous` towards the client, `next` once it was extended. Until then it is the last hop and has the
 * streams. Any frame that is not right ends the circuit in both directions; what the side that did nothing wrong is told never
 * depends on what went wrong (PROTOCOL 6.2).
 */
export class RelayCircuit implements ServedCircuit, HubPort, LegEvents {
  readonly id = ++lastId;
  readonly #context: RelayContext;
  readonly #layers: RelayLayers;
  readonly #position: number;
  readonly #previous: Leg;
  readonly #neighbour: Neighbour;
  readonly #hub: StreamHub;
  readonly #startedMs: number;
  readonly #listeners: (() => void)[] = [];
  #idleSinceMs: number;
  #next: Leg | undefined;
  #toNext: PassOnQueue | undefined;
  #toPrevious: PassOnQueue | undefined;
  #extension: Extension | undefined;
  #ended = false;

  constructor(
    context: RelayContext,
    previous: Leg,
    neighbour: Neighbour,
    layers: RelayLayers,
    position: number,
  ) {
    this.#context = context;
    this.#previous = previous;
    this.#neighbour = neighbour;
    this.#layers = layers;
    this.#position = position;
    const credits = { clock: context.clock, section: context.channels.credits.section() };
    this.#hub = new StreamHub(this, "last hop", credits, context.meter);
    this.#startedMs = context.clock.monotonicMs();
    this.#idleSinceMs = this.#startedMs;
    previous.start(this, this.#hub);
  }

  get alive(): boolean {
    return !this.#ended;
  }

  get clientHost(): string | undefined {
    return this.#neighbour.peerKey === undefined ? this.#neighbour.peerHost : undefined;
  }

  /** DATA frames of it that wait in this relay. */
  get heldBytes(): number {
    return (this.#toNext?.bytes ?? 0) + (this.#toPrevious?.bytes ?? 0) + this.#hub.waitingBytes;
  }

  /** Raises E_CIRCUIT when the circuit is gone, too old, or has been extended. */
  openStream(service: Service, args: Uint8Array, handlers: StreamHandlers): CircuitStream {
    if (this.#ended || this.#extension !== undefined || !this.#fresh()) {
      throw new BackroomError("E_CIRCUIT", "the circuit takes no new streams");
    }
    return this.#hub.open(service, args, handlers);
  }

  onDestroyed(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Ends the circuit when it is too old, or nobody has used it for too long. Called now and then. */
  sweep(): void {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#startedMs > LIMITS.circuitLifeMs)
      return this.end(DESTROY_REASON.done, DESTROY_REASON.gone);
    if (this.#extension !== undefined) return;
    if (this.#hub.streamCount > 0) this.#idleSinceMs = nowMs;
    const idle = nowMs - this.#idleSinceMs > LIMITS.circuitIdleMs;
    if (idle || (!this.#fresh() && this.#hub.streamCount === 0))
      this.end(DESTROY_REASON.done, DESTROY_REASON.gone);
  }

  #fresh(): boolean {
    return this.#context.clock.monotonicMs() - this.#startedMs <= LIMITS.circuitFreshMs;
  }

  // --- from the client's side ---

  onData(frame: Buffer): void {
    this.#guarded(() => {
      const opened = this.#layers.open(frame);
      if (opened[0] === PASS_ON && this.#toNext !== undefined) {
        this.#layers.passOn(opened, frame);
        this.#toNext.push(frame);
        this.#next?.wake();
      } else if (opened[0] === MINE && this.#extension === undefined) {
        release(frame);
        this.#hub.receiveData(opened);
        this.#previous.release();
      } else {
        throw misplaced();
      }
    });
  }

  onControl(frame: Buffer): void {
    this.#guarded(() => {
      const opened = this.#layers.open(frame);
      if (opened[0] === PASS_ON && this.#next !== undefined) {
        this.#layers.passOn(opened, frame);
        this.#sendControl(this.#next, frame);
      } else if (opened[0] === MINE && this.#extension === undefined) {
        this.#receiveControl(decodeControl(opened.subarray(1)));
      } else {
        throw misplaced();
      }
    });
  }

  onCreated(): void {
    // The side that the client is on never answers: this leg was not opened from here.
  }

  onGone(): void {
    this.end(undefined, DESTROY_REASON.gone);
  }

  #receiveControl(message: ControlMessage): void {
    if (message.command === COMMAND.extend) this.#extend(message.payload);
    else this.#hub.receiveControl(message);
  }

  // --- extension ---

  #extend(payload: Buffer): void {
    if (this.#position >= MAX_HOPS || this.#hub.streamCount > 0 || this.#hub.waiting > 0) throw misplaced();
    const { info, hello } = decodeExtend(payload);
    // Also when it fails: a client that wants another hop builds another circuit, and nobody makes a relay dial on and on.
    this.#extension = new Extension(this.#context, this.#neighbour.peerKey, {
      leg: (leg) => this.#startNext(leg),
      extended: (leg, reply) => {
        this.#next = leg;
        this.#toPrevious = new PassOnQueue(leg, this.#context.meter);
        this.#previous.start(this, this.#toPrevious);
        this.sendControl(COMMAND.extended, 0, reply);
      },
      failed: (reason) => this.sendControl(COMMAND.extendFailed, 0, Buffer.of(reason)),
    });
    this.#extension.start(info, hello);
  }

  #startNext(leg: Leg): void {
    this.#toNext = new PassOnQueue(this.#previous, this.#context.meter);
    const events: LegEvents = {
      onData: (frame) => {
        this.#layers.wrap(frame);
        this.#toPrevious?.push(frame);
        this.#previous.wake();
      },
      onControl: (frame) => {
        this.#layers.wrap(frame);
        this.#guarded(() => this.#sendControl(this.#previous, frame));
      },
      onCreated: (body) => this.#extension?.answered(body.subarray(0, SERVER_REPLY_BYTES)),
      onGone: () => {
        if (this.#next === undefined) this.#extension?.refused();
        else this.end(DESTROY_REASON.gone, undefined);
      },
    };
    leg.start(events, this.#toNext);
  }

  // --- for the streams ---

  accept(stream: CircuitStream, service: number, args: Buffer): StreamHandlers | undefined {
    // `incoming` is what gates open towards seeders; nobody opens it towards a relay.
    if (service === SERVICE.incoming || !this.#fresh()) return undefined;
    this.#idleSinceMs = this.#context.clock.monotonicMs();
    return this.#context.services[service as Service]?.(stream, args, this);
  }

  wake(): void {
    this.#previous.wake();
  }

  sealData(stream: number, payload: Buffer): Buffer {
    const frame = makeDataFrame(payload.length);
    const range = this.#layers.ownRange(frame.length);
    writeData(frame, range, stream, payload);
    release(payload);
    frame[range.start] = MINE;
    this.#layers.sealOwn(frame);
    return frame;
  }

  sendControl(command: Command, stream: number, payload: Buffer): void {
    if (this.#ended) return;
    const frame = makeFrame(FRAME.control, 0);
    const range = this.#layers.ownRange(frame.length);
    writeControl(frame, range, { command, stream, payload });
    frame[range.start] = MINE;
    this.#layers.sealOwn(frame);
    this.#guarded(() => this.#sendControl(this.#previous, frame));
  }

  #sendControl(leg: Leg, frame: Buffer): void {
    if (leg.controlWaiting >= LIMITS.controlFrames) {
      throw new BackroomError("E_FRAME", "too many control frames wait in a circuit");
    }
    leg.sendControl(frame);
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof BackroomError) || error.code === "E_INTERNAL") throw error;
      this.end(DESTROY_REASON.broken, DESTROY_REASON.gone);
    }
  }

  /** Ends the circuit; undefined for the side that ended it, which is not told. */
  end(toPrevious: DestroyReason | undefined, toNext: DestroyReason | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    if (toPrevious !== undefined) this.#previous.destroy(toPrevious);
    this.#extension?.cancel();
    if (toNext !== undefined) this.#next?.destroy(toNext);
    this.#toNext?.clear();
    this.#toPrevious?.clear();
    this.#hub.close(new BackroomError("E_CIRCUIT", "the circuit is gone"));
    this.#context.onCircuitEnded(this);
    for (const listener of this.#listeners) listener();
  }
}

function misplaced(): BackroomError {
  return new BackroomError("E_FRAME", "a frame does not fit the state of its circuit");
}
