import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * SHA-256(topic ‖ tag ‖ w) starts with 16 zero bits: about 65,000 hashes, 30 ms (PROTOCOL 8). In hex, for a digest as a string costs
 * Node a third of one as a Buffer.
 */
const ZERO_BITS_IN_HEX = "0000";
export const WORK_BYTES = 8;
/** Hashes between two turns of the event loop: about half a millisecond. */
const SLICE = 1_024;

export function hasWork(topic: Uint8Array, tag: Uint8Array, work: Uint8Array): boolean {
  return work.length === WORK_BYTES && isSolved(Buffer.concat([topic, tag, work]));
}

/** Finds `w`, giving way to everything else between slices. */
export async function solveWork(topic: Uint8Array, tag: Uint8Array): Promise<Buffer> {
  const attempt = Buffer.concat([topic, tag, Buffer.alloc(WORK_BYTES)]);
  const counterAt = attempt.length - 6;
  for (let counter = 0; ; counter++) {
    attempt.writeUIntBE(counter, counterAt, 6);
    if (isSolved(attempt)) return attempt.subarray(-WORK_BYTES);
    if (counter % SLICE === SLICE - 1) await nextTurn();
  }
}

function isSolved(attempt: Buffer): boolean {
  return hash("sha256", attempt, "hex").startsWith(ZERO_BITS_IN_HEX);
}
