import { systemClock } from "../base/clock.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import type { KeyPair } from "../crypto/keys.ts";
import { hostName, signRelayInfo } from "../directory/relay-info.ts";
import type { Endpoint } from "../net/channel.ts";
import { rotated, type RelayKeys } from "./relay-keys.ts";

/** Well under the 24 hours for which an info holds. */
const SIGN_AGAIN_MS = 3600 * 1000;
/** Claimed until relays measure each other, or less where a limit of speed is set; nobody checks a claim, and weights clip it. */
const BANDWIDTH_KIB = 4096;

/** Where others find a relay: at addresses, by way of hosts, or not yet. */
export type Whereabouts =
  | { readonly kind: "nowhere" }
  | { readonly kind: "reachable"; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: "guest"; readonly hosts: readonly { readonly nodeKey: Buffer }[] };

/** A relay's own keys and its signed description, signed anew every hour, with onion keys that change weekly. */
export class OwnInfo {
  readonly #networkId: number;
  readonly #gate: boolean;
  readonly #limit: Pick<RateLimit, "rate"> | undefined;
  #keys: RelayKeys;
  #where: Whereabouts = { kind: "nowhere" };
  #signed: { readonly atMs: number; readonly bytes: Buffer } | undefined;

  constructor(
    keys: RelayKeys,
    fields: {
      readonly networkId: number;
      readonly gate: boolean;
      readonly limit?: Pick<RateLimit, "rate"> | undefined;
    },
  ) {
    this.#keys = keys;
    this.#limit = fields.limit;
    this.#networkId = fields.networkId;
    this.#gate = fields.gate;
  }

  get nodeKeys(): KeyPair {
    return this.#keys.node;
  }

  get where(): Whereabouts {
    return this.#where;
  }

  set where(where: Whereabouts) {
    this.#where = where;
    this.#signed = undefined;
  }

  onionKeys(): KeyPair[] {
    const { onion, previousOnion } = this.#keys;
    return previousOnion === undefined ? [onion] : [onion, previousOnion];
  }

  /** Undefined while this relay can be found nowhere. */
  bytes(): Buffer | undefined {
    const nowMs = systemClock.nowMs();
    if (this.#signed === undefined || Math.abs(nowMs - this.#signed.atMs) >= SIGN_AGAIN_MS) {
      this.#keys = rotated(this.#keys, systemClock);
      const bytes = this.#sign(nowMs);
      this.#signed = bytes === undefined ? undefined : { atMs: nowMs, bytes };
    }
    return this.#signed?.bytes;
  }

  #sign(nowMs: number): Buffer | undefined {
    const where = this.#where;
    if (where.kind === "nowhere" || (where.kind === "guest" && where.hosts.length === 0)) return undefined;
    const { node, onion, previousOnion } = this.#keys;
    const reachable = where.kind === "reachable";
    return signRelayInfo(
      {
        networkId: this.#networkId,
        onionKey: onion.publicBytes,
        previousOnionKey: previousOnion?.publicBytes,
        endpoints: reachable ? where.endpoints : [],
        hosts: reachable ? undefined : where.hosts.map(({ nodeKey }) => hostName(nodeKey)).toSorted(),
        bandwidthKiB: Math.min(BANDWIDTH_KIB, Math.floor((this.#limit?.rate ?? Infinity) / 1024)),
        gate: reachable && this.#gate,
        scout: reachable,
        timeS: Math.floor(nowMs / 1000),
      },
      node,
    );
  }
}
