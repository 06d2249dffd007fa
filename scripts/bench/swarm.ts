import { createHash, randomFillSync } from "node:crypto";
import { systemClock } from "../../packages/core/src/base/clock.ts";
import { silentLog } from "../../packages/core/src/base/log.ts";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { MemoryStore } from "../../packages/core/src/store/memory-store.ts";
import { createSwarm } from "../../packages/core/src/swarm/swarm.ts";
import { torrentInfo } from "../../packages/core/src/torrent/info.ts";
import { MerkleHasher } from "../../packages/core/src/torrent/merkle-hasher.ts";
import { memoryDuplexPair } from "../../packages/core/test/support/memory-duplex.ts";
import { GivenStore } from "./given-store.ts";
import type { Row } from "./row.ts";

const MiB = 1024 * 1024;
const SIZE = 384 * MiB;
const ROUNDS = 3;

/** Takes pieces and forgets them. */
class Sink extends MemoryStore {
  readonly #stored = new Set<number>();
  override get complete(): boolean {
    return this.#stored.size === this.info.pieceCount;
  }
  override have(piece: number): boolean {
    return this.#stored.has(piece);
  }
  override haveCount(): number {
    return this.#stored.size;
  }
  override write(piece: number): Promise<void> {
    this.#stored.add(piece);
    return Promise.resolve();
  }
}

/**
 * One seeder and one leecher in this process over a memory duplex that cuts as tunnels do: both sides' CPU, against hashing the same
 * bytes in blocks of 16 KiB, which no BitTorrent v2 program can do without. Medians of three, after a first round that is not counted.
 */
export async function benchSwarm(): Promise<Row[]> {
  const bytes = randomFillSync(Buffer.alloc(SIZE));
  const hasher = new MerkleHasher();
  hasher.update(bytes);
  const { root, pieceLayer } = hasher.digest();
  const source = new GivenStore(torrentInfo(root, SIZE), bytes);
  await source.setPieceLayer(pieceLayer);
  await download(source);
  const runs = [];
  for (let round = 0; round < ROUNDS; round++)
    runs.push({ ...(await download(source)), hashing: hashAll(bytes) });
  const perGiB = (SIZE / (1024 * MiB)) ** -1;
  const cpu = median(runs.map((run) => run.cpu));
  return [
    {
      name: "swarm: one seeder to one leecher",
      value: median(runs.map((run) => SIZE / MiB / run.seconds)),
      unit: "MiB/s",
    },
    {
      name: "swarm: CPU of both sides, against SHA-256 alone",
      value: cpu * perGiB,
      unit: "s/GiB",
      ratio: cpu / median(runs.map((run) => run.hashing)),
    },
  ];
}

async function download(source: GivenStore): Promise<{ seconds: number; cpu: number }> {
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  const complete = Promise.withResolvers<void>();
  const [near, far] = memoryDuplexPair({ sliceBytes: 16_288 });
  const seeder = createSwarm({ ...deps, store: source });
  const leecher = createSwarm({
    ...deps,
    store: new Sink(source.info),
    events: { onComplete: () => complete.resolve(), onFailed: (error) => complete.reject(error) },
  });
  const started = performance.now();
  const before = process.cpuUsage();
  seeder.addPeer(far, { initiator: false });
  leecher.addPeer(near, { initiator: true });
  await complete.promise;
  const used = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  leecher.close();
  seeder.close();
  return { seconds, cpu: (used.user + used.system) / 1e6 };
}

function hashAll(bytes: Buffer): number {
  const before = process.cpuUsage();
  for (let offset = 0; offset < bytes.length; offset += 16_384) {
    createHash("sha256")
      .update(bytes.subarray(offset, offset + 16_384))
      .digest();
  }
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
