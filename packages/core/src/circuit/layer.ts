import { createCipheriv, createDecipheriv } from "node:crypto";
import { BackroomError } from "../base/errors.ts";
import { release } from "../base/memory.ts";
import { TAG_BYTES } from "../crypto/aead.ts";
import { FRAME_HEADER_BYTES, frameType, isData } from "../net/frame.ts";
import type { HandshakeKeys } from "./handshake.ts";
import { KeyChain } from "./key-chain.ts";

/**
 * The layers of PROTOCOL 6.2 on whole frames. A frame of `n` bytes, as it goes between hop `i − 1` and hop `i`:
 *
 *     0        8                                        n − 17·(i − 1)        n
 *     | header | sealed: ciphertext …       | tag (16)  | filler, zeros …     |
 *                open: | what | rest …      |
 *
 * `what` says whether the rest is for this hop or, itself sealed, for the next one (towards the client: for the client).
 */
export const PASS_ON = 0;
export const MINE = 1;
export const MAX_HOPS = 4;
const WHAT_BYTES = 1;
const LAYER_BYTES = TAG_BYTES + WHAT_BYTES;

/** One direction of one hop. Calls must come in the order of the frames on the wire. */
export class Layer {
  readonly #chain: KeyChain;

  constructor(chain: KeyChain) {
    this.#chain = chain;
  }

  /** Seals `frame[from, from + length)` and writes ciphertext and tag at `to`; the ranges may overlap. */
  seal(frame: Buffer, from: number, length: number, to: number): void {
    const cipher = createCipheriv("aes-256-gcm", this.#chain.key(), this.#chain.nonce());
    const sealed = cipher.update(frame.subarray(from, from + length));
    cipher.final();
    frame.set(sealed, to);
    release(sealed);
    frame.set(cipher.getAuthTag(), to + length);
  }

  /** Opens `bytes[from, end)` into fresh memory. Raises E_CRYPTO; the circuit is over then. */
  open(bytes: Buffer, from: number, end: number): Buffer {
    const decipher = createDecipheriv("aes-256-gcm", this.#chain.key(), this.#chain.nonce());
    decipher.setAuthTag(bytes.subarray(end - TAG_BYTES, end));
    const opened = decipher.update(bytes.subarray(from, end - TAG_BYTES));
    try {
      decipher.final();
    } catch (cause) {
      throw new BackroomError("E_CRYPTO", "a layer did not authenticate", { cause });
    }
    return opened;
  }
}

/** A hop's four layers: DATA and CONTROL keep keys and counts of their own, so that CONTROL may overtake. */
export class HopLayers {
  readonly #forwardData: Layer;
  readonly #backwardData: Layer;
  readonly #forwardControl: Layer;
  readonly #backwardControl: Layer;

  /** Takes over the keys. */
  constructor(keys: HandshakeKeys, ratchetFrames?: number) {
    this.#forwardData = new Layer(new KeyChain(keys.forwardData, ratchetFrames));
    this.#backwardData = new Layer(new KeyChain(keys.backwardData, ratchetFrames));
    this.#forwardControl = new Layer(new KeyChain(keys.forwardControl, ratchetFrames));
    this.#backwardControl = new Layer(new KeyChain(keys.backwardControl, ratchetFrames));
  }

  /** Goes by the type in the frame's header. */
  forward(frame: Buffer): Layer {
    return isData(frameType(frame)) ? this.#forwardData : this.#forwardControl;
  }

  backward(frame: Buffer): Layer {
    return isData(frameType(frame)) ? this.#backwardData : this.#backwardControl;
  }
}

/** How long a plaintext, `what` included, hop `position` opens in a frame of this length. */
function openedBytes(frameLength: number, position: number): number {
  return frameLength - FRAME_HEADER_BYTES - LAYER_BYTES * (position - 1) - TAG_BYTES;
}

/** What a relay does with frames; `position` is its place in the circuit, from 1. */
export class RelayLayers {
  readonly #layers: HopLayers;
  readonly #position: number;

  constructor(layers: HopLayers, position: number) {
    this.#layers = layers;
    this.#position = position;
  }

  /** Forward: opens this hop's layer. The result starts with `what`. */
  open(frame: Buffer): Buffer {
    const length = openedBytes(frame.length, this.#position);
    return this.#layers
      .forward(frame)
      .open(frame, FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length + TAG_BYTES);
  }

  /** Forward: moves what was opened back into its frame for the next hop, with all of the filler anew. */
  passOn(opened: Buffer, frame: Buffer): void {
    const end = FRAME_HEADER_BYTES + opened.length - WHAT_BYTES;
    frame.set(opened.subarray(WHAT_BYTES), FRAME_HEADER_BYTES);
    frame.fill(0, end);
    release(opened);
  }

  /**
   * Backward: wraps a frame of the next hop in this hop's layer. `what` goes over the last byte of the header, which is written anew
   * in any case, so that it and the sealed bytes behind it are encrypted in one call.
   */
  wrap(frame: Buffer): void {
    frame[FRAME_HEADER_BYTES - WHAT_BYTES] = PASS_ON;
    this.#seal(frame, FRAME_HEADER_BYTES - WHAT_BYTES);
  }

  /** Backward: seals what this hop says itself; the plaintext, `what` included, stands behind the header. */
  sealOwn(frame: Buffer): void {
    this.#seal(frame, FRAME_HEADER_BYTES);
  }

  #seal(frame: Buffer, from: number): void {
    const length = openedBytes(frame.length, this.#position);
    this.#layers.backward(frame).seal(frame, from, length, FRAME_HEADER_BYTES);
    frame.fill(0, FRAME_HEADER_BYTES + length + TAG_BYTES);
  }

  /** Where in a frame this hop's own plaintext starts and how long it is. */
  ownRange(frameLength: number): { start: number; length: number } {
    return { start: FRAME_HEADER_BYTES, length: openedBytes(frameLength, this.#position) };
  }
}

/** What a client does with frames of a circuit whose hops it has keys for. */
export class ClientLayers {
  readonly #hops: HopLayers[] = [];

  get hopCount(): number {
    return this.#hops.length;
  }

  add(hop: HopLayers): void {
    this.#hops.push(hop);
  }

  /** Where in a frame the plaintext for the last hop starts, `what` included, and how long it is. */
  ownRange(frameLength: number): { start: number; length: number } {
    const count = this.#hops.length;
    return { start: FRAME_HEADER_BYTES + count - 1, length: openedBytes(frameLength, count) };
  }

  /**
   * Seals for every hop, the last one first. Layers nest in place: each next one starts a byte earlier, with its `what`, and its tag
   * goes behind what is there. The whole frame is full then, with no filler: that is only between later hops.
   */
  sealOwn(frame: Buffer): void {
    for (let position = this.#hops.length; position >= 1; position--) {
      const start = FRAME_HEADER_BYTES + position - 1;
      const hop = this.#hops[position - 1] as HopLayers;
      hop.forward(frame).seal(frame, start, openedBytes(frame.length, position), start);
      if (position > 1) frame[start - WHAT_BYTES] = PASS_ON;
    }
  }

  /** Opens every layer of a frame, which is given away. Raises E_CRYPTO, or E_FRAME when a hop other than the last one says something of its own. */
  open(frame: Buffer): Buffer {
    if (this.#hops.length === 0)
      throw new BackroomError("E_FRAME", "a frame came before the first hop's keys");
    let bytes = frame;
    let start = FRAME_HEADER_BYTES;
    for (let position = 1; position <= this.#hops.length; position++) {
      const hop = this.#hops[position - 1] as HopLayers;
      const end = start + openedBytes(frame.length, position) + TAG_BYTES;
      const opened = hop.backward(frame).open(bytes, start, end);
      if (bytes !== frame) release(bytes);
      bytes = opened;
      start = WHAT_BYTES;
      const expected = position === this.#hops.length ? MINE : PASS_ON;
      if (bytes[0] !== expected) throw new BackroomError("E_FRAME", "a layer is not for whom it should be");
    }
    release(frame);
    return bytes;
  }
}
