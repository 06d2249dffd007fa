import { MemoryStore } from "../../packages/core/src/store/memory-store.ts";
import type { TorrentInfo } from "../../packages/core/src/torrent/info.ts";

/** A whole pack in memory. Reads give that memory itself, so that no figure holds a store's work. */
export class GivenStore extends MemoryStore {
  readonly #bytes: Buffer;

  constructor(info: TorrentInfo, bytes: Buffer) {
    super(info);
    this.#bytes = bytes;
  }

  override get complete(): boolean {
    return true;
  }
  override have(): boolean {
    return true;
  }
  override haveCount(): number {
    return this.info.pieceCount;
  }
  override read(offset: number, length: number): Promise<Buffer> {
    return Promise.resolve(this.#bytes.subarray(offset, offset + length));
  }
}
