import { padmeLength } from "./padme.ts";
import { SKIPPABLE_HEADER_LENGTH } from "./zstd-format.ts";

/** A padding frame costs its header and an entry in the seek table. */
const ENTRY_LENGTH = 8;
const MIN_COST = SKIPPABLE_HEADER_LENGTH + ENTRY_LENGTH;
/** A skippable frame could take 4 GiB, but its length with the header has to fit 32 bits; this is round. */
const MAX_FRAME = 1024 * 1024 * 1024;

/**
 * The whole lengths of the padding frames that bring a plaintext of `length` bytes, seek table included, to a Padmé length
 * (PROTOCOL 2.6). None where it has one already.
 */
export function planPadding(length: number, maxFrame = MAX_FRAME): number[] {
  if (padmeLength(length) === length) return [];
  for (let count = 1; ; count++) {
    const room = padmeLength(length + MIN_COST * count) - length - ENTRY_LENGTH * count;
    if (room > count * maxFrame) continue;
    // All but the last are as long as may be, leaving the last one at least a header.
    return Array.from({ length: count }, (_, index) => {
      const rest = count - 1 - index;
      const before = Math.min(index * maxFrame, room - (rest + 1) * SKIPPABLE_HEADER_LENGTH);
      const after = Math.min((index + 1) * maxFrame, room - rest * SKIPPABLE_HEADER_LENGTH);
      return after - before;
    });
  }
}
