import { createHmac, timingSafeEqual } from "node:crypto";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { Clock } from "@backroom/core/base/clock.ts";
import type { Random } from "@backroom/core/base/random.ts";

export interface ContentPlace {
  readonly transferId: string;
  /** Inside the share, with `/`. */
  readonly path: string;
}

/** `/content/EXPIRES/TRANSFER/MAC/PATH`, the path as one segment. */
const TARGET = /^\/content\/([1-9]\d{0,14})\/([a-z0-9]{16})\/([A-Za-z0-9_-]{43})\/([^/?]+)$/;

/**
 * Signs addresses on the content port, which are all that is needed there: whoever has one reads one file for some hours. The key is of this run alone, so
 * that none outlasts it.
 */
export class ContentUrls {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #key: Buffer;

  constructor({ clock, random }: { readonly clock: Pick<Clock, "nowMs">; readonly random: Random }) {
    this.#clock = clock;
    this.#key = random.bytes(32);
  }

  sign(place: ContentPlace): { readonly target: string; readonly expiresMs: number } {
    const expiresMs = this.#clock.nowMs() + LIMITS.contentUrlMs;
    const mac = this.#mac(place, expiresMs);
    const target = `/content/${expiresMs}/${place.transferId}/${mac}/${encodeURIComponent(place.path)}`;
    return { target, expiresMs };
  }

  /** Raises E_CONTENT_URL for one that was not signed in this run, was changed, or is over. */
  check(target: string): ContentPlace {
    const [, expires, transferId, mac, encoded] = TARGET.exec(target) ?? [];
    const path = decoded(encoded ?? "");
    if (transferId === undefined || path === undefined) throw bad("is none of ours");
    const place = { transferId, path };
    // As text: two texts may be the same bytes, and a file shall have one address.
    const given = Buffer.from(mac ?? "");
    const right = Buffer.from(this.#mac(place, Number(expires)));
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw bad("is none of ours");
    if (encodeURIComponent(path) !== encoded) throw bad("is none of ours");
    if (Number(expires) <= this.#clock.nowMs()) throw bad("is over");
    return place;
  }

  #mac({ transferId, path }: ContentPlace, expiresMs: number): string {
    // The path last, since it alone may hold anything.
    return createHmac("sha256", this.#key).update(`${expiresMs}\n${transferId}\n${path}`).digest("base64url");
  }
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function bad(what: string): BackroomError {
  return new BackroomError("E_CONTENT_URL", `the address ${what}`);
}
