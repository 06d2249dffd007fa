import type { BackroomError } from "../base/errors.ts";
import type { KeyPair } from "../crypto/keys.ts";

/**
 * A channel carries whole frames between two neighbours, in order, authenticated (PROTOCOL 5). Implementations: TLS (for real)
 * and memory (tests, simulation). Both run `test/net/channel-suite.ts`. Obligations:
 *
 * - A Channel is handed out only after both HELLOs were exchanged and checked; HELLO, PING and PONG never reach the handlers.
 * - `send` takes ownership of a frame of exactly the length of its type and never throws; on a closed channel it drops the frame.
 * - `send` returns false once more than LIMITS.channelQueueBytes wait; `onDrain` is called once when there is room again. Frames sent
 *   in spite of false are kept all the same, up to LIMITS.channelQueueMostBytes: who sends must stop by itself, or the channel is closed.
 * - No handler is called before `start` returned, nor after `onClose`, which is called exactly once, also when it is this side that
 *   closes (then before `close` returns). Its error is undefined after an orderly close by either side; frames sent before one arrive.
 * - A BackroomError that a handler throws closes the channel with it.
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
  /** The IP address that the peer has on this connection; undefined where there is none, as in memory. */
  readonly peerHost?: string | undefined;
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
 * E_OTHER_NETWORK when the peer is of another network. Endpoints are tried in order; the caller has vetted them. Without a node key any relay
 * may answer: the channel's `peerKey` says which did.
 */
export interface Dialer {
  dial(target: {
    readonly nodeKey: Uint8Array | undefined;
    readonly endpoints: readonly Endpoint[];
  }): Promise<Channel>;
}

/** Accepts channels until closed; closing closes the accepted channels too. `port` is the one really bound. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** A relay's proof of itself in HELLO. `info` is asked for on each channel, because it is signed anew every few hours. */
export interface ChannelIdentity {
  readonly nodeKeys: KeyPair;
  info(): Buffer;
}
