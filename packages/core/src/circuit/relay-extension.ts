import type { Clock } from "../base/clock.ts";
import { equalBytes } from "../crypto/hash.ts";
import { LIMITS } from "../base/limits.ts";
import { BackroomError } from "../base/errors.ts";
import type { Log, LogWord } from "../base/log.ts";
import type { ChannelMux } from "./channel-mux.ts";
import type { ChannelPool, ExtendTarget } from "./channel-pool.ts";
import { DESTROY_REASON, EXTEND_FAILED_REASON, type ExtendFailedReason } from "./control.ts";
import type { Leg } from "./leg.ts";

export interface ExtensionDeps {
  readonly clock: Clock;
  readonly channels: ChannelPool;
  readonly log: Log;
  /** Public, 32 bytes. */
  readonly nodeKey: Uint8Array;
  /** Checks a signed relay info and says where to dial it; throws when it must not be dialled. */
  resolveExtend(info: Buffer): ExtendTarget;
  /** A place among the extensions under way for circuits of this neighbour, or undefined when all are taken. */
  takeExtendSlot(): (() => void) | undefined;
}

export interface ExtensionEvents {
  /** The leg to the next hop exists: start it. */
  leg(leg: Leg): void;
  extended(leg: Leg, reply: Buffer): void;
  failed(reason: ExtendFailedReason): void;
}

const WORD_OF: Record<ExtendFailedReason, LogWord> = {
  [EXTEND_FAILED_REASON.info]: "not-allowed",
  [EXTEND_FAILED_REASON.unreachable]: "unreachable",
  [EXTEND_FAILED_REASON.refused]: "refused",
  [EXTEND_FAILED_REASON.busy]: "busy",
};

/** One EXTEND at a relay: dial or reuse a channel, CREATE, wait for CREATED. Ends with exactly one event, or none after `cancel`. */
export class Extension {
  readonly #deps: ExtensionDeps;
  readonly #events: ExtensionEvents;
  readonly #previousKey: Buffer | undefined;
  #leg: Leg | undefined;
  #done = false;
  #cleanUp = (): void => {};

  constructor(deps: ExtensionDeps, previousKey: Buffer | undefined, events: ExtensionEvents) {
    this.#deps = deps;
    this.#previousKey = previousKey;
    this.#events = events;
  }

  start(info: Buffer, hello: Buffer): void {
    const releaseSlot = this.#deps.takeExtendSlot();
    if (releaseSlot === undefined) return this.#fail(EXTEND_FAILED_REASON.busy);
    const cancelTimer = this.#deps.clock.after(LIMITS.extendMs, () =>
      this.#fail(EXTEND_FAILED_REASON.unreachable),
    );
    this.#cleanUp = () => {
      releaseSlot();
      cancelTimer();
    };
    let target: ExtendTarget;
    try {
      target = this.#deps.resolveExtend(info);
    } catch {
      return this.#fail(EXTEND_FAILED_REASON.info);
    }
    // A circuit that runs to and fro between two relays, or inside one, costs them and serves nobody.
    if (equalBytes(target.nodeKey, this.#deps.nodeKey) || this.#comesFrom(target)) {
      return this.#fail(EXTEND_FAILED_REASON.info);
    }
    if (
      target.kept !== true &&
      !this.#deps.channels.reaches(target.nodeKey) &&
      target.mayDial?.() === false
    ) {
      return this.#fail(EXTEND_FAILED_REASON.busy);
    }
    // The message lies in a frame that goes away before the dial is done.
    void this.#create(target, Buffer.from(hello));
  }

  #comesFrom(target: ExtendTarget): boolean {
    return this.#previousKey !== undefined && equalBytes(target.nodeKey, this.#previousKey);
  }

  async #create(target: ExtendTarget, hello: Buffer): Promise<void> {
    try {
      const mux = await this.#channelTo(target);
      if (this.#done) return;
      const leg = mux.open();
      this.#leg = leg;
      this.#events.leg(leg);
      leg.sendCreate(hello);
    } catch {
      this.#fail(EXTEND_FAILED_REASON.unreachable);
    }
  }

  async #channelTo(target: ExtendTarget): Promise<ChannelMux> {
    const { channels } = this.#deps;
    if (target.kept !== true) return channels.get(target);
    const mux = channels.keptOf(target.nodeKey);
    if (mux === undefined) throw new BackroomError("E_UNREACHABLE", "no channel of that guest is kept here");
    return mux;
  }

  /** CREATED came. */
  answered(reply: Buffer): void {
    if (this.#done || this.#leg === undefined) return;
    this.#finish();
    this.#events.extended(this.#leg, reply);
  }

  /** The next hop destroyed the leg. */
  refused(): void {
    this.#fail(EXTEND_FAILED_REASON.refused);
  }

  /** The circuit is over; the leg goes too unless it has become part of the circuit. */
  cancel(): void {
    if (this.#done) return;
    this.#finish();
    this.#leg?.destroy(DESTROY_REASON.gone);
  }

  #fail(reason: ExtendFailedReason): void {
    if (this.#done) return;
    this.#finish();
    this.#leg?.destroy(DESTROY_REASON.gone);
    this.#deps.log("debug", "a circuit could not be extended", { reason: WORD_OF[reason] });
    this.#events.failed(reason);
  }

  #finish(): void {
    this.#done = true;
    this.#cleanUp();
  }
}
