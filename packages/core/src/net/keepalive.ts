import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { FRAME, FRAME_HEADER_BYTES, frameType, makeFrame } from "./frame.ts";

const TOKEN_BYTES = 8;

/**
 * PROTOCOL 5: after LIMITS.channelPingMs without a frame PING, after LIMITS.channelPongMs more without any frame the channel is dead.
 * One timer that looks at a time stamp, instead of one that every frame would have to set back.
 */
export class Keepalive {
  readonly #channel: { send(frame: Buffer): void; onDead(error: BackroomError): void };
  readonly #clock: Clock;
  readonly #random: Random;
  #heardMs = 0;
  #cancel: () => void = () => {};
  /** What our PING asked to have echoed. */
  #awaited: Buffer | undefined;
  /** PINGs that came in the running period. Each costs an answer that a peer need not read. */
  #pings = 0;
  #periodMs = 0;

  constructor(
    channel: { send(frame: Buffer): void; onDead(error: BackroomError): void },
    deps: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#channel = channel;
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  start(): void {
    this.heard();
    this.#listen(LIMITS.channelPingMs);
  }

  stop(): void {
    this.#cancel();
  }

  /** To be called for every frame. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** Takes a PING or PONG. Raises E_CHANNEL for an echo that nobody asked for, and for more PINGs than anybody needs. */
  take(frame: Buffer): void {
    const token = frame.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + TOKEN_BYTES);
    if (frame.subarray(FRAME_HEADER_BYTES + TOKEN_BYTES).some((byte) => byte !== 0)) {
      throw new BackroomError("E_CHANNEL", "a PING or PONG does not end in zeros");
    }
    if (frameType(frame) === FRAME.pong) {
      if (this.#awaited?.equals(token) !== true)
        throw new BackroomError("E_CHANNEL", "a PONG answers no PING");
      this.#awaited = undefined;
      return;
    }
    if (this.#heardMs - this.#periodMs >= LIMITS.channelPingMs) {
      this.#periodMs = this.#heardMs;
      this.#pings = 0;
    }
    if (++this.#pings > LIMITS.channelPings)
      throw new BackroomError("E_CHANNEL", "the neighbour sends too many PINGs");
    this.#channel.send(tokenFrame(FRAME.pong, token));
  }

  #listen(waitMs: number): void {
    this.#cancel = this.#clock.after(waitMs, () => {
      const leftMs = LIMITS.channelPingMs - this.#silentMs();
      if (leftMs > 0) this.#listen(leftMs);
      else this.#ping();
    });
  }

  #ping(): void {
    const sentMs = this.#clock.monotonicMs();
    // A PONG may be far behind other frames in a slow queue: the PING before it stays the one awaited.
    if (this.#awaited === undefined) {
      this.#awaited = this.#random.bytes(TOKEN_BYTES);
      this.#channel.send(tokenFrame(FRAME.ping, this.#awaited));
    }
    this.#cancel = this.#clock.after(LIMITS.channelPongMs, () => {
      if (this.#heardMs >= sentMs) this.#listen(Math.max(1, LIMITS.channelPingMs - this.#silentMs()));
      else this.#channel.onDead(new BackroomError("E_CHANNEL", "the neighbour fell silent"));
    });
  }

  #silentMs(): number {
    return this.#clock.monotonicMs() - this.#heardMs;
  }
}

function tokenFrame(type: typeof FRAME.ping | typeof FRAME.pong, token: Uint8Array): Buffer {
  const frame = makeFrame(type, 0);
  frame.set(token, FRAME_HEADER_BYTES);
  return frame;
}
