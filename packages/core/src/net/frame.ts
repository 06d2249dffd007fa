import { BackroomError } from "../base/errors.ts";
import { release } from "../base/memory.ts";

/**
 * Frames, the only thing that goes over a channel (PROTOCOL 5). A frame is one Buffer, header and body together, so that a relay
 * can change the header in place and send the same memory on:
 *
 *     0         4      5       6        8
 *     | circuit | type | flags | credit | body …        DATA: 65,536 bytes in all; every other type: 2,048
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
/** The plaintext of four full TLS records. What a cipher, a write or a turn costs however little it carries is paid once for all of it (ADR 13). */
export const DATA_FRAME_BYTES = 65_536;
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

/**
 * Cuts a stream of chunks into frames. Each frame handed out has memory of its own and is the receiver's alone; chunks are copied and given
 * back at once.
 */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  /** A frame that is being put together, its length known, and how much of it is there. */
  #partial: Buffer | undefined;
  #filled = 0;
  /** Up to 5 bytes that came before the type did. */
  readonly #start = Buffer.alloc(TYPE_END);
  #startFilled = 0;
  #stopped = false;

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Nothing is handed out any more, not even the rest of the chunk being read. */
  stop(): void {
    this.#stopped = true;
    this.#partial = undefined;
  }

  /** Takes ownership of `chunk`. Raises E_FRAME on the first header that PROTOCOL 5 does not allow; stop using the reader then. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && !this.#stopped) offset += this.#fill(chunk, offset);
    release(chunk);
  }

  /** Returns how many bytes it took. */
  #fill(chunk: Buffer, offset: number): number {
    const frame = this.#partial;
    if (frame === undefined) {
      const taken = chunk.copy(this.#start, this.#startFilled, offset);
      this.#startFilled += taken;
      if (this.#startFilled === TYPE_END) this.#begin();
      return taken;
    }
    const taken = Math.min(frame.length - this.#filled, chunk.length - offset);
    frame.set(chunk.subarray(offset, offset + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === frame.length) {
      this.#partial = undefined;
      checkHeader(frame);
      this.#onFrame(frame);
    }
    return taken;
  }

  #begin(): void {
    this.#partial = Buffer.allocUnsafeSlow(lengthOfType(this.#start[4] as number));
    this.#filled = this.#start.copy(this.#partial);
    this.#startFilled = 0;
  }
}

function lengthOfType(type: number): number {
  if (type < FRAME.hello || type > FRAME.pong)
    throw new BackroomError("E_FRAME", "a frame has an unknown type");
  return frameBytes(type as FrameType);
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
