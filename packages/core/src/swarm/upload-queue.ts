import { LIMITS } from "../base/limits.ts";
import type { RateShare } from "../base/rate-limit.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { BlockRange } from "../torrent/peer-wire.ts";
import type { WireOutput } from "./wire-output.ts";

export interface UploadHooks {
  /** A block was written. */
  onServed(bytes: number): void;
  /** The store could not be read; these requests will not be answered with blocks. */
  onFailed(ranges: readonly BlockRange[], error: unknown): void;
}

interface ReadBlock {
  readonly range: BlockRange;
  readonly bytes: Buffer;
}

/**
 * One peer's requests, answered in order. Neighbouring blocks are read from the store at once; what has been read and not yet written
 * is bounded by LIMITS.peerReadAheadBytes, what waits by LIMITS.peerQueuedRequests. Writes stop while the duplex pushes back, and until it is this
 * peer's turn where a limit of speed is set.
 */
export class UploadQueue {
  readonly #store: PieceStore;
  readonly #output: WireOutput;
  readonly #rate: RateShare | undefined;
  readonly #hooks: UploadHooks;
  #waiting: BlockRange[] = [];
  #read: ReadBlock[] = [];
  #reading: BlockRange[] = [];
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
    return this.#waiting.length + this.#reading.length + this.#read.length;
  }

  /** False when the queue is full: the request is to be rejected. Call `pump` after the last of a batch. */
  push(range: BlockRange): boolean {
    if (this.length >= LIMITS.peerQueuedRequests) return false;
    this.#waiting.push(range);
    return true;
  }

  /** Takes a request back. True when it was still here: the peer is owed a reject then. */
  cancel(range: BlockRange): boolean {
    const same = (other: BlockRange): boolean =>
      other.piece === range.piece && other.begin === range.begin && other.length === range.length;
    const waiting = this.#waiting.findIndex(same);
    if (waiting >= 0) {
      this.#waiting.splice(waiting, 1);
      return true;
    }
    const read = this.#read.findIndex((block) => same(block.range));
    if (read < 0) return false;
    this.#heldBytes -= this.#read.splice(read, 1)[0]?.bytes.length ?? 0;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#rate?.close();
    this.#waiting = [];
    this.#read = [];
  }

  /** Writes and reads as far as it may now. Call after `push` and when the duplex has drained. */
  pump(): void {
    let written = 0;
    while (written < this.#read.length && this.#output.writable && this.#mayWrite()) {
      const { range, bytes } = this.#read[written++] as ReadBlock;
      this.#heldBytes -= bytes.length;
      this.#rate?.spend(bytes.length);
      this.#output.block(range, bytes, this.#isFollowed(written));
      this.#hooks.onServed(bytes.length);
    }
    if (written > 0) this.#read.splice(0, written);
    if (this.#reading.length === 0 && this.#waiting.length > 0) this.#readNext();
  }

  /** Whether another write is sure to come after the block before `written`: of what is read, or what could not be read is refused. A limit of speed may stop all of it. */
  #isFollowed(written: number): boolean {
    if (this.#rate?.isLimited === true) return false;
    return this.#waiting.length + this.#reading.length + this.#read.length > written;
  }

  #mayWrite(): boolean {
    return this.#rate === undefined || this.#rate.request() > 0;
  }

  #readNext(): void {
    if (this.#heldBytes + LIMITS.peerReadBytes > LIMITS.peerReadAheadBytes || this.#closed) return;
    const first = this.#waiting[0] as BlockRange;
    let end = first.begin;
    let count = 0;
    for (const range of this.#waiting) {
      const follows = range.piece === first.piece && range.begin === end;
      if (!follows || end + range.length - first.begin > LIMITS.peerReadBytes) break;
      end += range.length;
      count++;
    }
    const ranges = this.#waiting.splice(0, count);
    this.#reading = ranges;
    const offset = first.piece * this.#store.info.pieceLength + first.begin;
    this.#store.read(offset, end - first.begin).then(
      (bytes) => this.#arrived(ranges, bytes),
      (error: unknown) => {
        this.#reading = [];
        if (this.#closed) return;
        this.#hooks.onFailed(ranges, error);
        // Those behind it can be read; nothing else may come that would start them.
        if (!this.#closed) this.pump();
      },
    );
  }

  #arrived(ranges: readonly BlockRange[], bytes: Buffer): void {
    this.#reading = [];
    if (this.#closed) return;
    const base = (ranges[0] as BlockRange).begin;
    for (const range of ranges) {
      const block = bytes.subarray(range.begin - base, range.begin - base + range.length);
      this.#read.push({ range, bytes: block });
      this.#heldBytes += block.length;
    }
    this.pump();
  }
}
