import { systemClock } from "../base/clock.ts";
import type { KeyPair } from "../crypto/keys.ts";
import { signRelayInfo } from "../directory/relay-info.ts";
import { rotated, type RelayKeys } from "./relay-keys.ts";

/** Well under the 24 hours for which an info holds. */
const SIGN_AGAIN_MS = 3600 * 1000;
/** Claimed until relays measure each other; nobody checks a claim, and weights clip it. */
const BANDWIDTH_KIB = 4096;

export interface OwnInfoFields {
  readonly networkId: number;
  readonly hosts: readonly string[];
  readonly gate: boolean;
}

/** A relay's own keys and its signed description, signed anew every hour, with onion keys that change weekly. */
export class OwnInfo {
  readonly #fields: OwnInfoFields;
  #keys: RelayKeys;
  #port = 0;
  #signed: { readonly atMs: number; readonly bytes: Buffer } | undefined;

  constructor(keys: RelayKeys, fields: OwnInfoFields) {
    this.#keys = keys;
    this.#fields = fields;
  }

  get nodeKeys(): KeyPair {
    return this.#keys.node;
  }

  /** The port that was really bound; to be set before anybody is told of this relay. */
  set port(port: number) {
    this.#port = port;
    this.#signed = undefined;
  }

  onionKeys(): KeyPair[] {
    const { onion, previousOnion } = this.#keys;
    return previousOnion === undefined ? [onion] : [onion, previousOnion];
  }

  bytes(): Buffer {
    const nowMs = systemClock.nowMs();
    if (this.#signed === undefined || Math.abs(nowMs - this.#signed.atMs) >= SIGN_AGAIN_MS) {
      this.#keys = rotated(this.#keys, systemClock);
      this.#signed = { atMs: nowMs, bytes: this.#sign(nowMs) };
    }
    return this.#signed.bytes;
  }

  #sign(nowMs: number): Buffer {
    const { networkId, hosts, gate } = this.#fields;
    const { node, onion, previousOnion } = this.#keys;
    return signRelayInfo(
      {
        networkId,
        onionKey: onion.publicBytes,
        previousOnionKey: previousOnion?.publicBytes,
        endpoints: hosts.map((host) => ({ host, port: this.#port })),
        bandwidthKiB: BANDWIDTH_KIB,
        gate,
        scout: true,
        timeS: Math.floor(nowMs / 1000),
      },
      node,
    );
  }
}
