import type { BackroomError } from "../base/errors.ts";
import type { Endpoint } from "../net/channel.ts";

/** The most bytes one DATA frame carries for a stream, whatever the number of hops (PROTOCOL 6.2), and one SHORT DATA frame. */
export const STREAM_PAYLOAD_BYTES = 114_607;
export const SHORT_PAYLOAD_BYTES = 1_967;
/** Up to so many SHORT DATA frames cost less than one DATA frame. */
const SHORT_FRAMES = 4;

/** Into payloads of what length to cut `waiting` bytes of which each payload holds all but `overhead`: short ones where `shortFrames` of them do. */
export function payloadBytesFor(waiting: number, overhead: number, shortFrames = SHORT_FRAMES): number {
  const short = waiting <= shortFrames * (SHORT_PAYLOAD_BYTES - overhead);
  return short ? SHORT_PAYLOAD_BYTES : STREAM_PAYLOAD_BYTES;
}

/** What a stream is for; PROTOCOL 6.4. */
export const SERVICE = { directory: 1, scout: 2, register: 3, leases: 4, connect: 5, incoming: 6 } as const;
export type Service = (typeof SERVICE)[keyof typeof SERVICE];

/**
 * One ordered stream of payloads between a circuit's client and its last hop; both ends have this interface. Obligations:
 *
 * - `send` may be called while `sendWindow` > 0, also before the peer accepted; it takes ownership of a payload of 1 to
 *   STREAM_PAYLOAD_BYTES bytes and of all the memory that it lies in, which is given back once the payload is sealed. With no window it throws E_INTERNAL: a caller that ignores the window is a bug.
 * - `onWindow` is called when `sendWindow` rises from 0.
 * - Every payload that `onData` gave counts against what was granted until `consumed` is called for it, so memory is bounded by what
 *   the receiver lets lie. Payloads are valid until the handler returns; keep a copy if you need one for longer,
 *   unless the payload's buffer is yours (it is a slice of a frame that nobody else holds: keeping it keeps the frame's memory).
 * - `end` lets out what was sent before; `send` on an ended stream is a no-op, and `sendWindow` is 0.
 * - `onEnd` is called exactly once, whoever ended it, also from within `end`, without an error for an orderly END and after everything that the
 *   other end had sent. Nothing is called after it. It is not called for a stream that a service refused.
 * - `start` hands the stream over to other handlers from the next event on; who opens or accepts gives the first ones.
 */
export interface CircuitStream {
  readonly sendWindow: number;
  start(handlers: StreamHandlers): void;
  send(payload: Buffer): void;
  consumed(frames: number): void;
  end(): void;
}

export interface StreamHandlers {
  onData(payload: Buffer): void;
  onWindow(): void;
  onEnd(error?: BackroomError): void;
}

/**
 * The client's end of a circuit. Every method after destruction raises or is a no-op as said.
 * - `openStream` reaches the last hop; the stream ends with E_REFUSED when the hop refuses. It raises E_CIRCUIT on a circuit that is gone or too
 *   old for new streams (LIMITS.circuitFreshMs), and E_REFUSED when there are too many, or too many unanswered.
 * - `onIncoming` decides on streams that the last hop opens: return handlers to accept, undefined to refuse.
 * - `onDestroyed` is called exactly once; all streams have had `onEnd` by then.
 */
export interface Circuit {
  readonly hopCount: number;
  readonly alive: boolean;
  openStream(service: Service, args: Uint8Array, handlers: StreamHandlers): CircuitStream;
  onIncoming: ((stream: CircuitStream, args: Buffer) => StreamHandlers | undefined) | undefined;
  onDestroyed: ((error: BackroomError | undefined) => void) | undefined;
  destroy(): void;
}

/** A relay's end of a circuit whose last hop it is, as its services see it. */
export interface ServedCircuit {
  /** Unique in this process, for accounting only. */
  readonly id: number;
  readonly alive: boolean;
  /** The IP address of the anonymous neighbour that opened the circuit; undefined where a relay did. */
  readonly clientHost?: string | undefined;
  openStream(service: Service, args: Uint8Array, handlers: StreamHandlers): CircuitStream;
  /** Adds a listener that runs once when the circuit is gone. */
  onDestroyed(listener: () => void): void;
}

/** A relay's answer to BEGIN: handlers to accept, undefined to refuse. Must not throw. */
export type ServiceHandler = (
  stream: CircuitStream,
  args: Buffer,
  circuit: ServedCircuit,
) => StreamHandlers | undefined;

/** What a client must know of a relay to make it a hop. */
export interface HopTarget {
  readonly nodeKey: Buffer;
  readonly onionKey: Buffer;
  /** The signed relay info, which EXTEND carries: the hop before checks and dials it. */
  readonly info: Buffer;
  readonly endpoints: readonly Endpoint[];
}
