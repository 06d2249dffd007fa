import { systemClock, type Clock } from "../../src/base/clock.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Circuit } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import type { RelayInfo } from "../../src/directory/relay-info.ts";
import { Fetching } from "../../src/node/fetching.ts";
import { systemMachine } from "../../src/node/machine.ts";
import { Swarming, type SwarmingOptions } from "../../src/node/swarming.ts";
import type { PieceStore } from "../../src/store/piece-store.ts";
import { askLeases } from "../../src/tunnel/gate-client.ts";
import { createGate, type Gate } from "../../src/tunnel/gate.ts";
import { LeaseBook } from "../../src/tunnel/lease-book.ts";
import { signedInfo } from "../directory/fixtures.ts";
import { memoryCircuit } from "../tunnel/memory-circuit.ts";
import { newShare } from "../tunnel/fixtures.ts";
import { servicesOf } from "../tunnel/town.ts";

interface WorldGate {
  readonly info: RelayInfo;
  readonly gate: Gate;
}

/** One share, gates in memory, and members whose circuits lead to them. Nobody can ask a scout: who has no lease finds no gate. */
export function newShareWorld(gateCount: number) {
  const share = newShare();
  const gates = Array.from({ length: gateCount }, (): WorldGate => {
    const info = signedInfo({}, generateKeys("ed25519"));
    const announcer = { announce() {}, withdraw() {} };
    const options = { nodeKey: info.nodeKey, clock: systemClock, random: systemRandom, announcer };
    return { info, gate: createGate(options) };
  });
  const closers: (() => void)[] = [];

  /** A member's view of the network, and what it did there. */
  function newClient() {
    const counts = { circuits: 0, lookups: 0 };
    const client: Pick<SwarmingOptions["client"], "open" | "vet" | "machine"> & {
      decodeInfo: never;
      vouchesFor: () => boolean;
      isAway: () => boolean;
    } = {
      open: (want, avoid) => {
        counts.circuits++;
        if (want.role === "lookup") {
          counts.lookups++;
          return Promise.reject(new BackroomError("E_CIRCUIT", "no scout is there"));
        }
        const wanted = "gate" in want ? want.gate : undefined;
        const key = wanted?.key ?? gates.find(({ info }) => avoid?.has(info.key) !== true)?.info.key;
        const gate = gates.find(({ info }) => info.key === key);
        if (gate === undefined) return Promise.reject(new BackroomError("E_NETWORK_TOO_SMALL", "no gate"));
        return Promise.resolve({ circuit: memoryCircuit(servicesOf(gate)), path: [gate.info] });
      },
      vet: (bytes) => {
        const gate = gates.find(({ info }) => info.bytes.equals(bytes));
        if (gate === undefined) throw new BackroomError("E_RELAY_INFO", "forged");
        return gate.info;
      },
      machine: systemMachine,
      vouchesFor: () => true,
      isAway: () => false,
      decodeInfo: undefined as never,
    };
    return { client, counts };
  }

  /** `speed`: how many times as fast time goes by for it. */
  function newMember(store: PieceStore, options: { isSharer?: boolean; speed?: number } = {}) {
    const { client, counts } = newClient();
    if (options.speed !== undefined)
      Object.assign(client, { machine: { ...systemMachine, clock: fastClock(options.speed) } });
    const complete = Promise.withResolvers<void>();
    const sharerKeys = options.isSharer === true ? share.sharerKeys : undefined;
    const swarming = new Swarming(
      { client, topic: share, store, sharerKeys, notGates: new Set() },
      { onComplete: () => complete.resolve() },
    );
    closers.push(() => swarming.close());
    const fetch = (signal = new AbortController().signal): Promise<void> => {
      const done = new AbortController();
      closers.push(() => done.abort());
      return new Fetching({ client, swarming, log: silentLog, signal }).run(done.signal);
    };
    return { swarming, counts, fetch, client, complete: complete.promise };
  }

  /** The lease that the gates hold of this member, once they do. */
  async function leaseOf(member: { readonly swarming: Swarming }): Promise<Buffer> {
    for (;;) {
      const book = new LeaseBook(share, { clock: systemClock, random: systemRandom });
      for (const { gate } of gates) {
        const circuit: Circuit = memoryCircuit(servicesOf({ gate }));
        for (const { topic } of book.epochs()) {
          for (const sealed of (await askLeases(circuit, topic, systemClock)).leases)
            book.add(sealed, "gate");
        }
        circuit.destroy();
      }
      const found = book.list().find(({ seeder }) => seeder === member.swarming.seeder);
      if (found !== undefined) return found.sealed;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const registrations = (): number => gates.reduce((sum, { gate }) => sum + gate.registrations, 0);
  const close = (): void => closers.forEach((run) => run());
  return { gates, newMember, leaseOf, registrations, close };
}

function fastClock(speed: number): Clock {
  return {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => speed * systemClock.monotonicMs(),
    after: (ms, run) => systemClock.after(ms / speed, run),
  };
}
