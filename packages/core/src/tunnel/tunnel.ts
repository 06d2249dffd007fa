import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { clientHello, PROTOCOL_ID, serverReply, type HandshakeKeys } from "../circuit/handshake.ts";
import { KeyChain } from "../circuit/key-chain.ts";
import type { CircuitStream, StreamHandlers } from "../circuit/stream.ts";
import type { SeederKeys } from "./lease.ts";
import { TunnelDuplex, type TunnelDeps } from "./tunnel-duplex.ts";

/** Which seeder a tunnel is for, from its lease. */
export interface TunnelPeer {
  readonly leaseKey: Buffer;
  readonly tunnelKey: Buffer;
}

/**
 * The downloader's side (PROTOCOL 9): opens a stream to a gate through `open`, and resolves once the seeder has proven that it holds the
 * lease's tunnel key and the link. Start the duplex at once: what arrives before waits. Raises E_TUNNEL when the stream ends,
 * the proof is false, or nothing comes within LIMITS.tunnelHandshakeMs.
 */
export function dialTunnel(
  open: (handlers: StreamHandlers) => CircuitStream,
  peer: TunnelPeer,
  psk: Uint8Array,
  deps: TunnelDeps,
): Promise<ByteDuplex> {
  const hello = clientHello({
    protocolId: PROTOCOL_ID.tunnel,
    nodeId: peer.leaseKey,
    onionKey: peer.tunnelKey,
    psk,
    position: 0,
  });
  const pending = new PendingTunnel(deps, (stream, payload) => {
    const keys = hello.finish(payload);
    return new TunnelDuplex(stream, chainsOf(keys, "downloader"), deps);
  });
  try {
    const stream = open(pending);
    pending.attach(stream);
    if (stream.sendWindow > 0) stream.send(hello.message);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    pending.onEnd(error);
  }
  return pending.ready;
}

/**
 * The seeder's side of an incoming stream: return `handlers` to the circuit, and take the tunnel from `ready`, which raises E_TUNNEL as
 * above. A gate may replay a downloader's first payload: then a tunnel comes up through which nothing authentic ever arrives.
 */
export function acceptTunnel(
  stream: CircuitStream,
  keys: SeederKeys,
  psk: Uint8Array,
  deps: TunnelDeps,
): { readonly handlers: StreamHandlers; readonly ready: Promise<ByteDuplex> } {
  const identity = {
    protocolId: PROTOCOL_ID.tunnel,
    nodeId: keys.leaseKeys.publicBytes,
    onionKeys: [keys.tunnelKeys],
    psk,
  };
  const pending = new PendingTunnel(deps, (_, payload) => {
    const answer = serverReply(identity, payload);
    stream.send(answer.reply);
    return new TunnelDuplex(stream, chainsOf(answer.keys, "seeder"), deps);
  });
  pending.attach(stream);
  return { handlers: pending, ready: pending.ready };
}

/** The stream's handlers: the first payload is the handshake's, everything after it the duplex's. */
class PendingTunnel implements StreamHandlers {
  readonly ready: Promise<ByteDuplex>;
  readonly #settle: PromiseWithResolvers<ByteDuplex> = Promise.withResolvers();
  readonly #agree: (stream: CircuitStream, payload: Buffer) => TunnelDuplex;
  readonly #cancelTimeout: () => void;
  #stream: CircuitStream | undefined;
  #duplex: TunnelDuplex | undefined;
  #failed = false;

  constructor(deps: TunnelDeps, agree: (stream: CircuitStream, payload: Buffer) => TunnelDuplex) {
    this.ready = this.#settle.promise;
    this.#agree = agree;
    this.#cancelTimeout = deps.clock.after(LIMITS.tunnelHandshakeMs, () =>
      this.#fail("did not answer in time"),
    );
  }

  attach(stream: CircuitStream): void {
    this.#stream = stream;
    if (this.#failed) stream.end();
  }

  onData(payload: Buffer): void {
    if (this.#duplex !== undefined) {
      this.#duplex.onData(payload);
      return;
    }
    if (this.#failed || this.#stream === undefined) return;
    try {
      this.#duplex = this.#agree(this.#stream, payload);
    } catch (cause) {
      this.#fail("could not prove that it holds the link", cause);
      return;
    }
    this.#cancelTimeout();
    this.#stream.consumed(1);
    this.#settle.resolve(this.#duplex);
  }

  onWindow(): void {
    this.#duplex?.onWindow();
  }

  onEnd(error?: BackroomError): void {
    if (this.#duplex !== undefined) {
      this.#duplex.onEnd(error);
      return;
    }
    this.#stream = undefined;
    this.#fail("closed the stream", error);
  }

  #fail(what: string, cause?: unknown): void {
    if (this.#failed || this.#duplex !== undefined) return;
    this.#failed = true;
    this.#cancelTimeout();
    this.#stream?.end();
    this.#settle.reject(new BackroomError("E_TUNNEL", `the peer ${what}`, { cause }));
  }
}

/** Forward is from the downloader. The control keys have no use in a tunnel. */
function chainsOf(
  keys: HandshakeKeys,
  side: "downloader" | "seeder",
): { outbound: KeyChain; inbound: KeyChain } {
  const forward = new KeyChain(keys.forwardData);
  const backward = new KeyChain(keys.backwardData);
  return side === "downloader"
    ? { outbound: forward, inbound: backward }
    : { outbound: backward, inbound: forward };
}
