import { spawn } from "node:child_process";
import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer as createTcpServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { release } from "../../packages/core/src/base/memory.ts";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { counterNonce } from "../../packages/core/src/crypto/aead.ts";
import { makeCertificate } from "../../packages/core/src/net/certificate.ts";
import { RawReads } from "../../packages/core/src/net/raw-reads.ts";
import { median, usageOf } from "./process-usage.ts";
import type { Row } from "./row.ts";

const MIB = 1024 * 1024;
const FRAME_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const RUN_MIB = 1024;
const ROUNDS = 3;
const KEY = createSecretKey(Buffer.alloc(32, 7));

/** How frames may go over a line: as channels do it, encrypted by AES-GCM calls of our own over TCP, and not encrypted at all. */
const WAYS = { tls: "TLS", gcm: "TCP, AES-256-GCM a frame", none: "TCP, nothing encrypted" } as const;
type Way = keyof typeof WAYS;

/**
 * What one line costs both its ends per GiB, by three ways to send frames of 64 KiB: what a channel without TLS could save at most
 * (docs/PERFORMANCE.md, "Circuits").
 */
export async function benchLine(): Promise<Row[]> {
  const costs: Record<Way, number[]> = { tls: [], gcm: [], none: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of Object.keys(WAYS) as Way[]) costs[way].push(await measure(way));
  }
  const tls = median(costs.tls);
  return (Object.keys(WAYS) as Way[]).map((way) => ({
    name: `a line of 64 KiB frames, both ends: CPU, ${WAYS[way]}`,
    value: median(costs[way]),
    unit: "s/GiB",
    ratio: median(costs[way]) / tls,
  }));
}

async function measure(way: Way): Promise<number> {
  const sender = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), way], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(sender.stdout, "data")) as [Buffer];
  const to = { port: Number(port.toString()), host: "127.0.0.1" };
  const before = process.cpuUsage();
  const socket = way === "tls" ? connectTls({ ...to, rejectUnauthorized: false }) : connectTcp(to);
  await once(socket, way === "tls" ? "secureConnect" : "connect");
  await receive(socket, way);
  const used = process.cpuUsage(before);
  const senderSeconds = usageOf(sender.pid ?? 0).cpuSeconds;
  sender.kill();
  return (((used.user + used.system) / 1e6 + senderSeconds) * 1024) / RUN_MIB;
}

/** Puts frames together and opens them, until all have come. */
function receive(socket: Socket, way: Way): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const length = FRAME_BYTES + (way === "gcm" ? TAG_BYTES : 0);
  let frame = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  let count = 0;
  const onFilled = (bytes: number): void => {
    filled += bytes;
    if (filled < length) return;
    if (way === "gcm") open(frame, count);
    release(frame);
    frame = Buffer.allocUnsafeSlow(length);
    filled = 0;
    if (++count * FRAME_BYTES === RUN_MIB * MIB) resolve();
  };
  const onBytes = (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + length - filled);
      frame.set(part, filled);
      at += part.length;
      onFilled(part.length);
    }
    release(chunk);
  };
  if (way === "tls") {
    const room = (): Buffer => frame.subarray(filled);
    new RawReads(socket as TLSSocket, { onBytes, onFilled, room }).resume();
  } else socket.on("data", onBytes);
  return promise;
}

function open(frame: Buffer, count: number): void {
  const decipher = createDecipheriv("aes-256-gcm", KEY, counterNonce(count), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(frame.subarray(FRAME_BYTES));
  release(decipher.update(frame.subarray(0, FRAME_BYTES)));
  decipher.final();
}

function serve(way: Way): void {
  const send = (socket: Socket): void => {
    let count = 0;
    const next = (): void => {
      if (count * FRAME_BYTES === RUN_MIB * MIB) return;
      const frame = Buffer.allocUnsafeSlow(FRAME_BYTES);
      frame.writeUInt32BE(count);
      const parts = way === "gcm" ? seal(frame, count) : [frame];
      count++;
      socket.cork();
      const last = parts.pop();
      for (const part of parts) socket.write(part);
      socket.write(last as Buffer, () => {
        release((parts[0] ?? last) as Buffer);
        next();
      });
      socket.uncork();
    };
    next();
  };
  const server =
    way === "tls"
      ? createTlsServer(
          {
            ...makeCertificate(systemRandom),
            minVersion: "TLSv1.3",
            ciphers: "TLS_AES_256_GCM_SHA384",
          },
          send,
        )
      : createTcpServer(send);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.stdout.write(String(typeof address === "object" ? address?.port : ""));
  });
}

function seal(frame: Buffer, count: number): Buffer[] {
  const cipher = createCipheriv("aes-256-gcm", KEY, counterNonce(count));
  const body = cipher.update(frame);
  cipher.final();
  release(frame);
  return [body, cipher.getAuthTag()];
}

const [, , way] = process.argv;
if (way !== undefined && way in WAYS && import.meta.main) serve(way as Way);
