import { availableParallelism } from "node:os";
import { LIMITS } from "../base/limits.ts";
import { encodeStoredFrame } from "./zstd-format.ts";
import { compressFrame, seemsCompressible } from "./zstd-frame.ts";

/** What a frame holds is decided a unit at a time: units that do not shrink become stored frames, runs of others one packed frame. */
const UNIT = 1024 * 1024;
const GROUP = LIMITS.packFrameBytes;

/** One frame, ready to be written: its bytes in parts, and the length that they unpack to. The parts but the last are good until `emit` ends. */
export interface FinishedFrame {
  readonly parts: readonly Buffer[];
  readonly contentLength: number;
}

/**
 * Cuts the tar stream into frames (PROTOCOL 2.4) and packs them on the thread pool, several at a time, handing them to `emit` in order.
 * Memory: one group of 8 MiB being filled, and at most one a core (four at most) being packed, with its result.
 */
export class FrameWriter {
  readonly #level: number;
  readonly #emit: (frame: FinishedFrame) => Promise<void>;
  readonly #spare: Buffer[] = [];
  readonly #underWay: Promise<void>[] = [];
  readonly #maxUnderWay = Math.min(4, Math.max(2, availableParallelism()));
  #emitted: Promise<void> = Promise.resolve();
  #group: Buffer;
  #filled = 0;

  constructor(level: number, emit: (frame: FinishedFrame) => Promise<void>) {
    this.#level = level;
    this.#emit = emit;
    this.#group = Buffer.allocUnsafeSlow(GROUP);
  }

  /** Room to put the next bytes of the tar stream into, one byte at least; `advance` says how many were put there. */
  room(): Buffer {
    return this.#group.subarray(this.#filled);
  }

  /** Waits for a free buffer where the group is full. Raises what `emit` raised, now or later. */
  async advance(length: number): Promise<void> {
    this.#filled += length;
    if (this.#filled === GROUP) await this.#submit();
  }

  async write(bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      const taken = bytes.copy(this.#group, this.#filled, offset);
      offset += taken;
      await this.advance(taken);
    }
  }

  /** Packs what is left, and waits until everything has been emitted. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#submit();
    await this.#emitted;
  }

  /** After a failure: waits until nothing is emitted any more. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#emitted]);
  }

  async #submit(): Promise<void> {
    const group = this.#group;
    const content = group.subarray(0, this.#filled);
    const packed = cutIntoRuns(content).map((run) => this.#pack(run));
    // A failure surfaces below, in order; until then it must not count as unhandled.
    for (const frames of packed) frames.catch(() => {});
    const before = this.#emitted;
    const job = (async () => {
      await before;
      for (const frames of packed) for (const frame of await frames) await this.#emit(frame);
      this.#spare.push(group);
    })();
    job.catch(() => {});
    this.#emitted = job;
    this.#underWay.push(job);
    if (this.#underWay.length >= this.#maxUnderWay) await this.#underWay.shift();
    this.#group = this.#spare.pop() ?? Buffer.allocUnsafeSlow(GROUP);
    this.#filled = 0;
  }

  async #pack(run: Run): Promise<FinishedFrame[]> {
    const packed = run.compressible ? await compressFrame(run.content, this.#level) : undefined;
    if (packed !== undefined) return [{ parts: [packed], contentLength: run.content.length }];
    return cutIntoUnits(run.content).map((unit) => {
      const parts = encodeStoredFrame(unit);
      // Whoever encrypts keeps the last 64 KiB for a while, and the group's memory is used again.
      return {
        parts: [...parts.slice(0, -1), Buffer.from(parts.at(-1) as Buffer)],
        contentLength: unit.length,
      };
    });
  }
}

interface Run {
  readonly content: Buffer;
  readonly compressible: boolean;
}

function cutIntoUnits(content: Buffer): Buffer[] {
  const count = Math.ceil(content.length / UNIT);
  return Array.from({ length: count }, (_, index) => content.subarray(index * UNIT, (index + 1) * UNIT));
}

/** Neighbouring units of one kind become one run, so that a frame is as long as its group allows. */
function cutIntoRuns(content: Buffer): Run[] {
  const runs: Run[] = [];
  let start = 0;
  let compressible: boolean | undefined;
  for (const [index, unit] of cutIntoUnits(content).entries()) {
    const kind = seemsCompressible(unit);
    if (compressible !== undefined && kind !== compressible) {
      runs.push({ content: content.subarray(start, index * UNIT), compressible });
      start = index * UNIT;
    }
    compressible = kind;
  }
  if (compressible !== undefined) runs.push({ content: content.subarray(start), compressible });
  return runs;
}
