import http, { type ClientRequestArgs } from "node:http";
import https from "node:https";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { LIMITS } from "../../base/limits.ts";

/** An agent that connects to the given hosts and nobody else, and to no name; and cuts off whoever sends too much or takes too long. */
class GuardedAgent extends http.Agent {
  readonly #hosts: ReadonlySet<string>;

  constructor(hosts: ReadonlySet<string>) {
    super({ keepAlive: false, maxSockets: 2, timeout: LIMITS.portMappingHttpMs });
    this.#hosts = hosts;
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const host = options.host ?? "";
    if (isIP(host) !== 4 || !this.#hosts.has(host))
      throw new Error("the description of a gateway leads elsewhere");
    const socket = super.createConnection(options, callback) as Socket;
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LIMITS.portMappingHttpBytes) socket.destroy(new Error("a gateway says too much"));
    });
    const timer = setTimeout(
      () => socket.destroy(new Error("a gateway is too slow")),
      LIMITS.portMappingHttpMs,
    );
    socket.once("close", () => clearTimeout(timer));
    return socket;
  }
}

/**
 * Binds what libraries of this process ask by HTTP to these hosts. A description of a gateway comes from whoever in the local network answered
 * first, and names other addresses to call: without this it could have this computer call anybody, or resolve a name.
 */
export function guardHttp(hosts: readonly string[]): void {
  http.globalAgent = new GuardedAgent(new Set(hosts));
  // No gateway needs it, and the library would not check certificates.
  https.globalAgent = new https.Agent({ maxSockets: 0 });
  https.globalAgent.createConnection = () => {
    throw new Error("gateways are asked by http");
  };
}
