import { BackroomError } from "../base/errors.ts";

/**
 * Frames, the only thing that goes over a channel (PROTOCOL 5). A frame is one Buffer, header and body together, so that a relay
 * can change the header in place and send the same memory on:
 *
 *     0         4      5       6        8
 *     | circuit | type | flags | credit | body …        DATA: 16,384 bytes in all; every other type: 2,048
 *     | u32     | u8   | 0     | u16    |
 */
export const FRAME = {
  hello: 1,
  create: 2,
  created: 3,
  data: 4,
  control: 5,
  destroy: 6,
  credit: 7,
  ping: 8,
  pong: 9,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export const FRAME_HEADER_BYTES = 8;
/** The plaintext of one full TLS record, so a DATA frame is one record. */
export const DATA_FRAME_BYTES = 16_384;
/** Holds a client message, a reply or a relay info with its layers, and keeps small talk cheap. */
export const OTHER_FRAME_BYTES = 2_048;

/** Enough of a frame to know its length. */
const TYPE_END = 5;

/** The length of a whole frame of this type. */
export function frameBytes(type: FrameType): number {
  return type === FRAME.data ? DATA_FRAME_BYTES : OTHER_FRAME_BYTES;
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
 * Cuts a stream of chunks into frames. Each frame handed out is the receiver's alone. A chunk that owns its memory (what node:tls
 * gives: one fresh allocation a record) is passed on without a copy; a chunk that is a view of something larger, such as Node's
 * buffer pool, is copied, because changing it in place would change a stranger's bytes.
 */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  /** A frame that is being put together, its length known, and how much of it is there. */
  #partial: Buffer | undefined;
  #filled = 0;
  /** Up to 4 bytes that came before the type did. */
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
    const owned = chunk.byteLength === chunk.buffer.byteLength;
    let offset = 0;
    while (offset < chunk.length && !this.#stopped) {
      if (this.#partial === undefined && this.#startFilled === 0) {
        const length = chunk.length - offset >= TYPE_END ? lengthOfType(chunk[offset + 4] as number) : 0;
        if (length > 0 && chunk.length - offset >= length) {
          const frame = chunk.subarray(offset, offset + length);
          offset += length;
          this.#deliver(owned ? frame : copyOf(frame));
          continue;
        }
      }
      offset += this.#fill(chunk, offset);
    }
  }

  /** The slow path, a frame in several chunks: returns how many bytes it took. */
  #fill(chunk: Buffer, offset: number): number {
    if (this.#partial === undefined) {
      const taken = chunk.copy(this.#start, this.#startFilled, offset);
      this.#startFilled += taken;
      if (this.#startFilled < TYPE_END) return taken;
      this.#partial = Buffer.allocUnsafeSlow(lengthOfType(this.#start[4] as number));
      this.#filled = this.#start.copy(this.#partial);
      this.#startFilled = 0;
      return taken;
    }
    const frame = this.#partial;
    const taken = chunk.copy(frame, this.#filled, offset);
    this.#filled += taken;
    if (this.#filled === frame.length) {
      this.#partial = undefined;
      this.#deliver(frame);
    }
    return taken;
  }

  #deliver(frame: Buffer): void {
    checkHeader(frame);
    this.#onFrame(frame);
  }
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
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
