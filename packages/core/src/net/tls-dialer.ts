import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Channel, ChannelIdentity, Dialer, Endpoint } from "./channel.ts";
import { openChannel } from "./frame-channel.ts";
import type { OpenSocket } from "./proxy-socket.ts";
import { ALPN, clientContext, tlsCarrier } from "./tls-channel.ts";

export interface TlsDialerOptions {
  readonly networkId: number;
  readonly clock: Clock;
  readonly random: Random;
  /** A relay proves itself; without it this side stays anonymous. */
  readonly identity?: ChannelIdentity;
  /** Given, it opens every connection, as through a proxy, and nothing is connected to directly. */
  readonly openSocket?: OpenSocket | undefined;
}

/**
 * Dials relays over TLS (PROTOCOL 5). Endpoints are tried in order, each for LIMITS.channelOpenMs. When all fail the error is that of
 * the first that answered at all, because "another key" and "another network" tell more than "unreachable".
 */
export function createTlsDialer(options: TlsDialerOptions): Dialer {
  const secureContext = clientContext();

  async function dialOne(endpoint: Endpoint, nodeKey: Uint8Array | undefined): Promise<Channel> {
    const { clock, networkId, identity } = options;
    // Nothing is ever resolved: a name would tell a name server whom we dial.
    if (isIP(endpoint.host) === 0) throw new BackroomError("E_UNREACHABLE", "an endpoint is no IP address");
    const place = await placeOf(endpoint, nodeKey ?? Buffer.from(endpoint.host));
    const startedMs = clock.monotonicMs();
    const tls = { secureContext, ALPNProtocols: [ALPN], rejectUnauthorized: false };
    const socket = connect({ ...tls, ...place });
    socket.setNoDelay(true);
    await connected(socket, clock);
    const helloMs = Math.max(1, LIMITS.channelOpenMs - (clock.monotonicMs() - startedMs));
    return openChannel(
      tlsCarrier(socket, clock),
      { initiator: true, networkId, identity, expectedKey: nodeKey, helloMs },
      options,
    );
  }

  /** What node:tls connects over. A proxy takes its own time, which is not the relay's. */
  async function placeOf(
    { host, port }: Endpoint,
    relay: Uint8Array,
  ): Promise<{ socket: Socket } | Endpoint> {
    const { openSocket } = options;
    return openSocket === undefined ? { host, port } : { socket: await openSocket({ host, port }, relay) };
  }

  return {
    async dial({ nodeKey, endpoints }) {
      let failure = new BackroomError("E_UNREACHABLE", "none of the endpoints answered");
      for (const endpoint of endpoints) {
        try {
          // One after the other on purpose: the first endpoint is the preferred one.
          // oxlint-disable-next-line no-await-in-loop
          return await dialOne(endpoint, nodeKey);
        } catch (error) {
          if (!isBackroomError(error)) throw error;
          if (failure.code === "E_UNREACHABLE") failure = error;
        }
      }
      throw failure;
    },
  };
}

/** Waits for the end of the TLS handshake. Raises E_UNREACHABLE, with the socket gone, also when something else than Backroom answers. */
function connected(socket: TLSSocket, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void => {
      cancel();
      socket.destroy();
      reject(new BackroomError("E_UNREACHABLE", "an endpoint does not answer", { cause }));
    };
    const cancel = clock.after(LIMITS.channelOpenMs, fail);
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      cancel();
      socket.off("error", fail);
      // A server that knows no ALPN at all comes this far; anything else is refused in the handshake.
      if (socket.alpnProtocol === ALPN) resolve();
      else fail();
    });
  });
}
