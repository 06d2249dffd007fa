import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import {
  joinNetwork,
  knownNetworks,
  makeInvite,
  useNetwork,
  type NetworkSummary,
} from "@backroom/core/node/networks.ts";
import type { DaemonContext, Part } from "../context.ts";
import type { Members } from "../engine/members.ts";
import type { LimitsPart } from "../limits/limits.ts";
import { essenceOf, networkStatus } from "./network-status.ts";
import { createRelayPart, type RelayPartDeps } from "./relay-part.ts";
import { createTeller } from "./teller.ts";

/** How often clients hear of circuits that came and went. */
const TELL_MS = 5_000;

export interface NetworkDeps {
  readonly members: Pick<Members, "get" | "list" | "onChange">;
  readonly limits: Pick<LimitsPart, "relay" | "onRelayRate">;
  /** Absent: core's. */
  readonly runRelay?: NonNullable<RelayPartDeps["run"]>;
}

type Names = "network" | "listNetworks" | "joinNetwork" | "useNetwork" | "makeInvite" | "relay" | "setRelay";

/** This computer's networks, what it is in the one in use, and its relay. */
export async function createNetwork(context: DaemonContext, deps: NetworkDeps): Promise<Part<Names>> {
  const { folder, machine, events, log } = context;
  const { members, limits } = deps;
  const where = { dataFolder: folder.root };
  const status = (): ReturnType<typeof networkStatus> =>
    networkStatus(folder, { ...machine, log }, (id) => members.get(id));
  const relay = await createRelayPart(context, {
    limit: limits.relay,
    onOwnKey: (key) => {
      for (const { client } of members.list()) client?.noteOwnRelay(key);
    },
    ...(deps.runRelay === undefined ? {} : { run: deps.runRelay }),
  });
  const teller = createTeller({
    clock: machine.clock,
    everyMs: TELL_MS,
    read: status,
    essenceOf,
    isLive: () => members.list().some(({ client }) => client !== undefined),
    tell: (state) => events.publish({ name: "network", data: state }),
  });
  members.onChange(() => teller.look());
  limits.onRelayRate(() => relay.apply());

  /** By its id, or by its name where that is one network's only. Raises E_NO_NETWORK. */
  async function idOf(idOrName: string): Promise<string> {
    const known = await knownNetworks(where);
    const byId = known.find(({ id }) => id === idOrName.toLowerCase());
    const byName = known.filter(({ name }) => name === idOrName);
    const [found] = byId === undefined ? byName : [byId];
    if (byId === undefined && byName.length > 1) {
      throw new BackroomError("E_NO_NETWORK", "several networks here have that name", {
        why: "names are chosen by whoever makes a network, so they need not differ",
        fix: "name it by its id instead: backroom net list",
      });
    }
    // Core says what there is to say about one that is not known.
    return found?.id ?? idOrName;
  }

  /** Does what may make another network the one in use. */
  async function changing(change: () => Promise<NetworkSummary>): Promise<NetworkSummary> {
    const before = (await knownNetworks(where)).find(({ current }) => current);
    const network = await change();
    if (network.id !== before?.id) relay.restart();
    teller.look();
    return network;
  }

  return {
    handlers: {
      ...relay.handlers,
      network: status,
      listNetworks: async () => ({ networks: await knownNetworks(where) }),
      joinNetwork: ({ invite }) => changing(() => joinNetwork({ ...where, invite })),
      useNetwork: ({ network }) => changing(async () => useNetwork({ ...where, id: await idOf(network) })),
      async makeInvite() {
        try {
          const { invite, relayCount } = await makeInvite(where);
          return { invite, relayCount };
        } catch (error) {
          // Where no other relay is known, as at the beginning of a network, there may be this computer's own.
          const own = isBackroomError(error, "E_NO_RELAYS") ? relay.invite() : undefined;
          if (own === undefined) throw error;
          return own;
        }
      },
    },
    async close() {
      teller.close();
      await relay.close();
    },
  };
}
