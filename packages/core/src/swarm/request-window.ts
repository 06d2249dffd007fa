import { LIMITS } from "../base/limits.ts";
import { LEAF_BYTES } from "../torrent/merkle.ts";
import type { Block } from "./picker.ts";

interface Outstanding {
  readonly block: Block;
  readonly sentMs: number;
  /** What the peer had delivered in all when this was asked: with the time since it gives the rate of delivery. */
  readonly deliveredBytes: number;
  cancelled: boolean;
  /** Answers that are still to come: a block that a stalled peer owes is asked of it again when there is nobody else. */
  answersDue: number;
}

/** Blocks in the first window, before anything is known of the path. */
const FIRST_WINDOW = 32;
/** The window as a multiple of bandwidth × delay: one is under way, one waits on the path for a frame that is late, and one is asked for. */
const GAIN = 3;
/** The window holds at least this much time's worth, so that batches on a fast path stay large. */
const LEAST_QUEUE_MS = 100;
/** How long a measured rate counts, in two buckets: rates of a path rise and fall. */
const RATE_BUCKET_MS = 2_000;

/**
 * The requests under way to one peer, and how many there should be: three times bandwidth × delay. The bandwidth is the best rate of delivery
 * seen in the last seconds, the delay the shortest ever seen, so the window grows with every round trip until the path is full and
 * then stays: a queue that we build up ourselves does not count as delay.
 */
export class RequestWindow {
  readonly #outstanding = new Map<number, Outstanding>();
  readonly #blocksPerPiece: number;
  #deliveredBytes = 0;
  #shortestMs = Number.POSITIVE_INFINITY;
  #latencyMs = 0;
  /** What stands for the latency before the first answer. */
  #assumedMs = 0;
  #rate = 0;
  #previousRate = 0;
  #bucketSinceMs = 0;
  /** When a block last came, or when the first request went out after none were under way. */
  #progressMs = 0;

  constructor(blocksPerPiece: number) {
    this.#blocksPerPiece = blocksPerPiece;
  }

  get outstandingCount(): number {
    return this.#outstanding.size;
  }

  /** How many blocks should be under way. */
  get size(): number {
    if (this.#latencyMs === 0) return FIRST_WINDOW;
    const rate = Math.max(this.#rate, this.#previousRate);
    const bytes = rate * Math.max(GAIN * this.#shortestMs, LEAST_QUEUE_MS);
    return Math.min(LIMITS.peerRequests, Math.ceil(bytes / LEAF_BYTES) + FIRST_WINDOW / 2);
  }

  /** How many to ask for now. 0 until a quarter of the window is free, so that requests travel in batches and share records. */
  get room(): number {
    const room = this.size - this.#outstanding.size;
    return room >= Math.max(1, this.size >>> 2) ? room : 0;
  }

  /** In what time the peer may be expected to answer a request made now, in milliseconds: twice the usual, and no hair-splitting. */
  get expectedMs(): number {
    return Math.max(400, 2 * (this.#latencyMs || this.#assumedMs));
  }

  /**
   * It takes over from `before`, of the same peer by another path: a peer that is slow must not count as one that stalls with each new path. Nothing but
   * that: how much fits on the new path is found out anew.
   */
  assume(before: RequestWindow): void {
    this.#assumedMs = before.#latencyMs || before.#assumedMs;
  }

  sent(block: Block, nowMs: number): void {
    if (this.#outstanding.size === 0) this.#progressMs = nowMs;
    const answersDue = (this.#outstanding.get(this.#key(block))?.answersDue ?? 0) + 1;
    this.#outstanding.set(this.#key(block), {
      block,
      sentMs: nowMs,
      deliveredBytes: this.#deliveredBytes,
      cancelled: false,
      answersDue,
    });
  }

  /** All that the peer has been asked for and has not answered. */
  asked(): Block[] {
    return [...this.#outstanding.values()].map(({ block }) => block);
  }

  has(block: Block): boolean {
    return this.#outstanding.has(this.#key(block));
  }

  /** A block came. False when it was not asked for. */
  delivered(block: Block, bytes: number, nowMs: number): boolean {
    const request = this.#outstanding.get(this.#key(block));
    if (request === undefined) return false;
    this.#answered(request);
    this.#deliveredBytes += bytes;
    this.#progressMs = nowMs;
    const tookMs = Math.max(nowMs - request.sentMs, 0.01);
    this.#shortestMs = Math.min(this.#shortestMs, tookMs);
    this.#latencyMs = this.#latencyMs === 0 ? tookMs : this.#latencyMs * 0.9 + tookMs * 0.1;
    if (nowMs - this.#bucketSinceMs > RATE_BUCKET_MS) {
      this.#bucketSinceMs = nowMs;
      this.#previousRate = this.#rate;
      this.#rate = 0;
    }
    this.#rate = Math.max(this.#rate, (this.#deliveredBytes - request.deliveredBytes) / tookMs);
    return true;
  }

  /** The peer refused; "cancelled" where that was our own wish, undefined when it was not asked. */
  refused(block: Block): "refused" | "cancelled" | undefined {
    const request = this.#outstanding.get(this.#key(block));
    if (request === undefined) return undefined;
    this.#answered(request);
    return request.cancelled ? "cancelled" : "refused";
  }

  /** True when a cancel should be sent: the request is still out, and has not been cancelled. */
  cancel(block: Block): boolean {
    const request = this.#outstanding.get(this.#key(block));
    if (request === undefined || request.cancelled) return false;
    request.cancelled = true;
    return true;
  }

  /** For how long the peer has owed blocks without sending any; 0 when it owes none. */
  owingMs(nowMs: number): number {
    return this.#outstanding.size === 0 ? 0 : nowMs - this.#progressMs;
  }

  #answered(request: Outstanding): void {
    if (--request.answersDue === 0) this.#outstanding.delete(this.#key(request.block));
  }

  #key({ piece, block }: Block): number {
    return piece * this.#blocksPerPiece + block;
  }
}
