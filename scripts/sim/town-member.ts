import { BackroomError, isBackroomError, type ErrorCode } from "../../packages/core/src/base/errors.ts";
import { silentLog, type Log } from "../../packages/core/src/base/log.ts";
import { ChannelPool } from "../../packages/core/src/circuit/channel-pool.ts";
import { keysFromSecret, type KeyPair } from "../../packages/core/src/crypto/keys.ts";
import { isAcceptable } from "../../packages/core/src/directory/acceptable.ts";
import { createClockCheck } from "../../packages/core/src/directory/clock-check.ts";
import { Measurements } from "../../packages/core/src/directory/measurements.ts";
import { RelayTable } from "../../packages/core/src/directory/table.ts";
import type { JoinRelay } from "../../packages/core/src/link/join-relay.ts";
import { sharerFingerprint } from "../../packages/core/src/link/sharer-key.ts";
import { Circuits } from "../../packages/core/src/node/circuits.ts";
import { Fetching } from "../../packages/core/src/node/fetching.ts";
import { Guards } from "../../packages/core/src/node/guards.ts";
import { joinNetworkThrough } from "../../packages/core/src/node/joining.ts";
import { KeptRelays } from "../../packages/core/src/node/kept-relays.ts";
import { SECONDS_RULE } from "../../packages/core/src/node/path-store.ts";
import { Swarming, type SwarmingOptions } from "../../packages/core/src/node/swarming.ts";
import { MemoryStore } from "../../packages/core/src/store/memory-store.ts";
import { torrentInfo } from "../../packages/core/src/torrent/info.ts";
import { MerkleHasher } from "../../packages/core/src/torrent/merkle-hasher.ts";
import type { ShareTopic } from "../../packages/core/src/tunnel/topic.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Ground } from "./town-relay.ts";

export interface Share extends ShareTopic {
  readonly sharerKeys: KeyPair;
  readonly bytes: Buffer;
}

export function makeShare(length: number, random: SeededRandom): Share {
  const sharerKeys = keysFromSecret("ed25519", random.bytes(32));
  const fingerprint = sharerFingerprint(sharerKeys.publicBytes);
  return {
    sharerKeys,
    sharerFingerprint: fingerprint,
    topicSecret: random.bytes(32),
    bytes: random.bytes(length),
  };
}

/** How a download went: times are virtual milliseconds from the start of the program. */
export interface Outcome {
  readonly code: ErrorCode | undefined;
  readonly joinedMs: number;
  readonly completeMs: number;
  /** Relays in the member's table once it had joined. */
  readonly entries: number;
}

/** Paths that members tried, of all members together. */
export interface PathCounts {
  built: number;
  failed: number;
  /** Circuits that were wanted, and of those given up after all attempts. */
  wanted: number;
  givenUp: number;
}

/** A member without a relay of its own, as `node/client` puts it together, with nothing on disk. */
export class TownMember {
  readonly table: RelayTable;
  readonly #ground: Ground;
  readonly #invite: readonly JoinRelay[];
  readonly #channels: ChannelPool;
  readonly #guards: Guards;
  readonly #client: SwarmingOptions["client"] &
    Pick<ConstructorParameters<typeof Fetching>[0]["client"], "decodeInfo" | "vouchesFor" | "isAway">;

  constructor(ground: Ground, invite: readonly JoinRelay[], paths: PathCounts, random: SeededRandom) {
    this.#ground = ground;
    this.#invite = invite;
    const { time, traffic, network, decodeInfo } = ground;
    const dialer = traffic.createDialer("member", { networkId: network.id });
    this.#channels = new ChannelPool({ dialer, clock: time });
    this.table = new RelayTable({ network, clock: time, random });
    this.#guards = new Guards([], { network, clock: time, random });
    const circuits = new Circuits({
      network,
      profile: "standard",
      clock: time,
      random,
      log: countPaths(paths),
      channels: this.#channels,
      store: {
        guards: this.#guards,
        seconds: new KeptRelays([], SECONDS_RULE, { clock: time, random }),
        measurements: new Measurements(time),
        saveQuietly: () => {},
        saveLater: () => {},
      },
      relays: () => this.table.forPaths(),
      guestsBehind: () => [],
      warn: () => {},
      // Nobody looks at them.
      pictureSecret: Buffer.alloc(32),
    });
    this.#client = {
      machine: { clock: time, random, createDialer: () => dialer },
      decodeInfo,
      vouchesFor: (info) => this.table.has(info),
      isAway: (key) => circuits.isAway(key),
      open: async (want, avoid) => {
        paths.wanted++;
        try {
          return await circuits.open(want, avoid);
        } catch (error) {
          paths.givenUp++;
          throw error;
        }
      },
      vet: (bytes) => {
        const info = decodeInfo(bytes);
        if (isAcceptable(info, network, time.nowMs())) return info;
        throw new BackroomError("E_RELAY_INFO", "a relay info is of another day");
      },
    };
  }

  /** Joins and seeds the share until the end of the simulation. */
  async seed(share: Share): Promise<Swarming> {
    await this.#join();
    const store = emptyStore(share);
    await store.setPieceLayer(hashOf(share).pieceLayer);
    const { pieceLength, pieceCount } = store.info;
    for (let piece = 0; piece < pieceCount; piece++) {
      await store.write(piece, share.bytes.subarray(piece * pieceLength, (piece + 1) * pieceLength));
    }
    const options = { client: this.#client, topic: share, store, sharerKeys: share.sharerKeys };
    return new Swarming({ ...options, notGates: new Set() });
  }

  /** Joins, downloads the share and leaves. Never rejects. */
  download(share: Share): Promise<Outcome> {
    return this.#outcomeOf(() => this.#fetch(share));
  }

  /** Joins and leaves: somebody who looks around. Never rejects. */
  visit(): Promise<Outcome> {
    return this.#outcomeOf(() => Promise.resolve());
  }

  async #outcomeOf(work: () => Promise<void>): Promise<Outcome> {
    const { time } = this.#ground;
    const sinceMs = time.monotonicMs();
    const passed = (): number => time.monotonicMs() - sinceMs;
    let joinedMs = NaN;
    try {
      await this.#join();
      joinedMs = passed();
      await work();
      return { code: undefined, joinedMs, completeMs: passed(), entries: this.table.size };
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return { code: error.code, joinedMs, completeMs: NaN, entries: this.table.size };
    } finally {
      this.#channels.close();
    }
  }

  async #fetch(share: Share): Promise<void> {
    const done = new AbortController();
    const store = emptyStore(share);
    const options = { client: this.#client, topic: share, store, sharerKeys: undefined };
    const swarming = new Swarming({ ...options, notGates: new Set() }, { onComplete: () => done.abort() });
    try {
      const signal = new AbortController().signal;
      await new Fetching({ client: this.#client, swarming, log: silentLog, signal }).run(done.signal);
    } finally {
      swarming.close();
    }
  }

  #join(): Promise<void> {
    const { network, decodeInfo } = this.#ground;
    const { machine } = this.#client;
    const known = {
      guards: this.#guards.joinRelays(),
      cached: [],
      isInviteNew: false,
      joinRelays: this.#invite,
      finders: [],
      clockCheck: createClockCheck(),
    };
    const deps = { network: { ...network, relays: [] }, table: this.table, machine, decodeInfo };
    return joinNetworkThrough(
      { ...deps, ...known, channels: this.#channels, log: silentLog },
      { confirm: () => Promise.resolve(false) },
    );
  }
}

function countPaths(paths: PathCounts): Log {
  return (_level, event) => {
    const text: string = event;
    if (text === "a circuit was built") paths.built++;
    if (text === "a circuit could not be built") paths.failed++;
  };
}

function emptyStore(share: Share): MemoryStore {
  return new MemoryStore(torrentInfo(hashOf(share).root, share.bytes.length));
}

function hashOf({ bytes }: Share): { root: Buffer; pieceLayer: Buffer } {
  const hasher = new MerkleHasher();
  hasher.update(bytes);
  return hasher.digest();
}
