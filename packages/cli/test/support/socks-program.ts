import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { ipText } from "@backroom/core/base/ip-address.ts";

/** A SOCKS 5 proxy (RFC 1928, CONNECT by address, no login) as a program: its arguments are the address and port to listen at. */
const [host = "", port = ""] = process.argv.slice(2);

async function serve(client: Socket): Promise<void> {
  const take = reader(client);
  const [, methods = 0] = await take(2);
  await take(methods);
  client.write(Buffer.of(5, 0));
  const [, , , type = 0] = await take(4);
  const target = ipText(await take(type === 1 ? 4 : 16));
  const targetPort = (await take(2)).readUInt16BE(0);
  const server = connect({ host: target, port: targetPort });
  server.on("error", () => client.destroy()).on("close", () => client.destroy());
  client.on("close", () => server.destroy());
  await once(server, "connect");
  client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
  client.pipe(server).pipe(client);
}

/** Gives so many bytes, once they have come. */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  return async (length) => {
    for (;;) {
      const bytes = length === 0 ? Buffer.alloc(0) : (socket.read(length) as Buffer | null);
      if (bytes !== null) return bytes;
      await once(socket, "readable");
    }
  };
}

createServer((client) => {
  client.on("error", () => {});
  serve(client).catch(() => client.destroy());
}).listen(Number(port), host, () => process.stdout.write("listening\n"));
