import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { makeCertificate } from "../../packages/core/src/net/certificate.ts";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { usageOf } from "./process-usage.ts";

const MIB = 1024 * 1024;

/** One plain TLS 1.3 stream from one process to another on loopback: what the machine can do without us. */
export interface TlsResult {
  readonly mibPerSecond: number;
  /** Both ends together. */
  readonly cpuSecondsPerGiB: number;
}

export async function measureTls(mib: number): Promise<TlsResult> {
  const server = spawn(process.execPath, [fileURLToPath(import.meta.url), "serve", String(mib)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(server.stdout, "data")) as [Buffer];
  const before = process.cpuUsage();
  const started = performance.now();
  const socket = connect({ port: Number(port.toString()), host: "127.0.0.1", rejectUnauthorized: false });
  let received = 0;
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(socket, "end");
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(before);
  const serverCpu = usageOf(server.pid ?? 0).cpuSeconds;
  server.kill();
  if (received !== mib * MIB) throw new Error(`received ${received} bytes of ${mib} MiB`);
  const cpuSeconds = (used.user + used.system) / 1e6 + serverCpu;
  return { mibPerSecond: mib / seconds, cpuSecondsPerGiB: (cpuSeconds * 1024) / mib };
}

function serve(mib: number): void {
  const server = createServer({ ...makeCertificate(systemRandom), minVersion: "TLSv1.3" }, (socket) => {
    const chunk = Buffer.alloc(64 * 1024, 7);
    let left = (mib * MIB) / chunk.length;
    const more = (): void => {
      while (left > 0) {
        left--;
        if (!socket.write(chunk)) break;
      }
      if (left === 0) socket.end();
    };
    socket.on("drain", more);
    more();
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.stdout.write(String(typeof address === "object" ? address?.port : ""));
  });
}

if (process.argv[2] === "serve") serve(Number(process.argv[3]));
