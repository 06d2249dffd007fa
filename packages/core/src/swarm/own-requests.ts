import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { TorrentInfo } from "../torrent/info.ts";
import { LEAF_BYTES } from "../torrent/merkle.ts";
import type { BlockRange, WireMessage } from "../torrent/peer-wire.ts";
import { checkPiece, rangeOf } from "./blocks.ts";
import type { Block } from "./picker.ts";
import { RequestWindow } from "./request-window.ts";

/** What one peer was asked for, and what became of it. Every answer must be to something that was asked. */
export class OwnRequests {
  readonly window: RequestWindow;
  readonly #info: TorrentInfo;
  #rejectsInRow = 0;
  #rejectingSinceMs = 0;

  constructor(info: TorrentInfo) {
    this.#info = info;
    this.window = new RequestWindow(Math.ceil(info.pieceLength / LEAF_BYTES));
  }

  /** What is to be sent for it. */
  ask(blocks: readonly Block[], nowMs: number): WireMessage[] {
    for (const block of blocks) this.window.sent(block, nowMs);
    return blocks.map((block) => ({ type: "request", ...rangeOf(this.#info, block) }));
  }

  /** What is to be sent for it; undefined where nothing is to be taken back. */
  cancel(block: Block): WireMessage | undefined {
    return this.window.cancel(block) ? { type: "cancel", ...rangeOf(this.#info, block) } : undefined;
  }

  /** Raises E_WIRE for a block that was not asked for. */
  delivered(range: BlockRange, nowMs: number): Block {
    const block = this.#blockOf(range);
    if (!this.window.delivered(block, range.length, nowMs)) {
      throw new BackroomError("E_WIRE", "a block came that was not asked for");
    }
    this.#rejectsInRow = 0;
    return block;
  }

  /** Raises E_WIRE for a block that was not asked for, E_PEER_TIMEOUT where the peer, which does not choke us, refuses everything for too long. */
  refused(
    range: BlockRange,
    { isChoked, nowMs }: { readonly isChoked: boolean; readonly nowMs: number },
  ): Block {
    const block = this.#blockOf(range);
    const refused = this.window.refused(block);
    if (refused === undefined) throw new BackroomError("E_WIRE", "a request was refused that was not made");
    if (!isChoked && refused === "refused") {
      if (this.#rejectsInRow++ === 0) this.#rejectingSinceMs = nowMs;
      const tooLong = nowMs - this.#rejectingSinceMs > LIMITS.peerStalledMs;
      if (tooLong || this.#rejectsInRow > LIMITS.peerRejectsInRow) {
        throw new BackroomError("E_PEER_TIMEOUT", "a peer refuses whatever it is asked for");
      }
    }
    return block;
  }

  /** The block that a range stands for. Raises unless it is one that we may have asked for. */
  #blockOf(range: BlockRange): Block {
    const block = { piece: range.piece, block: range.begin / LEAF_BYTES };
    checkPiece(this.#info, range.piece);
    const own = Number.isInteger(block.block) && rangeOf(this.#info, block).length === range.length;
    if (!own) throw new BackroomError("E_WIRE", "an answer is of another shape than any request");
    return block;
  }
}
