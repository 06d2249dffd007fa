import { constants } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { release } from "../base/memory.ts";
import type { Random } from "../base/random.ts";
import { makeCertificate } from "./certificate.ts";
import type { Carrier } from "./frame-channel.ts";
import { FrameQueue } from "./frame-queue.ts";
import { EXPORTER_BYTES, EXPORTER_LABEL } from "./hello.ts";
import { RawReads } from "./raw-reads.ts";

/** PROTOCOL 5: the only application protocol spoken, so nothing but a Backroom node gets beyond the handshake. */
export const ALPN = "backroom/1";

/**
 * What both sides say to node:tls. AES-256 first: per frame it costs within 4 % of what AES-128 does, and channels together differ by less than
 * one run from the next. The hybrid group first: a recording is no use to a quantum computer.
 */
const TLS_PARAMETERS: SecureContextOptions = {
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  ciphers: "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
  ecdhCurve: "X25519MLKEM768:X25519",
  secureOptions: constants.SSL_OP_NO_TICKET,
  // An empty list spares each context the system's root certificates: nobody checks a certificate here.
  ca: [],
};

/** For a dialer; it shows no certificate. */
export function clientContext(): SecureContext {
  return createSecureContext(TLS_PARAMETERS);
}

/** For a listener, with a certificate of its own. */
export function serverContextOptions(random: Random): SecureContextOptions {
  return { ...TLS_PARAMETERS, ...makeCertificate(random) };
}

/** A TLS socket, its handshake done, as the carrier of a channel. Raises E_CHANNEL when the peer did not agree on ALPN. */
export function tlsCarrier(socket: TLSSocket, clock: Clock): Carrier {
  return new TlsCarrier(socket, clock);
}

/**
 * One write under way at a time: OpenSSL takes a single buffer as it is, where several that wait in a socket are first put together in fresh
 * memory. What was written is given back as soon as it is encrypted.
 */
class TlsCarrier implements Carrier {
  readonly exporter: Buffer;
  readonly #socket: TLSSocket;
  readonly #clock: Clock;
  readonly #waiting = new FrameQueue();
  #error: BackroomError | undefined;
  #handlers: Parameters<Carrier["start"]>[0] | undefined;
  #reads: RawReads | undefined;
  /** What the socket is writing. */
  #writing: Buffer | undefined;
  #closed = false;

  constructor(socket: TLSSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.exporter = socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
  }

  get queuedBytes(): number {
    return this.#waiting.bytes + (this.#writing?.length ?? 0);
  }

  start(handlers: Parameters<Carrier["start"]>[0]): void {
    const socket = this.#socket;
    this.#handlers = handlers;
    this.#reads = new RawReads(socket, handlers);
    socket.on("end", () => handlers.onEnd());
    socket.on("error", (cause) => {
      this.#error = new BackroomError("E_CHANNEL", "the connection broke", { cause });
    });
    socket.on("close", () => handlers.onEnd(this.#error));
  }

  write(frame: Buffer): void {
    // Writing nothing makes the connection read within the write: what is handed on just then would have what comes after it in its middle (ADR 21).
    if (frame.length === 0 || this.#closed || !this.#socket.writable) return;
    this.#waiting.push(frame);
    if (this.#writing === undefined) this.#writeNext();
  }

  pause(): void {
    this.#reads?.pause();
  }

  resume(): void {
    this.#reads?.resume();
  }

  close(abrupt: boolean): void {
    const socket = this.#socket;
    if (this.#closed) return;
    this.#closed = true;
    if (abrupt || socket.destroyed) {
      this.#waiting.clear();
      socket.destroy();
      return;
    }
    for (let last = this.#waiting.next(); last !== undefined; last = this.#waiting.next()) socket.write(last);
    // Bytes that nobody reads would make the kernel reset the connection, and what we wrote would be lost with it.
    this.#reads?.discard();
    socket.end();
    const cancel = this.#clock.after(LIMITS.channelCloseMs, () => socket.destroy());
    socket.once("close", cancel);
  }

  #writeNext(): void {
    this.#writing = this.#waiting.next();
    if (this.#writing !== undefined) this.#socket.write(this.#writing, this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (this.#writing !== undefined) release(this.#writing);
    this.#writing = undefined;
    // An error ends the connection, which says so by itself.
    if (error || this.#closed) return;
    this.#writeNext();
    this.#handlers?.onWritten();
  };
}
