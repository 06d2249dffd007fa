import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * SHA-256(topic ‖ tag ‖ w) starts with 16 zero bits: about 65,000 hashes, 60 ms (PROTOCOL 8). In hex, for a digest as a string costs
 * Node a third of one as a Buffer.
 */
const ZERO_BITS_IN_HEX = "0000";
export const WORK_BYTES = 8;
/** How long a search may hold the event loop at a time. */
const SLICE_MS = 1;
/** Hashes between two looks at the clock. */
const SLICE = 256;

/** Whether a registration of a tag for a topic shows its work; one hash. False for work that is not WORK_BYTES long. */
export function hasWork(topic: Uint8Array, tag: Uint8Array, work: Uint8Array): boolean {
  return work.length === WORK_BYTES && isSolved(Buffer.concat([topic, tag, work]));
}

/** The WORK_BYTES that `hasWork` takes, found in some 60 ms. */
export async function solveWork(topic: Uint8Array, tag: Uint8Array): Promise<Buffer> {
  const attempt = Buffer.concat([topic, tag, Buffer.alloc(WORK_BYTES)]);
  await search(attempt, attempt.length - WORK_BYTES, isSolved);
  return attempt.subarray(-WORK_BYTES);
}

/**
 * Counts up the last four of the WORK_BYTES of `attempt` at `workAt` until it is solved, giving way to everything else every millisecond. False once
 * `mayGoOn`, asked at each of these turns, says no.
 */
export async function search(
  attempt: Buffer,
  workAt: number,
  solved: (attempt: Buffer) => boolean,
  mayGoOn: () => boolean = () => true,
): Promise<boolean> {
  let sinceMs = performance.now();
  for (let counter = 0; ; counter++) {
    attempt.writeUInt32BE(counter >>> 0, workAt + WORK_BYTES - 4);
    if (solved(attempt)) return true;
    if (counter % SLICE !== SLICE - 1 || performance.now() - sinceMs < SLICE_MS) continue;
    await nextTurn();
    if (!mayGoOn()) return false;
    sinceMs = performance.now();
  }
}

function isSolved(attempt: Buffer): boolean {
  return hash("sha256", attempt, "hex").startsWith(ZERO_BITS_IN_HEX);
}
