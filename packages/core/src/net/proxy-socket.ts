import { connect, type Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { sha256 } from "../crypto/hash.ts";
import type { Endpoint } from "./channel.ts";
import type { Proxy } from "./proxy.ts";
import { Socks5Client, type ProxyCredentials } from "./socks5.ts";

/** Opens a connection to an endpoint for a channel to the relay of that key (or what else tells it from others), or raises E_UNREACHABLE or E_PROXY with nothing left open. */
export type OpenSocket = (endpoint: Endpoint, nodeKey: Uint8Array) => Promise<Socket>;

/**
 * Connections through a SOCKS 5 proxy and in no other way: where the proxy fails, so does the connection. Without credentials of the person's each relay
 * gets made-up ones, new for every run: Tor keeps streams of different users on circuits of their own, so that its exits cannot tell that
 * two guards are one member's.
 */
export function createProxyOpener(
  proxy: Proxy,
  { clock, random }: { clock: Clock; random: Random },
): OpenSocket {
  const secret = random.bytes(32);
  return (endpoint, nodeKey) => {
    const credentials = proxy.credentials ?? madeUp(secret, nodeKey);
    const mustAuthenticate = proxy.credentials !== undefined;
    return open(proxy, new Socks5Client({ endpoint, credentials, mustAuthenticate }), clock);
  };
}

/** Letters and digits, which proxies that look at them take. */
function madeUp(secret: Buffer, nodeKey: Uint8Array): ProxyCredentials {
  const name = sha256(Buffer.concat([secret, nodeKey])).toString("hex");
  return { username: name.slice(0, 32), password: name.slice(32) };
}

function open(proxy: Proxy, socks: Socks5Client, clock: Clock): Promise<Socket> {
  const socket = connect({ host: proxy.host, port: proxy.port });
  socket.setNoDelay(true);
  return new Promise((resolve, reject) => {
    const finish = (error?: BackroomError): void => {
      cancel();
      socket.removeAllListeners();
      if (error === undefined) {
        resolve(socket.pause());
        return;
      }
      // Whatever it still has to say is nobody's business.
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    const failed = (cause?: unknown): void =>
      finish(new BackroomError("E_PROXY", "the proxy does not answer, or hung up", { cause }));
    const cancel = clock.after(LIMITS.proxyOpenMs, failed);
    socket.once("connect", () => socket.write(socks.greeting()));
    socket.on("data", (chunk: Buffer) => {
      try {
        const next = socks.push(chunk);
        if (next !== undefined) socket.write(next);
        if (socks.isOpen) finish();
      } catch (error) {
        if (!isBackroomError(error)) throw error;
        finish(error);
      }
    });
    socket.once("error", failed);
    socket.once("close", failed);
  });
}
