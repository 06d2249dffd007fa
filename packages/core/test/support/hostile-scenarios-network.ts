import assert from "node:assert/strict";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { clientHello, PROTOCOL_ID } from "../../src/circuit/handshake.ts";
import { openConversation } from "../../src/circuit/messages.ts";
import { SERVICE, type Circuit, type HopTarget, type ServiceHandler } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { hopTarget, signRelayInfo } from "../../src/directory/relay-info.ts";
import { FRAME, frameBody, makeFrame } from "../../src/net/frame.ts";
import { askLeases } from "../../src/tunnel/gate-client.ts";
import { makeLease, sealLease } from "../../src/tunnel/lease.ts";
import { solveWork } from "../../src/tunnel/proof-of-work.ts";
import { makeRegistration, registrationFields } from "../../src/tunnel/registration.ts";
import { deriveEpoch, epochsAt, type EpochKeys } from "../../src/tunnel/topic.ts";
import { newSeeder } from "../tunnel/fixtures.ts";
import type { Cost, Scenario } from "./hostile-scenario.ts";
import type { HostileWorld, WorldRelay } from "./hostile-world.ts";

const GATES = ["gate1", "gate2", "gate3"];
const INVENTED = 60;
/** Seeders that are made up, at each gate: more than an answer holds, and more than are dialled at once. */
const CROWD = LIMITS.gateLeasesAnswered + 1;
/** Enough to be in the way of a mirror, of which nobody knows more than of them. */
const SMALL_CROWD = 4;
const FLOOD = 600;

const LITTLE: Cost = { circuits: 20, seconds: 5, dials: 0, wastedKiB: 1024, heldKiB: 4096 };
const SOME: Cost = { circuits: 40, seconds: 60, dials: 1, wastedKiB: 1024, heldKiB: 4096 };

function keysNow(world: HostileWorld): EpochKeys {
  return deriveEpoch(world.share, epochsAt(world.share.topicSecret, world.clock.nowMs())[0] as number);
}

/** A circuit of somebody who is no member of the share, with channels of their own. */
async function strangersCircuit(world: HostileWorld, hops: readonly HopTarget[]): Promise<Circuit> {
  const { clock } = world;
  const channels = new ChannelPool({ dialer: world.wires.createDialer({ networkId: 7 }), clock });
  return world.run(buildCircuit({ channels, clock }, hops), 60_000);
}

/** Announces the share at addresses of relays that do not serve it, and of nobody. */
async function pollute(world: HostileWorld): Promise<number> {
  const { topicHash } = keysNow(world);
  const relays = [...world.relays.values()].flatMap(({ info }) => info.endpoints);
  const nobodys = Array.from({ length: INVENTED }, (_, one) => ({ host: `9.9.${one}.1`, port: 9001 }));
  for (const { host, port } of [...relays, ...nobodys]) world.dht.join(host, port).announce(topicHash);
  return relays.length + nobodys.length;
}

/**
 * Registers seeders that do not exist, at every gate; whoever has the link can. Each needs a circuit and work of its own. Tunnels to them are refused, or taken and
 * never answered, which costs whoever dials them half a minute.
 */
async function crowd(world: HostileWorld, size: number, tunnels: "refused" | "silent"): Promise<number> {
  const keys = keysNow(world);
  const expirySeconds = Math.floor(world.clock.nowMs() / 1000) + 3600;
  let registered = 0;
  for (const gate of GATES.map((name) => world.relay(name))) {
    for (let one = 0; one < size; one++) {
      const tag = systemRandom.bytes(16);
      const lease = makeLease(keys.topic, newSeeder(), [{ info: gate.info.bytes, tag }], expirySeconds);
      const sealedLease = sealLease(keys, lease, systemRandom);
      const what = { gateKey: gate.info.nodeKey, tag, expirySeconds, sealedLease };
      const standing = { work: await solveWork(keys.topic, tag) };
      const circuit = await strangersCircuit(world, [
        hopTarget(world.relay("dg2").info),
        hopTarget(gate.info),
      ]);
      if (tunnels === "silent") circuit.onIncoming = () => ({ onData() {}, onWindow() {}, onEnd() {} });
      const conversation = openConversation(circuit, SERVICE.register, { clock: world.clock });
      await world.run(conversation.ask(registrationFields(makeRegistration(keys, what, standing))), 60_000);
      registered++;
    }
  }
  return registered;
}

/** One handshake, sent over and over under new numbers: each costs the relay as much as an honest one. */
async function flood(world: HostileWorld, self: WorldRelay): Promise<number> {
  for (const name of GATES) {
    const { info } = world.relay(name);
    const channel = await world.run(self.dialer.dial(info), 60_000);
    channel.start({ onFrame() {}, onDrain() {}, onClose() {} });
    const { message } = clientHello({
      protocolId: PROTOCOL_ID.hop,
      nodeId: info.nodeKey,
      onionKey: info.onionKey,
      position: 2,
    });
    for (let one = 1; one <= FLOOD; one++) {
      const frame = makeFrame(FRAME.create, (0x8000_0000 + one) >>> 0);
      frameBody(frame).set(message);
      channel.send(frame);
    }
  }
  return FLOOD * GATES.length;
}

/** Asks honest relays to dial what they must not. */
async function scan(world: HostileWorld): Promise<number> {
  const hosts = ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "fd00::1", "::1"];
  for (const host of hosts) {
    const keys = generateKeys("ed25519");
    const onionKey = generateKeys("x25519").publicBytes;
    const timeS = Math.floor(world.clock.nowMs() / 1000);
    const endpoints = [{ host, port: 22 }];
    const flags = { bandwidthKiB: 1, gate: true, scout: true };
    const info = signRelayInfo({ networkId: 7, onionKey, endpoints, timeS, ...flags }, keys);
    const target = { nodeKey: keys.publicBytes, onionKey, info, endpoints };
    const honest = world.relay("dg2");
    const before = world.watch.dials("dg2");
    await assert.rejects(strangersCircuit(world, [hopTarget(honest.info), target]), { code: "E_CIRCUIT" });
    assert.equal(world.watch.dials("dg2"), before, `it dialled ${host}`);
  }
  return hosts.length;
}

/** The first answer of the honest gate inside is what everybody gets for ever. */
function staleLeases(honest: ServiceHandler, note: () => void): ServiceHandler {
  let kept: Buffer[] | undefined;
  return (stream, args, circuit) => {
    const sent: Buffer[] = [];
    const between = {
      get sendWindow() {
        return stream.sendWindow;
      },
      start: stream.start.bind(stream),
      consumed: stream.consumed.bind(stream),
      end: () => stream.end(),
      send: (payload: Buffer) => {
        sent.push(Buffer.from(payload));
        if (kept === undefined || kept === sent) {
          kept = sent;
          return stream.send(payload);
        }
        if (sent.length > 1) return;
        note();
        for (const one of kept) stream.send(Buffer.from(one));
      },
    };
    return honest(between, args, circuit);
  };
}

/** What hostile relays, and link holders, do of their own accord. */
export const NETWORK_SCENARIOS: readonly Scenario[] = [
  {
    what: "announces the share at addresses that do not serve it",
    where: "DHT",
    noticed: [],
    because: "scouts answer with relays alone, and those know no lease",
    atMost: SOME,
    hostile: () => ({}),
    prepare: async (world, tally) => void (tally.acts += await pollute(world)),
  },
  {
    what: "crowds the topic with leases of seeders that do not exist",
    where: "link holder, at all gates",
    noticed: [],
    because: "the sharer's lease has a reserved place and is tried first",
    atMost: LITTLE,
    hostile: () => ({}),
    prepare: async (world, tally) => void (tally.acts += await crowd(world, CROWD, "silent")),
  },
  {
    what: "crowds the topic with leases of seeders that do not exist",
    where: "link holder, at all gates; only a mirror seeds",
    noticed: ["downloader: a seeder could not be reached through one of its gates: E_TUNNEL"],
    atMost: SOME,
    hostile: () => ({}),
    isMirror: true,
    prepare: async (world, tally) => void (tally.acts += await crowd(world, SMALL_CROWD, "refused")),
  },
  {
    what: "floods gates with handshakes",
    where: "another relay",
    noticed: ["gate: refuses a circuit"],
    atMost: LITTLE,
    hostile: () => ({ dg3: {} }),
    prepare: async (world, tally) => void (tally.acts += await flood(world, world.relay("dg3"))),
  },
  {
    what: "asks relays to extend to private addresses",
    where: "anybody",
    noticed: [],
    because: "EXTEND is refused, and nothing is dialled",
    atMost: LITTLE,
    hostile: () => ({}),
    prepare: async (world, tally) => void (tally.acts += await scan(world)),
  },
  {
    what: "hands out leases that were true before the seeder moved",
    where: "one of three gates",
    noticed: [],
    because: "of two leases of a seeder the later one counts, and other gates have it",
    atMost: SOME,
    hostile: (tally) =>
      Object.fromEntries(
        ["gate1"].map((name) => [
          name,
          {
            services: (honest) => ({
              ...honest,
              [SERVICE.leases]: staleLeases(honest[SERVICE.leases] as ServiceHandler, () => tally.acts++),
            }),
          },
        ]),
      ),
    async prepare(world) {
      const gate = world.relay("gate1").info;
      const circuit = await strangersCircuit(world, [hopTarget(gate)]);
      await world.run(askLeases(circuit, keysNow(world).topic, world.clock), 60_000);
      const pass = async (ms: number): Promise<void> => {
        const until = world.clock.monotonicMs() + ms;
        await world.until(() => world.clock.monotonicMs() >= until, 2 * ms, "time does not pass");
      };
      await pass(180_000);
      // The seeder's own channels break, and it registers anew at the same gates, under other tags.
      for (const link of world.wires.links) {
        if (link.listenerKey.equals(world.relay("sg1").info.nodeKey)) link.kill();
      }
      await pass(30_000);
    },
  },
];
