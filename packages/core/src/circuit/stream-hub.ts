import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import {
  COMMAND,
  dataFrameBytes,
  decodeBegin,
  decodeData,
  decodeEnd,
  decodeWindow,
  encodeBegin,
  encodeEnd,
  encodeWindow,
  type Command,
  type ControlMessage,
  type EndReason,
} from "./control.ts";
import type { CreditDeps } from "./credit-window.ts";
import { Fifo } from "./fifo.ts";
import { HubStream, type StreamPort } from "./hub-stream.ts";
import type { FrameSource } from "./leg.ts";
import type { QueueMeter } from "./pass-on-queue.ts";
import type { CircuitStream, Service, StreamHandlers } from "./stream.ts";

/** Ids of streams that the last hop opened (PROTOCOL 6.2). */
const LAST_HOP_BIT = 0x8000;
const LAST_NUMBER = 0x7fff;

/** What a hub needs of the end of the circuit that it serves. */
export interface HubPort {
  sendControl(command: Command, stream: number, payload: Buffer): void;
  /** A sealed DATA frame. */
  sealData(stream: number, payload: Buffer): Buffer;
  /** There is something for `take`. */
  wake(): void;
  /** Whether to accept: handlers, or undefined to refuse. */
  accept(stream: CircuitStream, service: number, args: Buffer): StreamHandlers | undefined;
}

/**
 * All streams of one end of a circuit; client and last hop run the same code and differ in one bit. Streams with queued payloads take
 * turns, and a payload is sealed when it leaves, not before. Whatever breaks the rules raises E_FRAME: the circuit's end destroys it then.
 */
export class StreamHub implements FrameSource, StreamPort {
  readonly #port: HubPort;
  readonly #credits: CreditDeps;
  readonly #meter: QueueMeter | undefined;
  readonly #ownBit: number;
  readonly #streams = new Map<number, HubStream>();
  readonly #turns = new Fifo<HubStream>();
  #lastNumber = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #unanswered = 0;

  /** `credits` is what the streams share. A relay counts what waits in all its circuits. */
  constructor(port: HubPort, side: "client" | "last hop", credits: CreditDeps, meter?: QueueMeter) {
    this.#port = port;
    this.#credits = credits;
    this.#meter = meter;
    this.#ownBit = side === "client" ? 0 : LAST_HOP_BIT;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** The memory that they will take as frames. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Raises E_REFUSED when the circuit has all the streams it may have, or too many that wait for an answer. */
  open(service: Service, args: Uint8Array, handlers: StreamHandlers): CircuitStream {
    if (this.#streams.size >= LIMITS.streamsPerCircuit || this.#unanswered >= LIMITS.streamsUnanswered) {
      throw new BackroomError("E_REFUSED", "the circuit has as many streams as it may");
    }
    do {
      this.#lastNumber = this.#lastNumber === LAST_NUMBER ? 1 : this.#lastNumber + 1;
    } while (this.#streams.has(this.#lastNumber + this.#ownBit));
    const stream = new HubStream(this, this.#lastNumber + this.#ownBit, "opened", this.#credits);
    this.#streams.set(stream.id, stream);
    this.#unanswered++;
    this.#port.sendControl(COMMAND.begin, stream.id, encodeBegin(service, args));
    if (stream.ended) throw new BackroomError("E_CIRCUIT", "the circuit is gone");
    stream.start(handlers);
    return stream;
  }

  /** A DATA message of the other end, `what` byte included. */
  receiveData(opened: Buffer): void {
    const { stream, payload } = decodeData(opened);
    // A stream that is not there ended on this side while its data was under way.
    this.#streams.get(stream)?.receiveData(payload);
  }

  /** A CONTROL message about a stream. */
  receiveControl(message: ControlMessage): void {
    if (message.command === COMMAND.begin) return this.#receiveBegin(message);
    const stream = this.#streams.get(message.stream);
    if (message.command === COMMAND.begun) {
      if (message.payload.length > 0) throw new BackroomError("E_FRAME", "an acceptance says something");
      stream?.receiveBegun();
    } else if (message.command === COMMAND.end) {
      const { reason, sentFrames } = decodeEnd(message.payload);
      stream?.receiveEnd(reason, sentFrames);
    } else if (message.command === COMMAND.window) {
      const frames = decodeWindow(message.payload);
      stream?.receiveWindow(frames);
    } else {
      throw new BackroomError("E_FRAME", "a control message is not for a stream");
    }
  }

  #receiveBegin(message: ControlMessage): void {
    const byOther = (message.stream & LAST_HOP_BIT) !== this.#ownBit;
    if (!byOther || this.#streams.has(message.stream)) {
      throw new BackroomError("E_FRAME", "a stream was opened that may not be");
    }
    const { service, args } = decodeBegin(message.payload);
    const stream = new HubStream(this, message.stream, "accepted", this.#credits);
    if (this.#streams.size >= LIMITS.streamsPerCircuit) return stream.refuse();
    this.#streams.set(stream.id, stream);
    const handlers = this.#port.accept(stream, service, args);
    if (stream.ended) return;
    if (handlers === undefined) return stream.refuse();
    this.#port.sendControl(COMMAND.begun, stream.id, Buffer.alloc(0));
    stream.start(handlers);
  }

  /** Ends every stream, when the circuit is gone. */
  close(error: BackroomError | undefined): void {
    const streams = [...this.#streams.values()];
    for (const stream of streams) stream.abandon(error);
    // Of streams that had ended, and whose last payloads will not leave now.
    this.#count(-this.#waiting, -this.#waitingBytes);
  }

  take(): Buffer {
    let stream = this.#turns.shift() as HubStream;
    // A stream that was broken off keeps its turn but has nothing left.
    while (stream.payloadCount === 0) stream = this.#turns.shift() as HubStream;
    const payload = stream.takePayload();
    this.#count(-1, -dataFrameBytes(payload.length));
    if (stream.payloadCount > 0) this.#turns.push(stream);
    const frame = this.#port.sealData(stream.id, payload);
    stream.tookPayload();
    return frame;
  }

  // --- for streams ---

  queued(stream: HubStream, payloadBytes: number): void {
    this.#count(1, dataFrameBytes(payloadBytes));
    if (stream.payloadCount === 1) this.#turns.push(stream);
    this.#port.wake();
    const meter = this.#meter;
    if (meter !== undefined && meter.queuedBytes > meter.mostBytes) meter.onFull();
  }

  held(by: number): void {
    if (this.#meter !== undefined) this.#meter.heldFrames += by;
  }

  dropped(payloadBytes: number): void {
    this.#count(-1, -dataFrameBytes(payloadBytes));
  }

  #count(frames: number, bytes: number): void {
    this.#waiting += frames;
    this.#waitingBytes += bytes;
    if (this.#meter === undefined) return;
    this.#meter.queuedFrames += frames;
    this.#meter.queuedBytes += bytes;
  }

  answered(): void {
    this.#unanswered--;
  }

  sendWindow(stream: HubStream, frames: number): void {
    this.#port.sendControl(COMMAND.window, stream.id, encodeWindow(frames));
  }

  /** What the stream has queued still goes out. */
  sendEnd(stream: HubStream, reason: EndReason, sentFrames: number): void {
    this.#port.sendControl(COMMAND.end, stream.id, encodeEnd(reason, sentFrames));
  }

  /** Nothing that comes for the stream counts any more. */
  forget(stream: HubStream): void {
    this.#streams.delete(stream.id);
  }
}
