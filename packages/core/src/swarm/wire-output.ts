import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { encodeMessage, type WireMessage } from "../torrent/peer-wire.ts";

/**
 * What goes out to one peer. Blocks wait for `writable`; the other messages are written at once, and counted while the peer does not
 * read, so that somebody who asks and asks and never reads costs no more than LIMITS.peerBlockedBytes.
 */
export class WireOutput {
  readonly #duplex: ByteDuplex;
  #writable = true;
  #blockedBytes = 0;
  /** The session's time, set before it writes, and when something was last written: keepalives go by it. */
  nowMs = 0;
  wroteMs = 0;

  constructor(duplex: ByteDuplex) {
    this.#duplex = duplex;
  }

  get writable(): boolean {
    return this.#writable;
  }

  drained(): void {
    this.#writable = true;
    this.#blockedBytes = 0;
  }

  raw(bytes: Buffer): void {
    if (!this.#writable) {
      this.#blockedBytes += bytes.length;
      if (this.#blockedBytes > LIMITS.peerBlockedBytes) {
        throw new BackroomError("E_PEER_FLOOD", "a peer does not read its answers");
      }
    }
    this.#write(bytes);
  }

  send(message: WireMessage): void {
    this.raw(encodeMessage(message));
  }

  /** Many messages in one write, so that they share a tunnel's record. */
  sendAll(messages: readonly WireMessage[]): void {
    if (messages.length > 0) this.raw(Buffer.concat(messages.map(encodeMessage)));
  }

  /** Whole `piece` messages, given away with their memory. `more` as `ByteDuplex` has it. */
  blocks(messages: Buffer, more: boolean): void {
    this.#write(messages, more);
  }

  #write(bytes: Buffer, more = false): void {
    this.wroteMs = this.nowMs;
    if (!this.#duplex.write(bytes, more)) this.#writable = false;
  }
}
