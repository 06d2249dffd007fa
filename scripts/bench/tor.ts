import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TorNetwork, type TorScheduler } from "../../packages/core/test/support/tor-network.ts";
import { median, usageOf } from "./process-usage.ts";
import type { Row } from "./row.ts";

const MIB = 1024 * 1024;
const RUNS = 3;
/** With the authority, six: as many as the two ends of an onion service's path take at once. */
const RELAYS = 5;
const ONE_STREAM_MIB = 16;
const FOUR_STREAMS_MIB = 128;
const HARD_END_MS = 8 * 60_000;
/** A service that has just started is not known to all directories yet. */
const TRIES = 40;

export interface TorResult {
  /** The best of the schedulers, over four circuits at once. */
  readonly bestMibPerSecond: number;
  readonly bestCpuSecondsPerGiB: number;
  readonly rows: readonly Row[];
}

interface Run {
  readonly mibPerSecond: number;
  readonly cpuSecondsPerGiB: number;
}

/**
 * A Tor onion service in a private network on this machine, moving bytes in one stream and in four on circuits of
 * their own, under both of Tor's schedulers. CPU is that of all `tor` processes. Undefined, with a word of why, where Tor is not installed or fails.
 */
export async function measureTor(): Promise<TorResult | undefined> {
  if (spawnSync("tor", ["--version"], { stdio: "ignore" }).status !== 0) {
    process.stderr.write("tor is not installed (Debian: tor), so it is not measured beside ours\n");
    return undefined;
  }
  try {
    return await measure();
  } catch (error) {
    // What was measured before is not to be lost with it.
    process.stderr.write(
      `Tor could not be measured: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return undefined;
  }
}

async function measure(): Promise<TorResult> {
  const source = createServer((socket) => serve(socket)).listen(0, "127.0.0.1");
  await once(source, "listening");
  const network = await TorNetwork.start({
    relayCount: RELAYS,
    onionTarget: (source.address() as AddressInfo).port,
    hardEndMs: HARD_END_MS,
  });
  try {
    const best: Run[] = [];
    const rows: Row[] = [];
    for (const scheduler of ["KIST", "Vanilla"] satisfies TorScheduler[]) {
      await network.use(scheduler);
      const one = await several(network, `${scheduler} one`, 1, ONE_STREAM_MIB);
      const four = await several(network, `${scheduler} four`, 4, FOUR_STREAMS_MIB);
      rows.push(...rowsOf(`Tor onion service, 1 stream, ${scheduler}`, one));
      rows.push(...rowsOf(`Tor onion service, 4 circuits, ${scheduler}`, four));
      best.push(four);
    }
    const [first] = best.toSorted((a, b) => b.mibPerSecond - a.mibPerSecond);
    return {
      bestMibPerSecond: first?.mibPerSecond ?? Number.NaN,
      bestCpuSecondsPerGiB: first?.cpuSecondsPerGiB ?? Number.NaN,
      rows,
    };
  } finally {
    source.close();
    await network.close();
  }
}

/** Tor's rows, and ours as ratios of its best. */
export function rowsBeside(ours: { readonly rate: number; readonly cpu: number }, tor: TorResult): Row[] {
  const name = "ours beside Tor's best (4 circuits):";
  return [
    ...tor.rows,
    { name: `${name} download`, value: ours.rate, unit: "MiB/s", ratio: ours.rate / tor.bestMibPerSecond },
    { name: `${name} CPU`, value: ours.cpu, unit: "s/GiB", ratio: ours.cpu / tor.bestCpuSecondsPerGiB },
  ];
}

function rowsOf(name: string, run: Run): Row[] {
  return [
    { name, value: run.mibPerSecond, unit: "MiB/s" },
    { name: `${name}: CPU, all processes`, value: run.cpuSecondsPerGiB, unit: "s/GiB" },
  ];
}

/** Medians; every run has circuits of its own. */
async function several(network: TorNetwork, name: string, streams: number, mib: number): Promise<Run> {
  const runs: Run[] = [];
  for (let number = 1; number <= RUNS; number++) {
    const users = Array.from({ length: streams }, (_, index) => `${name} ${number}.${index}`);
    runs.push(await move(network, users, mib));
  }
  return {
    mibPerSecond: median(runs.map((run) => run.mibPerSecond)),
    cpuSecondsPerGiB: median(runs.map((run) => run.cpuSecondsPerGiB)),
  };
}

/** From when all streams stand until the last has all of its part. */
async function move(network: TorNetwork, users: readonly string[], mib: number): Promise<Run> {
  const service = await network.onion();
  const sockets = await Promise.all(users.map((user) => openStream(network.socksPort, user, service)));
  const cpu = (): number => network.pids().reduce((sum, pid) => sum + usageOf(pid).cpuSeconds, 0);
  const before = cpu();
  const started = performance.now();
  await Promise.all(sockets.map((socket) => take(socket, mib / users.length)));
  const seconds = (performance.now() - started) / 1000;
  const spent = cpu() - before;
  for (const socket of sockets) socket.destroy();
  return { mibPerSecond: mib / seconds, cpuSecondsPerGiB: (spent * 1024) / mib };
}

/** Asks for so many MiB and counts them. */
async function take(socket: Socket, mib: number): Promise<void> {
  let left = mib * MIB;
  const done = new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left <= 0) resolve();
    });
    socket.once("close", () => reject(new Error(`a stream through Tor ended ${left} bytes early`)));
  });
  socket.write(Buffer.from([mib]));
  await done;
}

/** Sends as many MiB as the first byte says. */
function serve(socket: Socket): void {
  socket.on("error", () => {});
  socket.once("data", (asked: Buffer) => {
    const chunk = Buffer.alloc(64 * 1024, 7);
    let left = ((asked[0] as number) * MIB) / chunk.length;
    const more = (): void => {
      while (left > 0) {
        left--;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("drain", more);
    more();
  });
}

/** A stream to the service on circuits that no other user name shares, tried until the service can be found. */
async function openStream(
  socksPort: number,
  user: string,
  service: { host: string; port: number },
): Promise<Socket> {
  for (let left = TRIES; ; left--) {
    try {
      return await askSocks(socksPort, user, service);
    } catch (error) {
      if (left <= 1) throw error;
      await sleep(500);
    }
  }
}

async function askSocks(
  socksPort: number,
  user: string,
  { host, port }: { host: string; port: number },
): Promise<Socket> {
  const socket = connect(socksPort, "127.0.0.1");
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value, "latin1")]);
  // RFC 1928 and 1929: a user name and password, then a host name.
  socket.write(Buffer.from([5, 1, 2]));
  socket.write(Buffer.concat([Buffer.from([1]), text(user), text("x")]));
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3]), text(host), Buffer.from([port >> 8, port & 255])]));
  let answer = Buffer.alloc(0);
  // Method (2), password (2), reply with an IPv4 address (10).
  while (answer.length < 14) {
    const [chunk] = (await once(socket, "data", { signal: AbortSignal.timeout(20_000) })) as [Buffer];
    answer = Buffer.concat([answer, chunk]);
    if (answer.length >= 6 && answer[5] !== 0) {
      socket.destroy();
      throw new Error(`Tor answered ${answer[5]}`);
    }
  }
  return socket;
}
