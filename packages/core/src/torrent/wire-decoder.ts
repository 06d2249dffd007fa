import { BackroomError } from "../base/errors.ts";
import { decodeHandshake, HANDSHAKE_BYTES, type Handshake } from "./handshake.ts";
import { checkHead, decodeBody, IDS, type WireMessage } from "./peer-wire.ts";

/** What is being collected across chunks, and what to do with it once it is whole. */
interface Collecting {
  readonly bytes: Buffer;
  filled: number;
}

const HEAD_BYTES = 5;

/**
 * Cuts a byte stream into the handshake and then messages. Bytes are copied at most once, and the block of a `piece` not at all where it
 * lies whole within one chunk: it may be a slice of what was pushed, valid for as long as that is. All others have memory of their own.
 * After an error the stream is lost, and every later push raises again.
 */
export class PeerWireDecoder {
  readonly #pieceCount: number;
  #phase: "handshake" | "head" | "body" = "handshake";
  #head: Collecting = { bytes: Buffer.allocUnsafe(HANDSHAKE_BYTES), filled: 0 };
  #bodyLength = 0;
  #id = 0;
  #body: Collecting | undefined;
  #broken = false;

  /** `pieceCount` bounds the bitfield; the bounds of other messages are in LIMITS. */
  constructor(pieceCount: number) {
    this.#pieceCount = pieceCount;
  }

  /** True at the edge between two messages: a stream that ends elsewhere was cut off. */
  get atEdge(): boolean {
    return this.#phase !== "body" && this.#head.filled === 0;
  }

  /** All that `chunk` completes, in order. Raises E_WIRE at the first byte that cannot be right. */
  push(chunk: Buffer): (Handshake | WireMessage)[] {
    if (this.#broken) throw new BackroomError("E_WIRE", "the stream was broken before");
    const messages: (Handshake | WireMessage)[] = [];
    try {
      let offset = 0;
      while (offset < chunk.length) offset = this.#step(chunk, offset, messages);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
    return messages;
  }

  #step(chunk: Buffer, offset: number, messages: (Handshake | WireMessage)[]): number {
    if (this.#phase === "handshake") {
      const next = fill(this.#head, HANDSHAKE_BYTES, chunk, offset);
      if (this.#head.filled === HANDSHAKE_BYTES) {
        messages.push(decodeHandshake(this.#head.bytes));
        this.#head = { bytes: Buffer.allocUnsafe(HEAD_BYTES), filled: 0 };
        this.#phase = "head";
      }
      return next;
    }
    return this.#phase === "head"
      ? this.#stepHead(chunk, offset, messages)
      : this.#stepBody(chunk, offset, messages);
  }

  #stepHead(chunk: Buffer, offset: number, messages: (Handshake | WireMessage)[]): number {
    const head = this.#head;
    if (head.filled < 4) {
      const next = fill(head, 4, chunk, offset);
      if (head.filled === 4 && head.bytes.readUInt32BE(0) === 0) {
        head.filled = 0;
        messages.push({ type: "keepalive" });
      }
      return next;
    }
    this.#id = chunk[offset] as number;
    const length = head.bytes.readUInt32BE(0);
    checkHead(this.#id, length, this.#pieceCount);
    head.filled = 0;
    this.#bodyLength = length - 1;
    if (this.#bodyLength === 0) messages.push(decodeBody(this.#id, Buffer.alloc(0)));
    else this.#phase = "body";
    return offset + 1;
  }

  #stepBody(chunk: Buffer, offset: number, messages: (Handshake | WireMessage)[]): number {
    let body: Buffer;
    let next = offset + this.#bodyLength;
    if (this.#body === undefined && next <= chunk.length) {
      body = chunk.subarray(offset, next);
      if (this.#id !== IDS.piece) body = Buffer.from(body);
    } else {
      this.#body ??= { bytes: Buffer.allocUnsafe(this.#bodyLength), filled: 0 };
      next = fill(this.#body, this.#bodyLength, chunk, offset);
      if (this.#body.filled < this.#bodyLength) return next;
      body = this.#body.bytes;
    }
    this.#body = undefined;
    this.#phase = "head";
    messages.push(decodeBody(this.#id, body));
    return next;
  }
}

/** Copies from `chunk` until `target` holds `length` bytes or the chunk ends; gives the new offset in the chunk. */
function fill(target: Collecting, length: number, chunk: Buffer, offset: number): number {
  const take = Math.min(length - target.filled, chunk.length - offset);
  chunk.copy(target.bytes, target.filled, offset, offset + take);
  target.filled += take;
  return offset + take;
}
