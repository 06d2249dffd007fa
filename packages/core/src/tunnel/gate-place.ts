import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { openConversation, type Conversation } from "../circuit/messages.ts";
import { SERVICE } from "../circuit/stream.ts";
import { equalBytes } from "../crypto/hash.ts";
import { sharerFingerprint } from "../link/sharer-key.ts";
import type { GateSession, TunnelHost } from "./gate-session.ts";
import { makeLease, sealLease, TAG_LENGTH, type Lease, type LeaseGate } from "./lease.ts";
import { solveWork } from "./proof-of-work.ts";
import { makeRegistration, registrationFields } from "./registration.ts";
import type { EpochKeys, ShareTopic } from "./topic.ts";

/** A lease of our own that a gate took. */
export interface OwnLease {
  readonly sealed: Buffer;
  readonly expirySeconds: number;
}

export interface PlaceDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** When the seeder's next lease is over: one for all its places, see `createLeaseExpiry`. */
  expirySeconds(): number;
}

/** A renewal comes after 45 to 60 minutes: not on the hour, or a gate could tell which registrations are one seeder's. */
const RENEW_LEAST_MS = 45 * 60_000;
const RENEW_SPREAD_MS = 15 * 60_000;

/**
 * A seeder's registration of one share and epoch at one gate. The tag is its own; the lease that it leaves there names all gates at which
 * the seeder is, so it is renewed when they change, and every hour.
 */
export class GatePlace {
  readonly keys: EpochKeys;
  readonly tag: Buffer;
  /** What the gate hands out now. */
  lease: OwnLease | undefined;
  readonly #session: GateSession;
  readonly #share: ShareTopic;
  readonly #host: TunnelHost;
  readonly #deps: PlaceDeps;
  readonly #stopHosting: () => void;
  #stream: Conversation | undefined;
  #work: Buffer | undefined;
  #gates = "";
  #renewAtMs = 0;
  #isLeft = false;

  /** Has a tag from now on; nothing is asked of the gate before `ensure`. */
  constructor(session: GateSession, share: ShareTopic, keys: EpochKeys, host: TunnelHost, deps: PlaceDeps) {
    this.keys = keys;
    this.tag = deps.random.bytes(TAG_LENGTH);
    this.#session = session;
    this.#share = share;
    this.#host = host;
    this.#deps = deps;
    this.#stopHosting = session.host(this.tag, host);
  }

  /** The gate ended the register stream: this place is no more. */
  get lost(): boolean {
    return this.#stream?.open === false;
  }

  /** The sharer's own, for which gates keep a place in each answer. */
  get isSharers(): boolean {
    return equalBytes(
      sharerFingerprint(this.#host.keys.leaseKeys.publicBytes),
      this.#share.sharerFingerprint,
    );
  }

  /** Whether the lease, which opened, is one of ours that leads here. */
  isNamedIn({ leaseKey, tunnelKey, gates }: Lease): boolean {
    const { leaseKeys, tunnelKeys } = this.#host.keys;
    const isOurs = leaseKey.equals(leaseKeys.publicBytes) && tunnelKey.equals(tunnelKeys.publicBytes);
    return isOurs && gates.some(({ tag }) => tag.equals(this.tag));
  }

  get leaseGate(): LeaseGate {
    return { info: this.#session.gate.info, tag: this.tag };
  }

  /** Registers or renews where that is due. Raises what `Conversation.ask` raises, and what the circuit raises when it takes no streams. */
  async ensure(gates: readonly LeaseGate[]): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    const names = gates.map((gate) => gate.tag.toString("latin1")).join();
    if (names === this.#gates && nowMs < this.#renewAtMs) return;
    const expirySeconds = this.#deps.expirySeconds();
    const lease = makeLease(this.keys.topic, this.#host.keys, gates, expirySeconds);
    const sealedLease = sealLease(this.keys, lease, this.#deps.random);
    const gateKey = this.#session.gate.nodeKey;
    const standing = this.isSharers
      ? { sharerKeys: this.#host.keys.leaseKeys }
      : { work: (this.#work ??= await solveWork(this.keys.topic, this.tag)) };
    // Whoever left while the work was done is not to be registered any more.
    if (this.#isLeft) return;
    const what = { gateKey, tag: this.tag, expirySeconds, sealedLease };
    // Not with the tag: a circuit takes so many new streams at a time, and a group has more.
    this.#stream ??= openConversation(this.#session.circuit, SERVICE.register, this.#deps);
    await this.#stream.ask(registrationFields(makeRegistration(this.keys, what, standing)));
    this.lease = { sealed: sealedLease, expirySeconds };
    this.#gates = names;
    this.#renewAtMs = nowMs + RENEW_LEAST_MS + this.#deps.random.below(RENEW_SPREAD_MS);
  }

  /** Withdraws. Tunnels that are up stay up. */
  leave(): void {
    this.#isLeft = true;
    this.#stopHosting();
    this.#stream?.close();
  }
}
