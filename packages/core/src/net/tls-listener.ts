import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { BackroomError, codeOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { silentLog, type Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { Admission } from "./admission.ts";
import type { Channel, ChannelIdentity, Listener } from "./channel.ts";
import { openChannel } from "./frame-channel.ts";
import { ALPN, serverContextOptions, tlsCarrier } from "./tls-channel.ts";

export interface TlsListenOptions {
  readonly identity: ChannelIdentity;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The IP address to listen at; all addresses of both families by default. */
  readonly host?: string;
  readonly networkId: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Instead of LIMITS.channelsPerAddress, for test networks, which live at one address. */
  readonly channelsPerAddress?: number;
  readonly log?: Log;
}

/**
 * Accepts channels over TLS (PROTOCOL 5). Who comes is counted before the first byte of TLS, and has LIMITS.channelOpenMs for everything up
 * to a checked HELLO; a newcomer beyond the bound of half-open sockets pushes out the oldest of them.
 * Raises E_PORT_IN_USE or E_LISTEN.
 */
export async function listenTls(
  options: TlsListenOptions,
  onChannel: (channel: Channel) => void,
): Promise<Listener> {
  const { clock, networkId, identity, log = silentLog } = options;
  const perAddress = options.channelsPerAddress ?? LIMITS.channelsPerAddress;
  const admission = new Admission({ perAddress, clock });
  const sockets = new Map<string, Socket>();

  const tlsServer = createTlsServer({
    ...serverContextOptions(options.random),
    ALPNProtocols: [ALPN],
    // Half-open sockets are ours to end; this one may not end them earlier.
    handshakeTimeout: 2 * LIMITS.channelOpenMs,
  });
  tlsServer.on("secureConnection", (socket) => {
    // Whatever fails has closed the socket already; there is nobody else to tell.
    greet(socket, sockets.get(nameOf(socket))).catch((error: unknown) => {
      log("debug", "a channel was not opened", { code: codeOf(error) });
    });
  });
  tlsServer.on("tlsClientError", (_error, socket) => {
    log("debug", "a TLS handshake failed");
    socket.destroy();
  });

  /** From the end of the TLS handshake on. */
  async function greet(socket: TLSSocket, raw: Socket | undefined): Promise<void> {
    socket.on("error", () => socket.destroy());
    if (raw === undefined || socket.alpnProtocol !== ALPN) {
      // Not the TLS socket: destroyed while its handshake ends, it leaves the connection under it open.
      raw?.destroy();
      return;
    }
    // The deadline that began when the socket came holds for HELLO too.
    const helloMs = 2 * LIMITS.channelOpenMs;
    const open = { initiator: false, networkId, identity, helloMs, peerHost: plainHost(raw.remoteAddress) };
    const channel = await openChannel(tlsCarrier(socket, clock), open, options);
    admission.opened(raw);
    onChannel(channel);
  }

  const tcpServer = createTcpServer({ noDelay: true }, (raw) => {
    raw.on("error", () => raw.destroy());
    if (!admission.admit(raw, raw.remoteAddress ?? "")) {
      log("debug", "a connection was refused", { reason: "busy" });
      raw.destroy();
      return;
    }
    const name = nameOf(raw);
    sockets.set(name, raw);
    const cancel = clock.after(LIMITS.channelOpenMs, () => {
      if (admission.isHalfOpen(raw)) raw.destroy();
    });
    raw.once("close", () => {
      cancel();
      sockets.delete(name);
      admission.gone(raw);
    });
    tlsServer.emit("connection", raw);
  });

  await listening(tcpServer, options.port, options.host);
  const address = tcpServer.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        tcpServer.close(() => resolve());
        for (const raw of sockets.values()) raw.destroy();
      }),
  };
}

/** An IPv4 address in IPv6 form, as a socket of both families gives it, is the IPv4 address. */
function plainHost(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** A TLS socket and the TCP socket under it have the same, and no two at one time. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** Without a host the system's wildcard: both families where there is IPv6, otherwise IPv4. */
function listening(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const code = cause.code === "EADDRINUSE" ? "E_PORT_IN_USE" : "E_LISTEN";
      reject(new BackroomError(code, "listening for other members failed", { cause }));
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      // An accept that fails, for want of file descriptors say, is over when it fails.
      server.removeAllListeners("error").on("error", () => {});
      resolve();
    });
  });
}
