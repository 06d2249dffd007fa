import { connect } from "node:net";
import { parseProxy } from "@backroom/core/net/proxy.ts";
import { row, type DoctorRow } from "./rows.ts";

/** A proxy on this computer or in this house answers at once. */
const MOST_MS = 3_000;

/** Whether something listens there; nothing is said to it. */
export type Knock = (host: string, port: number) => Promise<boolean>;

export async function proxyRow(proxy: string | null, knock: Knock): Promise<DoctorRow> {
  if (proxy === null) return row("proxy", "ok", "none: relays that this computer calls on see its address");
  const { host, port } = parseProxy(proxy);
  if (await knock(host, port)) return row("proxy", "ok", "all connections go through it, and it is there");
  return row("proxy", "fail", "it does not answer, and nothing goes past it", {
    fix: "start the proxy, or name another: backroom proxy socks5://ADDRESS:PORT",
  });
}

export const knock: Knock = (host, port) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: MOST_MS });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
