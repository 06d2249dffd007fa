import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { createSwarm, type Swarm, type SwarmEvents, type SwarmOptions } from "../../src/swarm/swarm.ts";
import { pieceBytes, torrentInfo, type TorrentInfo } from "../../src/torrent/info.ts";
import { MerkleHasher } from "../../src/torrent/merkle-hasher.ts";
import { memoryDuplexPair, type MemoryDuplexOptions } from "../support/memory-duplex.ts";

/** A pack's worth of bytes that do not repeat, and what a torrent says of it. */
export interface SamplePack {
  readonly bytes: Buffer;
  readonly info: TorrentInfo;
  readonly pieceLayer: Buffer;
}

export function samplePack(length: number): SamplePack {
  const bytes = Buffer.alloc(length);
  for (let offset = 0, count = 0; offset < length; offset += 4096, count++) {
    // One fresh hash a page keeps blocks apart without costing more than the test.
    bytes.set(sha256(Buffer.from([count, count >>> 8, count >>> 16])).subarray(0, length - offset), offset);
  }
  const hasher = new MerkleHasher();
  hasher.update(bytes);
  const { root, pieceLayer } = hasher.digest();
  return { bytes, info: torrentInfo(root, length), pieceLayer };
}

/** A store with the pieces that `have` names: all without it. */
export async function storeOf(
  pack: SamplePack,
  have: (piece: number) => boolean = () => true,
): Promise<MemoryStore> {
  const store = new MemoryStore(pack.info);
  await store.setPieceLayer(pack.pieceLayer);
  for (let piece = 0; piece < pack.info.pieceCount; piece++) {
    if (have(piece)) await store.write(piece, pieceOf(pack, piece));
  }
  return store;
}

export function pieceOf({ bytes, info }: SamplePack, piece: number): Buffer {
  const offset = piece * info.pieceLength;
  return bytes.subarray(offset, offset + pieceBytes(info, piece));
}

export interface Member {
  readonly swarm: Swarm;
  readonly store: MemoryStore;
  /** Fulfilled when all pieces are stored. */
  readonly complete: Promise<void>;
  /** Codes with which peers were dropped, in order; "" for those that left in good order. */
  readonly dropped: string[];
}

export function memberOf(
  store: MemoryStore,
  options: Partial<SwarmOptions> = {},
  events: SwarmEvents = {},
): Member {
  const complete = Promise.withResolvers<void>();
  const dropped: string[] = [];
  const swarm = createSwarm({
    store,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...options,
    events: {
      ...events,
      onComplete: () => complete.resolve(),
      onFailed: (error) => complete.reject(error),
      onPeerClosed: (peer, error) => {
        dropped.push(error?.code ?? "");
        events.onPeerClosed?.(peer, error);
      },
    },
  });
  return { swarm, store, complete: complete.promise, dropped };
}

export function connect(from: Member, to: Member, options: MemoryDuplexOptions = {}): void {
  const [near, far] = memoryDuplexPair(options);
  to.swarm.addPeer(far, { initiator: false });
  from.swarm.addPeer(near, { initiator: true });
}
