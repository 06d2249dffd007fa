import path from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { systemClock } from "../../packages/core/src/base/clock.ts";
import { silentLog } from "../../packages/core/src/base/log.ts";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { ChannelPool } from "../../packages/core/src/circuit/channel-pool.ts";
import { buildCircuit } from "../../packages/core/src/circuit/client-circuit.ts";
import { SERVICE } from "../../packages/core/src/circuit/stream.ts";
import { createTlsDialer } from "../../packages/core/src/net/tls-dialer.ts";
import { openPack } from "../../packages/core/src/pack/open.ts";
import { unpackHere } from "../../packages/core/src/pack/unpacker.ts";
import { unpackInThread } from "../../packages/core/src/pack/unpack-thread.ts";
import { openPackStore } from "../../packages/core/src/store/open-pack.ts";
import { createSwarm } from "../../packages/core/src/swarm/swarm.ts";
import { torrentInfo } from "../../packages/core/src/torrent/info.ts";
import { dialTunnel } from "../../packages/core/src/tunnel/tunnel.ts";
import { hopOf, NETWORK_ID, type FeederReport } from "./ends-hops.ts";
import { usageOf } from "./process-usage.ts";

export interface DownloaderTask extends FeederReport {
  readonly folder: string;
  readonly root: string;
  readonly length: number;
  readonly psk: string;
  readonly identity: string;
  /** Unpacks in a thread, however much it is; otherwise on the event loop. */
  readonly isThreaded: boolean;
}

export interface DownloaderReport {
  /** From the first verified piece until all is opened. */
  readonly openedSeconds: number;
  readonly cpuSeconds: number;
  /** Of the thread with the event loop. */
  readonly loopSeconds: number;
  readonly utilization: number;
  readonly lateMs: number;
  readonly peakMiB: number;
}

/** How often the event loop's lateness is looked at. */
const LATE_RESOLUTION_MS = 2;

async function download(task: DownloaderTask): Promise<DownloaderReport> {
  const info = torrentInfo(Buffer.from(task.root, "base64"), task.length);
  const store = await openPackStore(path.join(task.folder, "packs"), info);
  const stored = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  const swarm = createSwarm({
    store,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    events: {
      onPiece: () => first.resolve(),
      onComplete: () => stored.resolve(),
      onFailed: (error) => stored.reject(error),
      onPeerClosed: (_peer, error) => error && stored.reject(error),
    },
  });
  const dialer = createTlsDialer({ networkId: NETWORK_ID, clock: systemClock, random: systemRandom });
  const channels = new ChannelPool({ dialer, clock: systemClock });
  const circuit = await buildCircuit({ channels, clock: systemClock }, task.hops.map(hopOf));
  const tunnel = await dialTunnel(
    (handlers) => circuit.openStream(SERVICE.connect, Buffer.alloc(0), handlers),
    { leaseKey: Buffer.from(task.leaseKey, "base64"), tunnelKey: Buffer.from(task.tunnelKey, "base64") },
    Buffer.from(task.psk, "base64"),
    { clock: systemClock },
  );
  const delay = monitorEventLoopDelay({ resolution: LATE_RESOLUTION_MS });
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const threadBefore = process.threadCpuUsage();
  const utilizationBefore = performance.eventLoopUtilization();
  swarm.addPeer(tunnel, { initiator: true });
  const opened = openPack(
    { keys: { identities: [task.identity] }, place: { into: task.folder }, root: info.root },
    {
      source: swarm.source(),
      random: systemRandom,
      unpack: task.isThreaded ? unpackInThread : unpackHere,
    },
  );
  await first.promise;
  const firstMs = performance.now();
  await stored.promise;
  await opened;
  const openedSeconds = (performance.now() - firstMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const loop = process.threadCpuUsage(threadBefore);
  const { utilization } = performance.eventLoopUtilization(utilizationBefore);
  delay.disable();
  const report = {
    openedSeconds,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    loopSeconds: (loop.user + loop.system) / 1e6,
    utilization,
    lateMs: delay.percentile(99) / 1e6 - LATE_RESOLUTION_MS,
    peakMiB: usageOf(process.pid).peakMiB,
  };
  swarm.close();
  await store.close();
  circuit.destroy();
  channels.close();
  return report;
}

process.on("message", (task: DownloaderTask) => {
  download(task).then(
    (report) => process.send?.(report, () => process.disconnect()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
