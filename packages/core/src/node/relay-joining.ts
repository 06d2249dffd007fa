import type { Log } from "../base/log.ts";
import { bootstrap, type BootstrapDeps } from "../directory/bootstrap.ts";
import { createClockCheck } from "../directory/clock-check.ts";
import type { Network } from "../directory/network.ts";
import type { RelayInfoDecoder } from "../directory/relay-info.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
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
  close(): void;
}

/** Below this many other relays a relay asks everybody it can think of. */
const ENOUGH_RELAYS = 3;
const CACHED_ASKED = 12;

/** How a relay finds its first neighbours, and lets newcomers find it. It has no address to hide, so it asks nobody before it looks around. */
export function createRelayJoining(deps: RelayJoiningDeps): RelayJoining {
  const { network, table, machine, nodeKey, port, connect, decodeInfo, log } = deps;
  const { clock, random } = machine;
  const responder = deps.lan ? answerLan({ networkId: network.id, nodeKey, port }, clock) : undefined;
  const findOnLan = deps.lan ? lanFinder(network, machine, { note() {} }) : undefined;

  return {
    async seek() {
      const isAlone = table.size <= ENOUGH_RELAYS;
      // An invite to a network that is known already may lead to a part of it that nobody here has heard of.
      const unheard = network.relays.filter((one) => table.get(one.nodeKey.toString("hex")) === undefined);
      const known = isAlone ? [...network.relays, ...deps.cached.slice(0, CACHED_ASKED)] : unheard;
      const relays = known.filter((one) => !one.nodeKey.equals(nodeKey));
      const hints = isAlone && findOnLan !== undefined ? await findOnLan() : [];
      const others = hints.filter(({ relay }) => !relay.nodeKey.equals(nodeKey));
      if (relays.length + others.length === 0) return;
      const clockCheck = createClockCheck();
      // A relay waits for nobody to answer a question, and what it hears stays hearsay until it is borne out.
      await bootstrap(
        { relays, hints: others, introduce: true, acceptFewSources: true },
        { table, network, clock, random, decodeInfo, connect, clockCheck, log },
      );
    },
    close() {
      responder?.close();
    },
  };
}
