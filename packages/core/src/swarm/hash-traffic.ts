import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { HashRange } from "../torrent/peer-wire.ts";
import type { PieceTree } from "../torrent/piece-tree.ts";
import type { WireOutput } from "./wire-output.ts";

/** Hash requests with one peer, both ways (BEP 52). */
export class HashTraffic {
  readonly #output: WireOutput;
  readonly #tree: () => PieceTree | undefined;
  /** The peer's, answered when the duplex has room. */
  readonly #queue: HashRange[] = [];
  /** Ours, by index: all are of one layer. Values are when they were sent. */
  readonly #asked = new Map<number, number>();

  constructor(output: WireOutput, tree: () => PieceTree | undefined) {
    this.#output = output;
    this.#tree = tree;
  }

  get askedCount(): number {
    return this.#asked.size;
  }

  ask(ranges: readonly HashRange[], nowMs: number): void {
    for (const range of ranges) this.#asked.set(range.index, nowMs);
    this.#output.sendAll(ranges.map((range) => ({ type: "hashRequest", ...range })));
  }

  /** An answer came, hashes or a reject. Raises E_WIRE when it was not asked for. */
  answered(range: HashRange): void {
    if (this.#asked.delete(range.index)) return;
    throw new BackroomError("E_WIRE", "an answer came for hashes that were not asked for");
  }

  /** For how long the oldest answer has been owed. */
  owingMs(nowMs: number): number {
    let longest = 0;
    for (const sentMs of this.#asked.values()) longest = Math.max(longest, nowMs - sentMs);
    return longest;
  }

  onRequest({ root, baseLayer, index, length, proofLayers }: HashRange): void {
    const range = { root, baseLayer, index, length, proofLayers };
    if (this.#queue.length < LIMITS.peerHashQueue) this.#queue.push(range);
    else this.#output.send({ type: "hashReject", ...range });
  }

  serve(): void {
    while (this.#queue.length > 0 && this.#output.writable) {
      const range = this.#queue.shift() as HashRange;
      const tree = this.#tree();
      this.#output.send(tree === undefined ? { type: "hashReject", ...range } : tree.answer(range));
    }
  }

  close(): void {
    this.#queue.length = 0;
  }
}
