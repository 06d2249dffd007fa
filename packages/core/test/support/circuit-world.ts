import type { Clock } from "../../src/base/clock.ts";
import type { RateLimit } from "../../src/base/rate-limit.ts";
import { systemRandom } from "../../src/base/random.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { buildCircuit, type CircuitDeps } from "../../src/circuit/client-circuit.ts";
import { createRelay, type Relay } from "../../src/circuit/relay.ts";
import type { Circuit, HopTarget, Service, ServiceHandler } from "../../src/circuit/stream.ts";
import { createMemoryNetwork, type MemoryNetwork } from "../../src/net/memory-channel.ts";
import { ManualClock } from "./manual-clock.ts";

export interface WorldRelay {
  readonly relay: Relay;
  readonly target: HopTarget;
  /** Change it to change what the relay offers. */
  readonly services: Partial<Record<Service, ServiceHandler>>;
}

/** Relays over memory channels, with infos that are just their number, and one client. */
export interface CircuitWorld<C extends Clock = ManualClock> {
  readonly network: MemoryNetwork;
  readonly clock: C;
  readonly relays: readonly WorldRelay[];
  readonly client: CircuitDeps;
  /** A circuit through the relays with these numbers. */
  build(...hops: number[]): Promise<Circuit>;
  /** Another client with channels of its own. */
  newClient(): CircuitDeps;
}

export interface WorldOptions {
  readonly relayCount?: number;
  readonly ratchetFrames?: number;
  readonly mostQueuedBytes?: number;
  /** The relays' reading of how late their event loop is. */
  readonly lagMs?: () => number;
  /** Whether a relay may dial another one that it has no channel to. */
  readonly mayDial?: () => boolean;
  /** A relay's limit of speed, by its number. */
  readonly limitOf?: (relay: number, clock: Clock) => RateLimit | undefined;
}

const NETWORK_ID = 7;

export function createCircuitWorld(options: WorldOptions = {}): CircuitWorld {
  return createCircuitWorldIn(new ManualClock(), options);
}

/** The same in a time of one's own. */
export function createCircuitWorldIn<C extends Clock>(
  clock: C,
  {
    relayCount = 4,
    ratchetFrames,
    mostQueuedBytes,
    lagMs = () => 0,
    mayDial = () => true,
    limitOf = () => undefined,
  }: WorldOptions = {},
): CircuitWorld<C> {
  const network = createMemoryNetwork({ clock, random: systemRandom });
  const ratchet = ratchetFrames === undefined ? {} : { ratchetFrames };
  const relays: WorldRelay[] = [];
  for (let number = 0; number < relayCount; number++) {
    const nodeKeys = generateKeys("ed25519");
    const onionKeys = [generateKeys("x25519")];
    const info = Buffer.from(`relay ${number}`);
    const identity = { nodeKeys, info: () => info };
    const services: Partial<Record<Service, ServiceHandler>> = {};
    const limit = limitOf(number, clock);
    const relay = createRelay({
      nodeKey: nodeKeys.publicBytes,
      onionKeys: () => onionKeys,
      dialer: network.createDialer({ networkId: NETWORK_ID, identity }),
      clock,
      services,
      lagMs,
      isRelay: (key) => relays.some((other) => other.target.nodeKey.equals(key)),
      resolveExtend: (asked) => {
        const found = relays.find((other) => other.target.info.equals(asked));
        if (found === undefined) throw new BackroomError("E_DECODE", "no such relay");
        return { ...found.target, mayDial };
      },
      ...ratchet,
      ...(limit === undefined ? {} : { limit }),
      ...(mostQueuedBytes === undefined ? {} : { mostQueuedBytes }),
    });
    network.listen({ networkId: NETWORK_ID, identity }, (channel) => relay.accept(channel));
    const onionKey = (onionKeys[0] as (typeof onionKeys)[0]).publicBytes;
    relays.push({
      relay,
      services,
      target: { nodeKey: nodeKeys.publicBytes, onionKey, info, endpoints: [] },
    });
  }
  const newClient = (): CircuitDeps => {
    const dialer = network.createDialer({ networkId: NETWORK_ID });
    return { channels: new ChannelPool({ dialer, clock }), clock, ...ratchet };
  };
  const client = newClient();
  return {
    network,
    clock,
    relays,
    client,
    newClient,
    build: (...hops) =>
      buildCircuit(
        client,
        hops.map((number) => (relays[number] as WorldRelay).target),
      ),
  };
}

/** Lets everything that memory channels have under way arrive. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
