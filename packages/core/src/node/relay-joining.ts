import { codeOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { bootstrap, type BootstrapDeps, type Hint } from "../directory/bootstrap.ts";
import { createClockCheck } from "../directory/clock-check.ts";
import type { Network } from "../directory/network.ts";
import type { RelayInfoDecoder } from "../directory/relay-info.ts";
import { relaysAt } from "../directory/relays-at.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { Dialer, Endpoint } from "../net/channel.ts";
import { answerLan } from "../net/lan/lan-responder.ts";
import { lanFinder } from "./lan-finder.ts";
import type { Machine } from "./machine.ts";

export interface RelayJoiningDeps {
  readonly network: Network;
  readonly table: RelayTable;
  readonly machine: Machine;
  readonly nodeKey: Buffer;
  /** TCP. */
  readonly port: number;
  readonly connect: BootstrapDeps["connect"];
  /** For relays of which nothing is known but where they are: a dialer, and the channels that `connect` uses. */
  readonly dialer: Dialer;
  readonly channels: ChannelPool;
  /** Whether the relay may dial there on strangers' words now (`StrangerDials`). */
  isAllowed(endpoint: Endpoint): boolean;
  /** Where the DHT says that there are relays. May reject. */
  readonly lookup: () => Promise<Endpoint[]>;
  readonly decodeInfo: RelayInfoDecoder;
  readonly log: Log;
  /** Known from earlier runs. */
  readonly cached: readonly JoinRelay[];
  /** Answers on the local network, and asks there. */
  readonly lan: boolean;
}

export interface RelayJoining {
  /** `GossipDeps.seek`. */
  seek(): Promise<void>;
  /** Asks relays that announce themselves in the DHT and are not known here. May reject. */
  lookInDht(): Promise<void>;
  /** Looks into the DHT soon, once more when more of it is known, and then every hour. */
  start(): void;
  close(): void;
}

/** Below this many other relays a relay asks everybody it can think of. */
const ENOUGH_RELAYS = 3;
const CACHED_ASKED = 12;
const LOOK_MS = [5_000, 60_000];
const LOOK_AGAIN_MS = 3_600_000;

/** How a relay finds its first neighbours, and lets newcomers find it. It has no address to hide, so it asks nobody before it looks around. */
export function createRelayJoining(deps: RelayJoiningDeps): RelayJoining {
  const { network, table, machine, nodeKey, port, connect, decodeInfo, log } = deps;
  const { clock, random } = machine;
  const responder = deps.lan ? answerLan({ networkId: network.id, nodeKey, port }, clock) : undefined;
  const findOnLan = deps.lan ? lanFinder(network, machine, { note() {} }) : undefined;

  let cancel = (): void => {};
  let isRunning = false;

  async function ask(relays: readonly JoinRelay[], hints: readonly Hint[]): Promise<void> {
    const others = hints.filter(({ relay }) => !relay.nodeKey.equals(nodeKey));
    if (relays.length + others.length === 0) return;
    // A relay waits for nobody to answer a question, and what it hears stays hearsay until it is borne out.
    await bootstrap(
      { relays, hints: others, introduce: true, acceptFewSources: true },
      { table, network, clock, random, decodeInfo, connect, clockCheck: createClockCheck(), log },
    );
  }

  async function lookInDht(): Promise<void> {
    // Also with a full table: a place that nobody in it claims may lead to another part of the network.
    const unknown = (await deps.lookup()).filter((endpoint) => table.at(endpoint) === undefined);
    const { dialer, channels } = deps;
    const isAllowed = (endpoint: Endpoint): boolean => deps.isAllowed(endpoint);
    await ask([], await relaysAt(unknown, { network, dialer, channels, random, log, isAllowed }));
  }

  function schedule([delayMs, ...later]: readonly number[]): void {
    cancel = clock.after(delayMs ?? LOOK_AGAIN_MS, () => {
      lookInDht()
        .catch((error: unknown) => {
          log("debug", "joining: nothing came of the DHT", { code: codeOf(error) });
        })
        .finally(() => {
          if (isRunning) schedule(later);
        })
        .catch(() => {});
    });
  }

  return {
    async seek() {
      const isAlone = table.size <= ENOUGH_RELAYS;
      // An invite to a network that is known already may lead to a part of it that nobody here has heard of.
      const unheard = network.relays.filter((one) => table.get(one.nodeKey.toString("hex")) === undefined);
      const known = isAlone ? [...network.relays, ...deps.cached.slice(0, CACHED_ASKED)] : unheard;
      const relays = known.filter((one) => !one.nodeKey.equals(nodeKey));
      await ask(relays, isAlone && findOnLan !== undefined ? await findOnLan() : []);
    },
    lookInDht,
    start() {
      isRunning = true;
      schedule(LOOK_MS);
    },
    close() {
      isRunning = false;
      cancel();
      responder?.close();
    },
  };
}
