import { release } from "../base/memory.ts";

/** What goes into one write at most: a DATA frame and the small ones behind it. Above 128 KiB the system's allocator asks the kernel each time. */
const BATCH_BYTES = 96 * 1024;

/** Frames that wait to be written. They go out in order and in as few writes as is worth while: each costs a system call and a TLS record. */
export class FrameQueue {
  readonly #frames: Buffer[] = [];
  /** Of all frames that wait. */
  bytes = 0;

  push(frame: Buffer): void {
    this.#frames.push(frame);
    this.bytes += frame.length;
  }

  /** What to write next, or undefined when nothing waits. A frame that is alone is handed on as it is; several are moved together. */
  next(): Buffer | undefined {
    const frames = this.#frames;
    let count = 0;
    let length = 0;
    while (count < frames.length) {
      const more = (frames[count] as Buffer).length;
      if (count > 0 && length + more > BATCH_BYTES) break;
      length += more;
      count++;
    }
    this.bytes -= length;
    if (count <= 1) return frames.shift();
    const batch = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const frame of frames.splice(0, count)) {
      batch.set(frame, at);
      at += frame.length;
      release(frame);
    }
    return batch;
  }

  clear(): void {
    this.#frames.length = 0;
    this.bytes = 0;
  }
}
