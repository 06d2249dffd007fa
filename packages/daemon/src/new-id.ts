import { encodeBase32 } from "@backroom/core/base/base32.ts";
import type { Random } from "@backroom/core/base/random.ts";

/** A name that the daemon gives to a transfer, a token, a watch or an upload: 16 letters and digits, of 80 random bits, so none comes twice. */
export function newId(random: Pick<Random, "bytes">): string {
  return encodeBase32(random.bytes(10));
}
