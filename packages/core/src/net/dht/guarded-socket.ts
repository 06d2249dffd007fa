import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { EventEmitter } from "node:events";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { mayContact } from "./may-contact.ts";
import { PacketRate } from "./rate-limit.ts";
import { boundedReply, cleanDhtPacket } from "./validator.ts";

/**
 * The UDP socket as the DHT library sees it (k-rpc-socket's `socket` option): nothing comes in that the validator did not write
 * anew, nothing goes out to places that strangers should not make us contact, nothing is resolved.
 */
export class GuardedSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #testNetwork: boolean;
  #open = true;

  constructor(options: { readonly testNetwork: boolean; readonly clock: Clock }) {
    super();
    this.#testNetwork = options.testNetwork;
    // A test network may live at one address whole.
    const perSource = options.testNetwork ? LIMITS.dhtAllPackets : LIMITS.dhtSourcePackets;
    const rate = new PacketRate(options.clock, perSource);
    // node:dgram hands every host to `lookup`, addresses too; whatever is no address fails in `send` then.
    this.#socket = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, 4) });
    this.#socket.on("message", (bytes: Buffer, source: RemoteInfo) => {
      if (source.port === 0 || !rate.allow(source.address)) return;
      const clean = cleanDhtPacket(bytes);
      if (clean !== undefined) this.emit("message", clean, source);
    });
    for (const event of ["error", "listening"]) {
      this.#socket.on(event, (...values: unknown[]) => this.emit(event, ...values));
    }
    this.#socket.on("close", () => this.emit("close"));
  }

  bind(port: number, host: string): void {
    this.#socket.bind(port, host);
  }

  address(): { address: string; port: number } {
    return this.#socket.address();
  }

  send(bytes: Buffer, _offset: number, _length: number, port: number, host: string, done: () => void): void {
    if (!this.#open || !mayContact(host, port, this.#testNetwork)) return;
    this.#socket.send(boundedReply(bytes), port, host, done);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }
}
