import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface SocksServerOptions {
  /** Asks for this login; without it takes any that is offered, preferring user names as Tor does. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Answers instead of the server, once so many bytes have come: raw bytes, or "hang up". */
  readonly script?: readonly (Buffer | "hang up")[];
}

/** What one client asked for. */
export interface SocksRequest {
  readonly username: string | undefined;
  /** The address type of RFC 1928: 1 IPv4, 3 a name, 4 IPv6. */
  readonly type: number;
  readonly port: number;
}

/** A SOCKS 5 server on loopback that connects to loopback, or plays a script of answers. */
export class SocksServer {
  readonly requests: SocksRequest[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #options: SocksServerOptions;

  private constructor(options: SocksServerOptions) {
    this.#options = options;
  }

  static async start(options: SocksServerOptions = {}): Promise<SocksServer> {
    const server = new SocksServer(options);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections, without a word to either end. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #hold(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
  }

  #accept(socket: Socket): void {
    this.#hold(socket);
    const { script } = this.#options;
    if (script === undefined) {
      void this.#serve(socket).catch(() => socket.destroy());
      return;
    }
    const steps = [...script];
    socket.on("data", () => {
      const step = steps.shift();
      if (step === "hang up") socket.destroy();
      else if (step !== undefined) socket.write(step);
    });
  }

  async #serve(socket: Socket): Promise<void> {
    const read = reader(socket);
    const [, count = 0] = await read(2);
    const methods = [...(await read(count))];
    const { login } = this.#options;
    const method = methods.includes(2) ? 2 : login === undefined && methods.includes(0) ? 0 : 255;
    socket.write(Buffer.from([5, method]));
    let username: string | undefined;
    if (method === 2) {
      const [, nameLength = 0] = await read(2);
      username = (await read(nameLength)).toString();
      const [passwordLength = 0] = await read(1);
      const password = (await read(passwordLength)).toString();
      const isRight = login === undefined || (username === login.username && password === login.password);
      socket.write(Buffer.from([1, isRight ? 0 : 1]));
      if (!isRight) return;
    }
    const [, , , type = 0] = await read(4);
    const length = type === 1 ? 4 : type === 4 ? 16 : ((await read(1))[0] ?? 0);
    await read(length);
    const port = (await read(2)).readUInt16BE(0);
    this.requests.push({ username, type, port });
    const onward = this.#hold(connect(port, "127.0.0.1"));
    onward.once("error", () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
    await once(onward, "connect");
    socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  }
}

function reader(socket: Socket): (length: number) => Promise<Buffer> {
  return async (length) => {
    for (;;) {
      const bytes = length === 0 ? Buffer.alloc(0) : (socket.read(length) as Buffer | null);
      if (bytes !== null) return bytes;
      await once(socket, "readable");
    }
  };
}
