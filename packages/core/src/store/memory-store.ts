import { BackroomError } from "../base/errors.ts";
import { Bitfield } from "../torrent/bitfield.ts";
import type { TorrentInfo } from "../torrent/info.ts";
import { checkPieceLayer } from "../torrent/merkle.ts";
import type { PieceStore } from "./piece-store.ts";
import { checkWrite, spansOf } from "./spans.ts";

/** A store whose pieces end with the process: for tests and the simulation. */
export class MemoryStore implements PieceStore {
  readonly info: TorrentInfo;
  readonly #pieces = new Map<number, Buffer>();
  readonly #have: Bitfield;
  #layer: Buffer | undefined;
  #closed = false;

  constructor(info: TorrentInfo) {
    this.info = info;
    this.#have = new Bitfield(info.pieceCount);
    this.#layer = info.pieceCount === 1 ? info.root : undefined;
  }

  get complete(): boolean {
    return this.#have.complete;
  }

  have(piece: number): boolean {
    return this.#have.has(piece);
  }

  haveCount(): number {
    return this.#have.count;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    this.#checkOpen();
    const parts: Buffer[] = [];
    for (const span of spansOf(this.info, offset, length)) {
      const piece = this.#pieces.get(span.piece);
      if (piece === undefined) throw new BackroomError("E_INTERNAL", "a piece was read that is not there");
      parts.push(piece.subarray(span.begin, span.begin + span.length));
    }
    return Buffer.concat(parts);
  }

  async write(piece: number, bytes: Buffer): Promise<void> {
    this.#checkOpen();
    checkWrite(this, piece, bytes);
    if (this.#have.set(piece)) this.#pieces.set(piece, Buffer.from(bytes));
  }

  pieceLayer(): Buffer | undefined {
    return this.#layer;
  }

  async setPieceLayer(layer: Buffer): Promise<void> {
    this.#checkOpen();
    checkPieceLayer(this.info, layer);
    this.#layer = Buffer.from(layer);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #checkOpen(): void {
    if (this.#closed) throw new BackroomError("E_INTERNAL", "the store is closed");
  }
}
