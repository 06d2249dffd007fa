import { BackroomError } from "../base/errors.ts";
import { release } from "../base/memory.ts";

/**
 * Frames, the only thing that goes over a channel (PROTOCOL 5). A frame is one Buffer, header and body together, so that a relay
 * can change the header in place and send the same memory on:
 *
 *     0         4      5       6        8
 *     | circuit | type | flags | credit | body …        DATA: 114,688 bytes in all; every other type: 2,048
 *     | u32     | u8   | 0     | u16    |
 */
export const FRAME = {
  hello: 1,
  create: 2,
  created: 3,
  data: 4,
  /** DATA that is short, so that a request or an answer does not cost a whole one. */
  shortData: 5,
  control: 6,
  destroy: 7,
  credit: 8,
  ping: 9,
  pong: 10,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export const FRAME_HEADER_BYTES = 8;
/** The plaintext of seven full TLS records. What a cipher, a write or a turn costs however little it carries is paid once for all of it (ADR 13, ADR 44). */
export const DATA_FRAME_BYTES = 114_688;
/** Holds a client message, a reply or a relay info with its layers, and keeps small talk cheap. */
export const OTHER_FRAME_BYTES = 2_048;

/** Enough of a frame to know its length. */
const TYPE_END = 5;

/** The length of a whole frame of this type. */
export function frameBytes(type: FrameType): number {
  return type === FRAME.data ? DATA_FRAME_BYTES : OTHER_FRAME_BYTES;
}

/** Whether frames of this type carry a stream's payload: they share keys, count and credit, and keep their order. */
export function isData(type: FrameType): boolean {
  return type === FRAME.data || type === FRAME.shortData;
}

/** A new frame of the type's length with a body of zeros. */
export function makeFrame(type: FrameType, circuit: number, credit = 0): Buffer {
  const frame = Buffer.alloc(frameBytes(type));
  frame.writeUInt32BE(circuit, 0);
  frame[4] = type;
  frame.writeUInt16BE(credit, 6);
  return frame;
}

/** Accessors of a whole frame's header. `frameType` is only right for frames that a FrameReader or `makeFrame` gave. */
export function frameCircuit(frame: Buffer): number {
  return frame.readUInt32BE(0);
}

export function setFrameCircuit(frame: Buffer, circuit: number): void {
  frame.writeUInt32BE(circuit, 0);
}

export function frameType(frame: Buffer): FrameType {
  return frame[4] as FrameType;
}

export function frameCredit(frame: Buffer): number {
  return frame.readUInt16BE(6);
}

export function setFrameCredit(frame: Buffer, credit: number): void {
  frame.writeUInt16BE(credit, 6);
}

/** The bytes behind the header, sharing the frame's memory. */
export function frameBody(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEADER_BYTES);
}

/** Memory in front of a small frame: one TLS record, so that a channel on which little is said keeps little. */
const SMALL_ROOM_BYTES = 16_384;

/**
 * Cuts a stream of bytes into frames. Each frame handed out has memory of its own and is the receiver's alone. Who can put bytes where it wants puts
 * them into `room`: then a DATA frame is where it has to be when it is whole, and nothing is copied.
 */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  /** What has come of frames that are not handed out yet; the first begins at its start. A DATA frame fills it exactly. */
  #memory = Buffer.allocUnsafeSlow(SMALL_ROOM_BYTES);
  #filled = 0;
  /** Somebody may be writing to the memory. */
  #isLent = false;
  #stopped = false;

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Where the bytes that come next belong, room for one at least; call `filled` once they are there. Until then its memory is nobody else's, whatever happens. */
  room(): Buffer {
    this.#isLent = true;
    return this.#memory.subarray(this.#filled);
  }

  /** Nothing is handed out any more, not even the rest of what has come. */
  stop(): void {
    this.#stopped = true;
    this.#filled = 0;
  }

  /** `count` bytes have been put into `room`. Raises E_FRAME on the first header that PROTOCOL 5 does not allow; stop using the reader then. */
  filled(count: number): void {
    if (this.#stopped) return;
    if (!this.#isLent)
      throw new BackroomError("E_INTERNAL", "a frame's memory was filled after it was given away");
    this.#isLent = false;
    this.#advance(count);
  }

  #advance(count: number): void {
    this.#filled += count;
    while (this.#filled >= TYPE_END && !this.#stopped) {
      const length = this.#firstLength();
      if (this.#filled < length) {
        if (this.#memory.length < length) this.#move(0, length);
        return;
      }
      const frame = this.#takeFirst(length);
      checkHeader(frame);
      this.#onFrame(frame);
    }
  }

  /** Takes ownership of `chunk`, which is copied and given back at once. What `room` gave last must not be filled any more. Raises as `filled`. */
  push(chunk: Buffer): void {
    if (this.#isLent) this.#leaveBehind();
    for (let offset = 0; offset < chunk.length && !this.#stopped;) {
      const count = chunk.copy(this.#memory, this.#filled, offset);
      offset += count;
      this.#advance(count);
    }
    release(chunk);
  }

  #leaveBehind(): void {
    const memory = Buffer.allocUnsafeSlow(this.#memory.length);
    this.#memory.copy(memory, 0, 0, this.#filled);
    this.#memory = memory;
    this.#isLent = false;
  }

  /** Of the frame that has begun, whose type is there. */
  #firstLength(): number {
    const type = this.#memory[TYPE_END - 1] as number;
    if (type >= FRAME.hello && type <= FRAME.pong) return frameBytes(type as FrameType);
    this.stop();
    throw new BackroomError("E_FRAME", "a frame has an unknown type");
  }

  #takeFirst(length: number): Buffer {
    const memory = this.#memory;
    if (length === memory.length) {
      // What has come last is most likely what comes next.
      this.#memory = Buffer.allocUnsafeSlow(length);
      this.#filled = 0;
      return memory;
    }
    const frame = Buffer.allocUnsafeSlow(length);
    memory.copy(frame, 0, 0, length);
    this.#move(length, SMALL_ROOM_BYTES);
    return frame;
  }

  /** Moves what stands behind `from` to the start, into `least` bytes or more. */
  #move(from: number, least: number): void {
    const rest = this.#memory.subarray(from, this.#filled);
    const fits = this.#memory.length === least || (rest.length > 0 && this.#memory.length > least);
    const target = fits ? this.#memory : Buffer.allocUnsafeSlow(least);
    // The same memory may lie on both sides: `set` moves as if by way of a third place.
    target.set(rest);
    this.#filled = rest.length;
    this.#memory = target;
  }
}

function checkHeader(frame: Buffer): void {
  if (frame[5] !== 0) throw new BackroomError("E_FRAME", "a frame has flags");
  const type = frameType(frame);
  const ofChannel = type === FRAME.hello || type >= FRAME.ping;
  if (ofChannel !== (frameCircuit(frame) === 0)) {
    throw new BackroomError("E_FRAME", "a frame's circuit does not fit its type");
  }
  if (ofChannel && frameCredit(frame) !== 0) {
    throw new BackroomError("E_FRAME", "a frame gives credit to no circuit");
  }
}
