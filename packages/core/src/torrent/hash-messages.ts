import type { PieceHashes } from "./piece-hashing.ts";

/** To the thread that hashes. `bytes` is in memory that both threads see. */
export interface HashJob {
  readonly job: number;
  readonly bytes: Uint8Array;
  readonly height: number;
}

/** From it: that it is there, and what became of a job; Buffers arrive as plain arrays of bytes. */
export type FromHasher =
  | "ready"
  | ({ readonly job: number } & { readonly [name in keyof PieceHashes]: Uint8Array });
