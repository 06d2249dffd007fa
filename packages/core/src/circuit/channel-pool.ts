import type { Clock } from "../base/clock.ts";
import { asBuffer } from "../base/bytes.ts";
import { BackroomError, codeOf, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { silentLog, type Log } from "../base/log.ts";
import type { Channel, Dialer, Endpoint } from "../net/channel.ts";
import { ChannelMux, type MuxHandlers } from "./channel-mux.ts";
import { CreditPool } from "./credit-pool.ts";

export interface ChannelPoolDeps {
  readonly dialer: Dialer;
  readonly clock: Clock;
  /** For a relay: neighbours may open circuits. */
  readonly onCreate?: MuxHandlers["onCreate"];
  readonly mostCircuits?: MuxHandlers["mostCircuits"];
  readonly limit?: MuxHandlers["limit"];
  /** As of CreditPool. */
  readonly crowding?: () => number;
  readonly log?: Log;
}

export interface ChannelTarget {
  readonly nodeKey: Uint8Array;
  readonly endpoints: readonly Endpoint[];
}

/** What EXTEND leads to: `kept` where it has no addresses, so only a channel that is kept already will do. */
export interface ExtendTarget extends ChannelTarget {
  readonly kept?: boolean;
  /** Asked once, when it has to be dialled: false where that is too much on a stranger's word. */
  mayDial?(): boolean;
}

/**
 * One channel to each neighbour, shared by all circuits through it, dialled when first needed and closed when unused for a while.
 * A client and a relay in one process have a pool each: a client's channels are anonymous, a relay's are not.
 */
export class ChannelPool {
  /** What the credits of all circuits, and the windows of the streams that end here, share. */
  readonly credits: CreditPool;
  /** A channel to the relay of that key is up no more since it fell silent; before its circuits are told. */
  onSilent: ((nodeKey: Buffer) => void) | undefined;
  readonly #deps: ChannelPoolDeps;
  readonly #log: Log;
  /** By node key; channels of anonymous clients are only in `#all`. */
  readonly #byKey = new Map<string, ChannelMux>();
  readonly #dials = new Map<string, Promise<ChannelMux>>();
  readonly #all = new Set<ChannelMux>();
  /** Channels that stay also without circuits, with what is called at their end. */
  readonly #kept = new Map<ChannelMux, () => void>();
  #closed = false;

  constructor(deps: ChannelPoolDeps) {
    this.#deps = deps;
    this.credits = new CreditPool(LIMITS.creditPoolFrames, deps.crowding);
    this.#log = deps.log ?? silentLog;
  }

  get size(): number {
    return this.#all.size;
  }

  /** A channel to the neighbour, an existing one if there is. Raises what the dialer raises, and E_CIRCUIT on a closed pool. */
  async get(target: ChannelTarget): Promise<ChannelMux> {
    if (this.#closed) throw new BackroomError("E_CIRCUIT", "the channels are closed");
    const name = asBuffer(target.nodeKey).toString("latin1");
    const existing = this.#byKey.get(name);
    if (existing !== undefined) return existing;
    const underWay = this.#dials.get(name);
    if (underWay !== undefined) return underWay;
    const dial = this.#dial(target).finally(() => this.#dials.delete(name));
    this.#dials.set(name, dial);
    return dial;
  }

  /** Whether `get` needs no dial: a channel is there, or one is being dialled. */
  reaches(nodeKey: Uint8Array): boolean {
    const name = asBuffer(nodeKey).toString("latin1");
    return this.#byKey.has(name) || this.#dials.has(name);
  }

  /**
   * A channel that stays however long no circuit uses it, until the function that this gives is called; `onClose` is called once when it ends
   * before that. Raises as `get`.
   */
  async keep(target: ChannelTarget, onClose: () => void): Promise<() => void> {
    const mux = await this.get(target);
    if (mux.closed) throw new BackroomError("E_CHANNEL", "the channel ended at once");
    this.#kept.set(mux, onClose);
    return () => void this.#kept.delete(mux);
  }

  /** As `keep`, for the channel that a neighbour of that key opened; false where there is none. */
  keepOf(nodeKey: Uint8Array, onClose: () => void): boolean {
    const mux = this.#byKey.get(asBuffer(nodeKey).toString("latin1"));
    if (mux === undefined || mux.closed) return false;
    this.#kept.set(mux, onClose);
    return true;
  }

  /** The kept channel to a neighbour, or undefined. */
  keptOf(nodeKey: Uint8Array): ChannelMux | undefined {
    const mux = this.#byKey.get(asBuffer(nodeKey).toString("latin1"));
    return mux !== undefined && this.#kept.has(mux) ? mux : undefined;
  }

  /** The address from which the neighbour of that key came, as far as the carrier knows one. */
  hostOf(nodeKey: Uint8Array): string | undefined {
    return this.#byKey.get(asBuffer(nodeKey).toString("latin1"))?.channel.peerHost;
  }

  /** The channel to the neighbour with that key, where one is up. */
  current(nodeKey: Uint8Array): ChannelMux | undefined {
    return this.#byKey.get(asBuffer(nodeKey).toString("latin1"));
  }

  async #dial(target: ChannelTarget): Promise<ChannelMux> {
    const { clock, dialer } = this.#deps;
    const sinceMs = clock.monotonicMs();
    try {
      return this.adopt(await dialer.dial(target));
    } catch (error) {
      const tookMs = clock.monotonicMs() - sinceMs;
      this.#log("debug", "a relay could not be dialled", { code: codeOf(error), tookMs });
      throw error;
    }
  }

  /** Takes over a channel, also one that was accepted. */
  adopt(channel: Channel): ChannelMux {
    let cancelIdle = (): void => {};
    const watchIdle = (mux: ChannelMux): void => {
      cancelIdle();
      // Who dialled closes first, so that both seldom do while a circuit is being opened.
      const delayMs = channel.initiator ? LIMITS.channelIdleMs : 2 * LIMITS.channelIdleMs;
      cancelIdle = this.#deps.clock.after(delayMs, () => {
        if (mux.circuitCount > 0) return;
        // It may have ended to be kept by the time that it is idle again.
        if (this.#kept.has(mux)) watchIdle(mux);
        else mux.close();
      });
    };
    const { onCreate, mostCircuits, limit } = this.#deps;
    const credits = { clock: this.#deps.clock, section: this.credits.section() };
    const mux = new ChannelMux(channel, credits, {
      ...(onCreate === undefined ? {} : { onCreate }),
      ...(mostCircuits === undefined ? {} : { mostCircuits }),
      ...(limit === undefined ? {} : { limit }),
      onIdle: watchIdle,
      onClose: (closed, error) => {
        cancelIdle();
        this.#forget(closed);
        const code = error === undefined ? {} : { code: error.code };
        this.#log("debug", "a channel closed", { ...code, channelCount: this.#all.size });
        const { peerKey } = channel;
        if (isBackroomError(error, "E_CHANNEL_SILENT") && peerKey !== undefined) this.onSilent?.(peerKey);
      },
    });
    if (this.#closed) mux.close();
    if (mux.closed) return mux;
    this.#all.add(mux);
    const name = channel.peerKey?.toString("latin1");
    const before = name === undefined ? undefined : this.#byKey.get(name);
    // A neighbour that comes anew to a relay that keeps its channel has lost the old one, which this side may notice minutes later.
    const replaces = before === undefined || (this.#kept.has(before) && !channel.initiator);
    if (name !== undefined && replaces) this.#byKey.set(name, mux);
    watchIdle(mux);
    const { initiator, peerKey } = channel;
    const facts = { isOurs: initiator, isAnonymous: peerKey === undefined };
    this.#log("debug", "a channel opened", { ...facts, channelCount: this.#all.size });
    return mux;
  }

  #forget(mux: ChannelMux): void {
    this.#all.delete(mux);
    const onClose = this.#kept.get(mux);
    this.#kept.delete(mux);
    onClose?.();
    const name = mux.channel.peerKey?.toString("latin1");
    if (name !== undefined && this.#byKey.get(name) === mux) this.#byKey.delete(name);
  }

  close(): void {
    this.#closed = true;
    for (const mux of this.#all) mux.close();
  }
}
