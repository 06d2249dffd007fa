/** What may lie around the bytes in their memory: the header and tags of one frame. */
const MOST_AROUND_BYTES = 128;

/**
 * Gives the memory under `bytes` back at once instead of at some garbage collection: frames and what ciphers make of them are the bulk of what a
 * member allocates, and memory that is used again at once is still in the processor's cache (docs/adr/0013-long-frames.md). For who owns
 * `bytes` and all the memory that they lie in; every view of it is empty from then on, so a use by mistake fails instead of reading others' bytes.
 * Bytes that are a small part of something larger, such as Node's pool, are left alone.
 */
export function release(bytes: Uint8Array): void {
  const memory = bytes.buffer as ArrayBuffer;
  if (memory.byteLength - bytes.byteLength <= MOST_AROUND_BYTES) memory.transfer(0);
}
