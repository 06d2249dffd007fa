import { silentLog, type Log } from "../../src/base/log.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { createRelay, type Relay } from "../../src/circuit/relay.ts";
import { SERVICE, type Circuit } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { createRelayInfoDecoder, hopTarget, type RelayInfo } from "../../src/directory/relay-info.ts";
import type { Profile } from "../../src/directory/path.ts";
import { DATA_FRAME_BYTES } from "../../src/net/frame.ts";
import { createMemoryNetwork, type Direction, type MemoryLink } from "../../src/net/memory-channel.ts";
import type { Dialer, Listener } from "../../src/net/channel.ts";
import { Circuits, type CircuitRole } from "../../src/node/circuits.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { Fetching, type FetchingOptions } from "../../src/node/fetching.ts";
import type { Machine } from "../../src/node/machine.ts";
import { PathStore } from "../../src/node/path-store.ts";
import { Swarming } from "../../src/node/swarming.ts";
import type { PieceStore } from "../../src/store/piece-store.ts";
import { createGate } from "../../src/tunnel/gate.ts";
import { NETWORK, NOW_S, publicHost, seededRandom, signedInfo } from "../directory/fixtures.ts";
import { withFolder } from "../store/temporary.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { newShare } from "../tunnel/fixtures.ts";
import { servicesOf, settle } from "../tunnel/town.ts";

export interface WorldRelay {
  readonly info: RelayInfo;
  readonly relay: Relay;
  /** Its process is gone: nobody listens, and its channels are cut. */
  kill(): void;
  /** It listens again. */
  start(): void;
}

export type MemberWorld = ReturnType<typeof newMemberWorld>;

/** Runs in a world of its own, with a folder for its members' data folders. */
export async function withWorld(
  relayCount: number,
  run: (world: MemberWorld, folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const world = newMemberWorld(relayCount);
    try {
      await run(world, folder);
    } finally {
      await world.close();
    }
  });
}

/** A path that a member built, and what became of it. */
export interface Built {
  readonly role: CircuitRole["role"];
  readonly path: readonly RelayInfo[];
  readonly circuit: Circuit;
}

/**
 * Members with the real path picking, circuits, leases, tunnels and swarm over relays in memory, in one network of as many subnets as relays. All
 * are gates and scouts, the DHT is a map, and time passes by `pass` alone.
 */
function newMemberWorld(relayCount: number) {
  const clock = new ManualClock(NOW_S * 1000);
  const wires = createMemoryNetwork({ clock, random: systemRandom });
  const share = newShare();
  const dht = new Map<string, Set<RelayInfo>>();
  const relays: WorldRelay[] = [];
  const refusals = new Map<string, (nodeKey: Buffer) => boolean>();
  const closers: (() => void)[] = [];
  const stores: PathStore[] = [];
  /** Which relay dialled a connection; members are in none. */
  const dialledBy = new Map<MemoryLink, string>();
  const silent = new Set<string>();
  wires.line = (carrier, direction, link) => ({
    get queuedBytes() {
      return carrier.queuedBytes;
    },
    exporter: carrier.exporter,
    start: (handlers) => carrier.start(handlers),
    write: (frame) => {
      if (!isSilent(link)) carrier.write(frame);
    },
    pause: () => carrier.pause(),
    resume: () => carrier.resume(),
    close: (abrupt) => {
      const isItself = silent.has(writerOf(direction, link) ?? "");
      if (!isItself) carrier.close(abrupt);
    },
  });
  for (let number = 0; number < relayCount; number++) relays.push(newRelay(number));

  function newRelay(number: number): WorldRelay {
    const nodeKeys = generateKeys("ed25519");
    const onionKeys = [generateKeys("x25519")];
    const [{ publicBytes: onionKey }] = onionKeys as [(typeof onionKeys)[0]];
    const endpoints = [{ host: publicHost(number), port: 9001 }];
    const info = signedInfo({ onionKey, endpoints }, nodeKeys);
    const identity = { nodeKeys, info: () => info.bytes };
    const gate = createGate({
      nodeKey: info.nodeKey,
      clock,
      random: systemRandom,
      announcer: {
        announce: (hash) => void dht.set(hash.toString("hex"), gatesOf(hash).add(info)),
        withdraw: (hash) => void gatesOf(hash).delete(info),
      },
    });
    const relay = createRelay({
      nodeKey: info.nodeKey,
      onionKeys: () => onionKeys,
      dialer: noting(info.key, wires.createDialer({ networkId: NETWORK.id, identity })),
      clock,
      services: {
        ...servicesOf({ gate }),
        [SERVICE.scout]: (stream) =>
          serveMessages(stream, (question) => ({
            r: [...gatesOf(question.get("t") as Buffer)].map(({ bytes }) => bytes),
          })),
      },
      isRelay: (key) => relays.some(({ info: { nodeKey } }) => nodeKey.equals(key)),
      resolveExtend: (asked) => {
        const found = relays.find((other) => other.info.bytes.equals(asked));
        const isRefused = found !== undefined && refusals.get(info.key)?.(found.info.nodeKey) === true;
        if (found === undefined || isRefused) throw new BackroomError("E_RELAY_INFO", "no such relay");
        return hopTarget(found.info);
      },
    });
    let listener: Listener | undefined;
    const self: WorldRelay = {
      info,
      relay,
      start: () => {
        listener = wires.listen({ networkId: NETWORK.id, identity }, (channel) => relay.accept(channel));
      },
      kill: () => {
        void listener?.close();
        for (const link of wires.links) if (link.listenerKey.equals(info.nodeKey)) link.kill();
      },
    };
    self.start();
    return self;
  }

  /** The connection is there before the call returns. */
  function noting(key: string, dialer: Dialer): Dialer {
    return {
      dial: (target) => {
        const before = new Set(wires.links);
        const dial = dialer.dial(target);
        for (const link of wires.links) if (!before.has(link)) dialledBy.set(link, key);
        return dial;
      },
    };
  }

  /** The relay at that end; undefined for a member. */
  function writerOf(direction: Direction, link: MemoryLink): string | undefined {
    return direction === "forward" ? dialledBy.get(link) : link.listenerKey.toString("hex");
  }

  function isSilent(link: MemoryLink): boolean {
    return silent.has(link.listenerKey.toString("hex")) || silent.has(dialledBy.get(link) ?? "");
  }

  /** From now on each relay hangs up once, on whom it would write its `every` so manyth DATA frame to, or some frames later. Gives how many have. */
  function hangUpOnce(every: number): () => number {
    const left = new Map(relays.map(({ info }, index) => [info.key, every + index]));
    wires.tap = (frame, direction, link) => {
      const writer = writerOf(direction, link);
      const frames = writer === undefined ? undefined : left.get(writer);
      if (writer === undefined || frames === undefined || frame.length < DATA_FRAME_BYTES) return frame;
      if (frames > 1) {
        left.set(writer, frames - 1);
        return frame;
      }
      left.delete(writer);
      queueMicrotask(() => link.kill());
      return undefined;
    };
    return () => relays.length - left.size;
  }

  /** Its process is stopped: what is sent to it is lost, nothing comes from it, and whoever dials it waits. */
  function silence({ info }: WorldRelay): void {
    silent.add(info.key);
  }

  function gatesOf(hash: Buffer): Set<RelayInfo> {
    return dht.get(hash.toString("hex")) ?? new Set();
  }

  function relayOf(info: RelayInfo | undefined): WorldRelay {
    const found = relays.find((relay) => relay.info.key === info?.key);
    if (found === undefined) throw new Error("no relay of the world");
    return found;
  }

  /** A member whose data folder is `root`; `seed` makes its choices repeat. */
  async function newMember(root: string, options: { profile?: Profile; seed?: number; log?: Log } = {}) {
    const { log = silentLog } = options;
    const random = options.seed === undefined ? systemRandom : seededRandom(options.seed);
    const machine: Machine = { clock, random, createDialer: (dial) => wires.createDialer(dial) };
    const store = await PathStore.open(await openDataFolder(root), NETWORK, {
      clock,
      random,
      log,
    });
    stores.push(store);
    const channels = new ChannelPool({
      dialer: machine.createDialer({ networkId: NETWORK.id }),
      clock,
      log,
    });
    const warnings: string[] = [];
    const built: Built[] = [];
    const circuits = new Circuits({
      network: NETWORK,
      profile: options.profile ?? "standard",
      clock,
      random,
      log,
      channels,
      store,
      relays: () => relays.map(({ info }) => info),
      guestsBehind: () => [],
      warn: (text) => void warnings.push(text),
      pictureSecret: Buffer.alloc(32, options.seed ?? 1),
    });
    const decodeInfo = createRelayInfoDecoder();
    const client = {
      machine,
      decodeInfo,
      vet: (bytes: Uint8Array) => relayOf(decodeInfo(bytes)).info,
      vouchesFor: () => true,
      isAway: (key: string) => circuits.isAway(key),
      async open(want: CircuitRole, avoid?: ReadonlySet<string>) {
        const opened = await circuits.open(want, avoid);
        built.push({ role: want.role, ...opened });
        return opened;
      },
    };
    const leave = (): void => {
      circuits.close();
      channels.close();
    };
    closers.push(leave);
    /** Its process ends, in good order. */
    const close = (): Promise<void> => {
      leave();
      return store.close();
    };

    /** Its part in the world's share. */
    function join(pieces: PieceStore, isSharer = false) {
      const complete = Promise.withResolvers<void>();
      const swarming = new Swarming(
        {
          client,
          topic: share,
          store: pieces,
          sharerKeys: isSharer ? share.sharerKeys : undefined,
          notGates: new Set(),
          log,
        },
        { onComplete: () => complete.resolve() },
      );
      closers.push(() => swarming.close());
      const fetch = (more: Pick<FetchingOptions, "isPatient" | "onAlone"> = {}): Promise<void> => {
        const done = new AbortController();
        closers.push(() => done.abort());
        const { signal } = new AbortController();
        return new Fetching({ client, swarming, log, signal, ...more }).run(done.signal);
      };
      return { swarming, fetch, complete: complete.promise };
    }

    return { circuits, client, store, built, warnings, join, close };
  }

  /** Time in steps, with everything that it sets off; `each` runs after every step. */
  async function pass(ms: number, stepMs = 500, each: () => void = () => {}): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await clock.pass(Math.min(stepMs, left));
      each();
    }
  }

  /** Time until `done`, `mostMs` at most; gives how long it took. */
  async function until(done: () => boolean, mostMs: number, stepMs = 100): Promise<number> {
    const startedMs = clock.monotonicMs();
    await settle(8);
    while (!done() && clock.monotonicMs() - startedMs < mostMs) await pass(stepMs, stepMs);
    return clock.monotonicMs() - startedMs;
  }

  return {
    clock,
    wires,
    share,
    relays,
    relayOf,
    /** From now on that relay does not extend to those. */
    refuse: ({ info }: WorldRelay, refuses: (nodeKey: Buffer) => boolean) =>
      void refusals.set(info.key, refuses),
    hangUpOnce,
    silence,
    newMember,
    pass,
    until,
    /** Before the data folders go. */
    close: async (): Promise<void> => {
      for (const run of closers.toReversed()) run();
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
