import type { Clock } from "../base/clock.ts";
import { codeOf, isBackroomError } from "../base/errors.ts";
import { silentLog, type Log } from "../base/log.ts";
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

export interface OwnInfoDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly networkId: number;
  readonly gate: boolean;
  readonly limit?: Pick<RateLimit, "rate"> | undefined;
  /** Keeps the keys for the next run. Where that fails it is tried again with the next signature. */
  save(keys: RelayKeys): Promise<void>;
  readonly log?: Log | undefined;
}

/**
 * A relay's own keys and its signed description, signed anew every hour, with onion keys that change weekly. A new onion key is used once it is kept, and not before: after a
 * restart nobody could else reach a relay whose info tells of a key that is gone.
 */
export class OwnInfo {
  readonly #deps: OwnInfoDeps;
  #keys: RelayKeys;
  #where: Whereabouts = { kind: "nowhere" };
  #signed: { readonly atMs: number; readonly bytes: Buffer } | undefined;
  #isRotating = false;

  constructor(keys: RelayKeys, deps: OwnInfoDeps) {
    this.#keys = keys;
    this.#deps = deps;
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
    const nowMs = this.#deps.clock.nowMs();
    if (this.#signed === undefined || Math.abs(nowMs - this.#signed.atMs) >= SIGN_AGAIN_MS) {
      this.#rotate();
      const bytes = this.#sign(nowMs);
      this.#signed = bytes === undefined ? undefined : { atMs: nowMs, bytes };
    }
    return this.#signed?.bytes;
  }

  #rotate(): void {
    const next = rotated(this.#keys, this.#deps.clock);
    if (next !== this.#keys && !this.#isRotating) void this.#use(next);
  }

  async #use(keys: RelayKeys): Promise<void> {
    const { log = silentLog } = this.#deps;
    this.#isRotating = true;
    try {
      await this.#deps.save(keys);
      this.#keys = keys;
      this.#signed = undefined;
      log("info", "the onion key was changed");
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      log("warn", "the onion key could not be changed, since the new one could not be kept", {
        code: codeOf(error),
      });
    } finally {
      this.#isRotating = false;
    }
  }

  #sign(nowMs: number): Buffer | undefined {
    const where = this.#where;
    if (where.kind === "nowhere" || (where.kind === "guest" && where.hosts.length === 0)) return undefined;
    const { node, onion, previousOnion } = this.#keys;
    const reachable = where.kind === "reachable";
    return signRelayInfo(
      {
        networkId: this.#deps.networkId,
        onionKey: onion.publicBytes,
        previousOnionKey: previousOnion?.publicBytes,
        endpoints: reachable ? where.endpoints : [],
        hosts: reachable ? undefined : where.hosts.map(({ nodeKey }) => hostName(nodeKey)).toSorted(),
        bandwidthKiB: Math.min(BANDWIDTH_KIB, Math.floor((this.#deps.limit?.rate ?? Infinity) / 1024)),
        gate: reachable && this.#deps.gate,
        scout: reachable,
        timeS: Math.floor(nowMs / 1000),
      },
      node,
    );
  }
}
