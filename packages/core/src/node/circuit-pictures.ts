import type { KeyObject } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Circuit } from "../circuit/stream.ts";
import { hmacSha256 } from "../crypto/hash.ts";
import { secretKey } from "../crypto/keys.ts";
import type { PathRole } from "../directory/path.ts";
import type { RelayInfo } from "../directory/relay-info.ts";

export type HopRole = "guard" | "middle" | "gate" | "scout" | "relay";

/** One circuit as people may see it: what each hop is for, never who or where. */
export interface CircuitPicture {
  readonly purpose: PathRole["role"];
  /** From this member outwards. The same relay has the same `key` in all pictures that were made with one secret; it says nothing else. */
  readonly hops: readonly { readonly role: HopRole; readonly key: string }[];
  readonly ageMs: number;
}

/** Enough to tell the relays of one member's circuits apart: of a hundred two are alike with a chance of one in a million. */
const KEY_HEX_DIGITS = 8;
const FORGET_LEAST = 64;

const LAST_ROLE: Readonly<Record<PathRole["role"], HopRole>> = {
  seeder: "gate",
  downloader: "gate",
  lookup: "scout",
  directory: "relay",
};

interface Live {
  readonly circuit: Pick<Circuit, "alive">;
  readonly sinceMs: number;
  readonly picture: Omit<CircuitPicture, "ageMs">;
}

/**
 * The live circuits of a member as pictures. A relay is named by a keyed hash, whose secret is of this run: node keys are public, so without it whoever
 * sees a picture could try them all. Nothing here leads back to a key or an address.
 */
export class CircuitPictures {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #secret: KeyObject;
  #live: Live[] = [];
  /** Looked through for dead ones once there are this many: so a thousand circuits cost no thousand looks each. */
  #forgetAt = FORGET_LEAST;

  /** `secret`: 32 random bytes, kept by nobody else and nowhere else. */
  constructor(clock: Pick<Clock, "monotonicMs">, secret: Uint8Array) {
    this.#clock = clock;
    this.#secret = secretKey(secret);
  }

  add(
    circuit: Pick<Circuit, "alive">,
    purpose: PathRole["role"],
    path: readonly Pick<RelayInfo, "nodeKey">[],
  ): void {
    const hops = path.map(({ nodeKey }, index) => ({
      role: roleOf(index, path.length, purpose),
      key: hmacSha256(this.#secret, nodeKey).toString("hex", 0, KEY_HEX_DIGITS / 2),
    }));
    if (this.#live.length >= this.#forgetAt) this.#forgetDead();
    this.#live.push({ circuit, sinceMs: this.#clock.monotonicMs(), picture: { purpose, hops } });
  }

  /** The oldest first. */
  list(): CircuitPicture[] {
    this.#forgetDead();
    const nowMs = this.#clock.monotonicMs();
    return this.#live.map(({ picture, sinceMs }) => ({ ...picture, ageMs: Math.floor(nowMs - sinceMs) }));
  }

  #forgetDead(): void {
    this.#live = this.#live.filter(({ circuit }) => circuit.alive);
    this.#forgetAt = FORGET_LEAST + 2 * this.#live.length;
  }
}

function roleOf(index: number, length: number, purpose: PathRole["role"]): HopRole {
  if (index === 0) return "guard";
  return index === length - 1 ? LAST_ROLE[purpose] : "middle";
}
