import { BackroomError } from "../base/errors.ts";
import type { TarStretch } from "./frame-reader.ts";

/** Moves forward through a tar stream that comes in stretches, giving out what lies at known offsets. */
export class TarCursor {
  readonly #stretches: AsyncGenerator<TarStretch>;
  #current: TarStretch | undefined;
  /** Of which stretch a part is all. */
  readonly #wholes = new WeakMap<Buffer, TarStretch>();

  constructor(stretches: AsyncGenerator<TarStretch>) {
    this.#stretches = stretches;
  }

  /** The next bytes at `offset`, 1 to `length` of them. Offsets must not fall. Raises E_PACK past the end. */
  async take(offset: number, length: number): Promise<Buffer> {
    while (this.#current === undefined || offset >= this.#current.offset + this.#current.bytes.length) {
      const next = await this.#stretches.next();
      if (next.done === true) throw new BackroomError("E_PACK", "the tar stream ends too early");
      this.#current = next.value;
    }
    const { bytes } = this.#current;
    const start = offset - this.#current.offset;
    if (start < 0) throw new BackroomError("E_PACK", "the tar stream leaves out what is needed");
    const part = bytes.subarray(start, start + length);
    if (part.length === bytes.length) this.#wholes.set(part, this.#current);
    return part;
  }

  /** Nobody uses what `take` gave any more, or takes it again. Of a long file such parts are most of the stream; the collector need not look for them. */
  done(part: Buffer): void {
    this.#wholes.get(part)?.giveBack();
    this.#wholes.delete(part);
  }

  /** Stops what is under way. */
  async close(): Promise<void> {
    await this.#stretches.return(undefined);
  }
}
