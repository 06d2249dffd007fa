import { LIMITS } from "../base/limits.ts";
import { release } from "../base/memory.ts";
import type { RateShare } from "../base/rate-limit.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { writePieceHead, PIECE_HEAD_BYTES, type BlockRange } from "../torrent/peer-wire.ts";
import type { WireOutput } from "./wire-output.ts";

export interface UploadHooks {
  /** Blocks of so many bytes were written. */
  onServed(bytes: number): void;
  /** The store could not be read; these requests will not be answered with blocks. */
  onFailed(ranges: readonly BlockRange[], error: unknown): void;
}

/** Blocks that lie behind each other in the pack, as the peer gets them: each behind its head, in memory of their own. */
interface Run {
  readonly messages: Buffer;
  /** Lengths of the blocks that have not been written. */
  readonly left: number[];
  /** Where the first of them begins in `messages`. */
  at: number;
}

/**
 * One peer's requests, answered in order. Neighbouring blocks are read from the store and written at once; what has been read and not yet written
 * is bounded by LIMITS.peerReadAheadBytes, what waits by LIMITS.peerQueuedRequests. Writes stop while the duplex pushes back, and until it is this
 * peer's turn where a limit of speed is set: blocks are written one by one then.
 */
export class UploadQueue {
  readonly #store: PieceStore;
  readonly #output: WireOutput;
  readonly #rate: RateShare | undefined;
  readonly #hooks: UploadHooks;
  #waiting: BlockRange[] = [];
  #reading: BlockRange[] = [];
  #read: Run[] = [];
  /** What the store is read into, again and again while anything is asked for: memory that is left to the collector costs a seeder a tenth of its time. */
  #memory: Buffer | undefined;
  #heldBytes = 0;
  #closed = false;

  /** `rate` calls `pump` at its turns. */
  constructor(store: PieceStore, output: WireOutput, rate: RateShare | undefined, hooks: UploadHooks) {
    this.#store = store;
    this.#output = output;
    this.#rate = rate;
    this.#hooks = hooks;
  }

  get length(): number {
    return this.#read.reduce(
      (sum, { left }) => sum + left.length,
      this.#waiting.length + this.#reading.length,
    );
  }

  /** False when the queue is full: the request is to be rejected. Call `pump` after the last of a batch. */
  push(range: BlockRange): boolean {
    if (this.length >= LIMITS.peerQueuedRequests) return false;
    this.#waiting.push(range);
    return true;
  }

  /** Takes a request back. True when it had not been read yet: the peer is owed a reject then, and gets the block otherwise. */
  cancel(range: BlockRange): boolean {
    const index = this.#waiting.findIndex(
      (other) => other.piece === range.piece && other.begin === range.begin && other.length === range.length,
    );
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }

  close(): void {
    this.#closed = true;
    this.#rate?.close();
    this.#waiting = [];
    this.#read = [];
  }

  /** Writes and reads as far as it may now. Call after `push` and when the duplex has drained. */
  pump(): void {
    while (this.#read.length > 0 && this.#output.writable && this.#mayWrite()) this.#writeNext();
    if (this.#reading.length > 0) return;
    if (this.#waiting.length > 0) this.#readNext();
    else this.#giveBack();
  }

  /** What is left of the first run; where speed is limited, a block of it. */
  #writeNext(): void {
    const isLimited = this.#rate?.isLimited === true;
    const run = this.#read[0] as Run;
    const blocks = run.left.splice(0, isLimited ? 1 : run.left.length);
    const bytes = blocks.reduce((sum, length) => sum + length, 0);
    const from = run.at;
    run.at += blocks.length * PIECE_HEAD_BYTES + bytes;
    if (run.left.length === 0) this.#read.shift();
    this.#heldBytes -= bytes;
    this.#rate?.spend(bytes);
    const part = run.messages.subarray(from, run.at);
    // Whoever sends a part gives its memory back, and a short block behind it would go along.
    const isAll = part.length === run.messages.length;
    this.#output.blocks(isAll ? part : Buffer.from(part), !isLimited && this.length > 0);
    this.#hooks.onServed(bytes);
  }

  #mayWrite(): boolean {
    return this.#rate === undefined || this.#rate.request() > 0;
  }

  #readNext(): void {
    if (this.#heldBytes + LIMITS.peerReadBytes > LIMITS.peerReadAheadBytes || this.#closed) return;
    const ranges = this.#waiting.splice(0, this.#nextCount());
    const [{ piece, begin }] = ranges as [BlockRange];
    const length = ranges.reduce((sum, range) => sum + range.length, 0);
    this.#reading = ranges;
    this.#memory ??= Buffer.allocUnsafeSlow(LIMITS.peerReadBytes);
    const into = this.#memory.subarray(0, length);
    this.#store.read(piece * this.#store.info.pieceLength + begin, length, into).then(
      (bytes) => this.#arrived(ranges, bytes),
      (error: unknown) => {
        this.#reading = [];
        // It is not ours again where a read failed.
        this.#memory = undefined;
        if (this.#closed) return;
        this.#hooks.onFailed(ranges, error);
        // Those behind it can be read; nothing else may come that would start them.
        if (!this.#closed) this.pump();
      },
    );
  }

  /** How many of those that wait lie behind each other, as far as one read goes. */
  #nextCount(): number {
    const first = this.#waiting[0] as BlockRange;
    let end = first.begin;
    let count = 0;
    for (const { piece, begin, length } of this.#waiting) {
      if (piece !== first.piece || begin !== end || end + length - first.begin > LIMITS.peerReadBytes) break;
      end += length;
      count++;
    }
    return count;
  }

  #arrived(ranges: readonly BlockRange[], bytes: Buffer): void {
    this.#reading = [];
    if (this.#closed) return;
    const messages = Buffer.allocUnsafeSlow(ranges.length * PIECE_HEAD_BYTES + bytes.length);
    let from = 0;
    let at = 0;
    for (const range of ranges) {
      at = writePieceHead(range, messages, at);
      at += bytes.copy(messages, at, from, from + range.length);
      from += range.length;
    }
    this.#read.push({ messages, left: ranges.map(({ length }) => length), at: 0 });
    this.#heldBytes += bytes.length;
    this.pump();
  }

  /** Nothing is asked for: peers that only stay connected cost no memory. */
  #giveBack(): void {
    if (this.#memory !== undefined) release(this.#memory);
    this.#memory = undefined;
  }
}
