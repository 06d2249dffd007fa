import type { BackroomError } from "../base/errors.ts";

/**
 * A channel carries whole frames between two neighbours, in order, authenticated (PROTOCOL 5). Implementations: TLS (for real)
 * and memory (tests, simulation). Both run `test/net/channel-suite.ts`. Obligations:
 *
 * - A Channel is handed out only after both HELLOs were exchanged and checked; HELLO, PING and PONG never reach the handlers.
 * - `send` takes ownership of a frame of exactly the length of its type and never throws; on a closed channel it drops the frame.
 * - `send` returns false once more than LIMITS.channelQueueBytes wait; `onDrain` is called once when there is room again. Frames sent
 *   in spite of false are kept all the same: who sends must stop by itself.
 * - No handler is called before `start`, nor after `onClose`, which is called exactly once, also when it is this side that closes.
 * - Frames that `onFrame` gets belong to the receiver, which may change them in place (also the header).
 */
export interface Channel {
  /** Unique in this process. */
  readonly id: number;
  /** True when this side dialled: its circuit ids carry bit 31. */
  readonly initiator: boolean;
  /** The peer's proven node key and signed relay info, both undefined for an anonymous client. */
  readonly peerKey: Buffer | undefined;
  readonly peerInfo: Buffer | undefined;
  /** The peer's clock minus ours in milliseconds, from its HELLO. A hint, not a truth. */
  readonly clockSkewMs: number;
  start(handlers: ChannelHandlers): void;
  send(frame: Buffer): boolean;
  close(error?: BackroomError): void;
}

export interface ChannelHandlers {
  onFrame(frame: Buffer): void;
  onDrain(): void;
  onClose(error?: BackroomError): void;
}

/** Where a relay can be dialled. `host` is an IP address, never a name: members resolve nothing. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens channels. Raises E_UNREACHABLE when none of the endpoints answers in time, E_CHANNEL_IDENTITY when another key answers,
 * E_OTHER_NETWORK when the peer is of another network. Endpoints are tried in order; the caller has vetted them.
 */
export interface Dialer {
  dial(target: { readonly nodeKey: Uint8Array; readonly endpoints: readonly Endpoint[] }): Promise<Channel>;
}
