import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { ALPN, clientContext, serverContextOptions, tlsCarrier } from "../../src/net/tls-channel.ts";

/** Many records, so that some are there already while the one before is handed on. */
const COUNT = 200_000;
/** Shorter than a record, which is handed on in parts then. */
const ROOM_BYTES = 5_000;

/** Numbers that are wrong wherever their bytes stand elsewhere. */
function numbered(): Buffer {
  const bytes = Buffer.alloc(4 * COUNT);
  for (let one = 0; one < COUNT; one++) bytes.writeUInt32BE(one, 4 * one);
  return bytes;
}

/** What a carrier hands on while for each part of it `answer` is written. */
async function readWhileWriting(answer: () => Buffer): Promise<Buffer> {
  const sent = numbered();
  const options = { ...serverContextOptions(systemRandom), ALPNProtocols: [ALPN] };
  const server = createServer(options, (socket) => {
    socket.on("error", () => {}).resume();
    socket.write(sent);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket: TLSSocket = connect({
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    secureContext: clientContext(),
    ALPNProtocols: [ALPN],
    rejectUnauthorized: false,
  });
  try {
    await once(socket, "secureConnect");
    const carrier = tlsCarrier(socket, systemClock);
    return await new Promise<Buffer>((resolve) => {
      const parts: Buffer[] = [];
      let room: Buffer = Buffer.alloc(0);
      let got = 0;
      const take = (part: Buffer): void => {
        parts.push(Buffer.from(part));
        got += part.length;
        carrier.write(answer());
        if (got === sent.length) resolve(Buffer.concat(parts));
      };
      carrier.start({
        onBytes: take,
        room: () => (room = Buffer.allocUnsafeSlow(ROOM_BYTES)),
        onFilled: (count) => take(room.subarray(0, count)),
        onWritten() {},
        onEnd() {},
      });
      carrier.resume();
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

for (const [what, answer] of [
  ["something", () => Buffer.from("said from within")],
  ["nothing", () => Buffer.alloc(0)],
] as const) {
  /** Would catch: a carrier whose connection reads within a write (ADR 21), so that what comes later is handed on first. */
  test(
    `whoever writes ${what} while bytes are handed on gets them in order`,
    { timeout: 60_000 },
    async () => {
      assert.ok((await readWhileWriting(answer)).equals(numbered()));
    },
  );
}
