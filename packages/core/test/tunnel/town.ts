import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../src/base/clock.ts";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { SERVICE, type Circuit, type HopTarget } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { createGate, type Gate } from "../../src/tunnel/gate.ts";
import { Finder, type FinderDeps } from "../../src/tunnel/finder.ts";
import { LeaseBook } from "../../src/tunnel/lease-book.ts";
import type { SeederKeys } from "../../src/tunnel/lease.ts";
import type { FoundTunnel } from "../../src/tunnel/dial.ts";
import { SeederPresence, type PresenceDeps } from "../../src/tunnel/seeder-presence.ts";
import type { ShareTopic } from "../../src/tunnel/topic.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { memoryCircuit } from "./memory-circuit.ts";

export interface TownGate {
  readonly target: HopTarget;
  readonly name: string;
  readonly gate: Gate;
  /** False: no circuit to it can be built. */
  up: boolean;
  circuits: Circuit[];
}

type CircuitMaker = (gate: TownGate) => Promise<Circuit>;

/** Gates, the DHT between them, and circuits to them: in memory, unless `makeCircuit` builds real ones. */
export function newTown(
  gatesOrCount: number | readonly HopTarget[],
  options: { clock?: ManualClock; makeCircuit?: CircuitMaker } = {},
) {
  return newTownIn(options.clock ?? new ManualClock(), gatesOrCount, options);
}

/** The same in a time of one's own. */
export function newTownIn<C extends Clock>(
  clock: C,
  gatesOrCount: number | readonly HopTarget[],
  options: { makeCircuit?: CircuitMaker } = {},
) {
  const dht = new Map<string, Set<TownGate>>();
  const makeCircuit = options.makeCircuit ?? ((gate) => Promise.resolve(memoryCircuit(servicesOf(gate))));
  const opened: string[] = [];
  const targets =
    typeof gatesOrCount === "number" ? Array.from({ length: gatesOrCount }, plainTarget) : gatesOrCount;
  const gates = targets.map((target) => {
    const announcer = {
      announce: (hash: Buffer) => void places(hash).add(self),
      withdraw: (hash: Buffer) => void places(hash).delete(self),
    };
    const gate = createGate({ nodeKey: target.nodeKey, clock, random: systemRandom, announcer });
    const name = target.nodeKey.toString("hex");
    const self: TownGate = { target, name, gate, up: true, circuits: [] };
    return self;
  });

  function places(hash: Buffer): Set<TownGate> {
    const name = hash.toString("hex");
    const known = dht.get(name) ?? new Set();
    dht.set(name, known);
    return known;
  }

  function gateOf(target: HopTarget): TownGate {
    const gate = gates.find((one) => one.target.nodeKey.equals(target.nodeKey));
    if (gate === undefined) throw new BackroomError("E_CIRCUIT", "no such gate");
    return gate;
  }

  async function openTo(target: HopTarget): Promise<Circuit> {
    const gate = gates.find((one) => one.target.nodeKey.equals(target.nodeKey));
    opened.push(gate?.name ?? "?");
    if (gate === undefined || !gate.up) throw new BackroomError("E_CIRCUIT", "no such gate");
    const circuit = await makeCircuit(gate);
    gate.circuits.push(circuit);
    return circuit;
  }

  function seed(share: ShareTopic, seederKeys: SeederKeys, more: Partial<PresenceDeps> = {}) {
    const tunnels: ByteDuplex[] = [];
    const deps: PresenceDeps = {
      clock,
      random: systemRandom,
      log: silentLog,
      // Not counted: no test is about them but their own.
      openLookUpCircuit: (target) => makeCircuit(gateOf(target)),
      openGateCircuit: async (wanted, avoid) => {
        const free = gates.find((gate) => !avoid.has(gate.name) && gate.up);
        const target = wanted ?? free?.target;
        if (target === undefined) throw new BackroomError("E_NETWORK_TOO_SMALL", "no gate is left");
        return { circuit: await openTo(target), gate: target };
      },
      ...more,
    };
    const all = new SeederPresence(deps);
    const place = all.add({ ...share, seederKeys, onTunnel: (tunnel) => void tunnels.push(tunnel) });
    const presence = {
      get gateCount() {
        return place.gateCount;
      },
      get lease() {
        return place.lease;
      },
      close: () => all.close(),
    };
    return { presence, all, place, tunnels };
  }

  function finderFor(share: ShareTopic, more: Partial<FinderDeps> = {}): Finder {
    const { clock: bookClock } = { clock, ...more };
    return new Finder(new LeaseBook(share, { clock: bookClock, random: systemRandom }), {
      clock,
      random: systemRandom,
      log: silentLog,
      askScouts: (hash) => Promise.resolve([...places(hash)].map((gate) => gate.target)),
      isVouched: () => true,
      isAway: () => false,
      onNews: () => {},
      openGateCircuit: openTo,
      readRelayInfo: (info) => {
        const gate = gates.find((one) => one.target.info.equals(info));
        if (gate === undefined) throw new BackroomError("E_RELAY_INFO", "forged");
        return gate.target;
      },
      ...more,
    });
  }

  return { clock, gates, dht, opened, openTo, seed, finderFor };
}

export function servicesOf({ gate }: { readonly gate: Gate }) {
  return {
    [SERVICE.register]: gate.register,
    [SERVICE.leases]: gate.leases,
    [SERVICE.connect]: gate.connect,
  };
}

function plainTarget(): HopTarget {
  const keys = generateKeys("ed25519");
  const endpoints = [{ host: "127.0.0.1", port: 1 }];
  return { nodeKey: keys.publicBytes, onionKey: keys.publicBytes, info: systemRandom.bytes(300), endpoints };
}

/** Lets everything that was set off happen. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}

/** Time in small steps, with everything that it sets off. */
export async function pass(clock: ManualClock, ms: number, stepMs = 60_000): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    await clock.pass(Math.min(stepMs, left));
  }
}

export async function findAll(
  finder: Finder,
  want: number,
  isWanted: (seeder: string) => boolean = () => true,
): Promise<FoundTunnel[]> {
  const found: FoundTunnel[] = [];
  for await (const one of finder.find({ want, isWanted, mayLookUp: true })) found.push(one);
  return found;
}
