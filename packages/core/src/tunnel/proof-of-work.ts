import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Zero bits that SHA-256(topic ‖ tag ‖ w) starts with: about 65,000 hashes, a twentieth of a second (PROTOCOL 8). */
const WORK_BITS = 16;
export const WORK_BYTES = 8;
/** Hashes between two turns of the event loop: about a millisecond. */
const SLICE = 1_024;

export function hasWork(topic: Uint8Array, tag: Uint8Array, work: Uint8Array): boolean {
  return (
    work.length === WORK_BYTES && startsWithZeros(hash("sha256", Buffer.concat([topic, tag, work]), "buffer"))
  );
}

/** Finds `w`, giving way to everything else between slices. */
export async function solveWork(topic: Uint8Array, tag: Uint8Array): Promise<Buffer> {
  const attempt = Buffer.concat([topic, tag, Buffer.alloc(WORK_BYTES)]);
  const counterAt = attempt.length - 6;
  for (let counter = 0; ; counter++) {
    attempt.writeUIntBE(counter, counterAt, 6);
    if (startsWithZeros(hash("sha256", attempt, "buffer"))) return attempt.subarray(-WORK_BYTES);
    if (counter % SLICE === SLICE - 1) await nextTurn();
  }
}

function startsWithZeros(digest: Buffer): boolean {
  return digest.readUInt32BE(0) >>> (32 - WORK_BITS) === 0;
}
