import type { Clock } from "../base/clock.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Channel, ChannelHandlers, ChannelIdentity } from "./channel.ts";
import { FRAME, FrameReader, frameType } from "./frame.ts";
import { checkHello, decodeHello, encodeHello, ownHello } from "./hello.ts";
import { Keepalive } from "./keepalive.ts";

/**
 * What carries a channel's bytes: a TLS socket or a pair of queues in memory. Obligations:
 * - `write` takes ownership, keeps order, never throws, and is a no-op after `close`. `queuedBytes` is what it has not handed on yet;
 *   `onWritten` is called after it shrank.
 * - While paused, which it is at first, nothing is handed on, and the other side is held back before long. Bytes are handed on by `onBytes`, whose chunks
 *   belong to the receiver, or, by who reads past copies, put into what `room` gives, which is asked for anew after each `onFilled`.
 * - `close(false)` hands on what was written, if it can soon; `close(true)` drops it. `onEnd` is called at most once,
 *   with an error when the connection broke, and may also be called after `close`.
 */
export interface Carrier {
  readonly queuedBytes: number;
  /** 32 bytes that both ends and nobody else have: the TLS exporter. */
  readonly exporter: Buffer;
  start(handlers: {
    onBytes(chunk: Buffer): void;
    room(): Buffer;
    onFilled(count: number): void;
    onWritten(): void;
    onEnd(error?: BackroomError): void;
  }): void;
  write(frame: Buffer): void;
  pause(): void;
  resume(): void;
  close(abrupt: boolean): void;
}

export interface ChannelDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface OpenOptions {
  readonly initiator: boolean;
  readonly networkId: number;
  readonly identity?: ChannelIdentity | undefined;
  /** The node key that was dialled. */
  readonly expectedKey?: Uint8Array | undefined;
  readonly peerHost?: string | undefined;
  /** How long the peer's HELLO may take. */
  readonly helloMs?: number;
}

/**
 * Exchanges HELLOs over a carrier and gives the channel. Raises as `checkHello` does, E_FRAME and E_CHANNEL;
 * the carrier is closed then.
 */
export function openChannel(carrier: Carrier, options: OpenOptions, deps: ChannelDeps): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const channel = new FrameChannel(carrier, options, deps, (error) => {
      cancelDeadline();
      if (error === undefined) resolve(channel);
      else reject(error);
    });
    const cancelDeadline = deps.clock.after(options.helloMs ?? LIMITS.channelOpenMs, () => {
      channel.close(new BackroomError("E_CHANNEL", "the neighbour sent no HELLO in time"));
    });
    channel.open();
  });
}

let channelCount = 0;

/** `opening` until both HELLOs are checked, `held` until `start`: the carrier is paused then, so a peer cannot fill us. */
type State = "opening" | "held" | "running" | "closed";

class FrameChannel implements Channel {
  readonly id = ++channelCount;
  readonly initiator: boolean;
  readonly peerHost: string | undefined;
  peerKey: Buffer | undefined;
  peerInfo: Buffer | undefined;
  clockSkewMs = 0;

  #state: State = "opening";
  #handlers: ChannelHandlers | undefined;
  /** Frames that came in one chunk with the HELLO. */
  #early: Buffer[] = [];
  #blocked = false;
  #closeError: BackroomError | undefined;
  readonly #carrier: Carrier;
  readonly #options: OpenOptions;
  readonly #deps: ChannelDeps;
  readonly #onOpened: (error?: BackroomError) => void;
  readonly #reader: FrameReader;
  readonly #keepalive: Keepalive;

  constructor(
    carrier: Carrier,
    options: OpenOptions,
    deps: ChannelDeps,
    onOpened: (error?: BackroomError) => void,
  ) {
    this.initiator = options.initiator;
    this.peerHost = options.peerHost;
    this.#carrier = carrier;
    this.#options = options;
    this.#deps = deps;
    this.#onOpened = onOpened;
    this.#reader = new FrameReader((frame) => this.#receive(frame));
    this.#keepalive = new Keepalive(
      { send: (frame) => void this.#write(frame), onDead: (error) => this.close(error) },
      deps,
    );
  }

  /** Sends our HELLO and waits for theirs. */
  open(): void {
    this.#carrier.start({
      onBytes: (chunk) => {
        this.#keepalive.heard();
        this.#guard(() => this.#reader.push(chunk));
      },
      room: () => this.#reader.room(),
      onFilled: (count) => {
        this.#keepalive.heard();
        this.#guard(() => this.#reader.filled(count));
      },
      onWritten: () => this.#written(),
      onEnd: (error) => this.#close(error, true),
    });
    const { identity, networkId } = this.#options;
    const hello = ownHello({
      side: this.initiator ? "initiator" : "responder",
      networkId,
      nowMs: this.#deps.clock.nowMs(),
      exporter: this.#carrier.exporter,
      identity: identity && { nodeKeys: identity.nodeKeys, info: identity.info() },
    });
    this.#carrier.write(encodeHello(hello));
    this.#carrier.resume();
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
    // Not inside `start`: the caller may still be storing what it needs to answer.
    queueMicrotask(() => {
      if (this.#state === "closed") {
        handlers.onClose(this.#closeError);
        return;
      }
      this.#state = "running";
      this.#keepalive.start();
      const early = this.#early;
      this.#early = [];
      this.#guard(() => {
        for (const frame of early) this.#receive(frame);
      });
      this.#carrier.resume();
      this.#written();
    });
  }

  send(frame: Buffer): boolean {
    const { length } = frame;
    const hasRoom = this.#write(frame);
    this.#keepalive.sent(length);
    return hasRoom;
  }

  #write(frame: Buffer): boolean {
    if (this.#state === "closed") return false;
    this.#carrier.write(frame);
    const { queuedBytes } = this.#carrier;
    if (queuedBytes > LIMITS.channelQueueBytes) this.#blocked = true;
    if (queuedBytes > LIMITS.channelQueueMostBytes) {
      this.close(new BackroomError("E_CHANNEL", "the neighbour does not read"));
    }
    return !this.#blocked;
  }

  close(error?: BackroomError): void {
    this.#close(error, error !== undefined);
  }

  #close(error: BackroomError | undefined, abrupt: boolean): void {
    const before = this.#state;
    if (before === "closed") return;
    this.#state = "closed";
    this.#closeError = error;
    this.#early = [];
    this.#reader.stop();
    this.#keepalive.stop();
    // Our HELLO still leaves when theirs was wrong: it tells them why, "another network" say.
    this.#carrier.close(abrupt && before !== "opening");
    if (before === "opening")
      this.#onOpened(error ?? new BackroomError("E_CHANNEL", "the neighbour hung up"));
    if (before === "running") this.#handlers?.onClose(error);
  }

  /** What a peer did wrong closes the channel, whoever notices, a handler included; anything else is a bug of ours and surfaces. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      this.close(error);
    }
  }

  #receive(frame: Buffer): void {
    if (this.#state === "running") this.#dispatch(frame);
    else if (this.#state === "held") this.#early.push(frame);
    else if (this.#state === "opening") this.#greet(frame);
  }

  #dispatch(frame: Buffer): void {
    const type = frameType(frame);
    if (type >= FRAME.ping) return this.#keepalive.take(frame);
    if (type === FRAME.hello) throw new BackroomError("E_CHANNEL", "the neighbour sent a second HELLO");
    this.#keepalive.received();
    this.#handlers?.onFrame(frame);
  }

  #greet(frame: Buffer): void {
    if (frameType(frame) !== FRAME.hello) throw new BackroomError("E_CHANNEL", "the first frame is no HELLO");
    const hello = decodeHello(frame);
    const { networkId, expectedKey } = this.#options;
    const side = this.initiator ? "responder" : "initiator";
    checkHello(hello, { side, networkId, exporter: this.#carrier.exporter, expectedKey });
    this.peerKey = hello.relay?.nodeKey;
    this.peerInfo = hello.relay?.info;
    this.clockSkewMs = hello.timeS * 1000 - this.#deps.clock.nowMs();
    this.#carrier.pause();
    this.#state = "held";
    this.#onOpened();
  }

  #written(): void {
    if (!this.#blocked || this.#state !== "running") return;
    if (this.#carrier.queuedBytes * 2 >= LIMITS.channelQueueBytes) return;
    this.#blocked = false;
    this.#handlers?.onDrain();
  }
}
