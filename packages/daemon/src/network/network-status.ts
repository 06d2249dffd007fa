import type { Answer } from "@backroom/api/routes.ts";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import type { Network } from "@backroom/core/directory/network.ts";
import { describePrivacy } from "@backroom/core/directory/privacy.ts";
import type { CircuitPicture } from "@backroom/core/node/circuit-pictures.ts";
import type { Client } from "@backroom/core/node/client.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { currentNetwork, networkIdText } from "@backroom/core/node/networks.ts";
import { PathStore, type PathStoreDeps } from "@backroom/core/node/path-store.ts";
import { openTable } from "@backroom/core/node/saved-table.ts";
import type { Member } from "../engine/member.ts";

type Status = Answer<"network">;

/** As many as a picture can show. */
const PICTURES_MOST = 100;

/** What can be read of this computer in a network. */
export type MemberView = Pick<Member, "state" | "clockSkewMs"> & {
  readonly client: Pick<Client, "guards" | "pictures" | "relays" | "table"> | undefined;
};

/** The network in use as it is now. What is known of it while it is not joined comes from what was kept. Raises E_STORE. */
export async function networkStatus(
  folder: DataFolder,
  deps: PathStoreDeps,
  memberOf: (networkId: number) => MemberView | undefined,
): Promise<Status> {
  const network = await networkInUse(folder);
  if (network === undefined) {
    return {
      network: null,
      state: "none",
      guardCount: 0,
      privacy: null,
      circuitCount: 0,
      circuits: [],
      clockSkewMs: null,
    };
  }
  const member = memberOf(network.id);
  const client = member?.client;
  const table = client?.table ?? (await openTable(folder, network));
  const relays = client?.relays() ?? table.forPaths();
  const { level, sentences } = describePrivacy(relays, network, "standard");
  const pictures = client?.pictures() ?? [];
  return {
    network: {
      id: networkIdText(network.id),
      name: network.name,
      test: network.test,
      current: true,
      relaysKnown: Math.max(table.size, network.relays.length),
    },
    state: member?.state ?? "idle",
    guardCount: client?.guards().length ?? (await keptGuardCount(folder, network, deps)),
    // Before it was joined once nobody has told which relays there are: that they are too few is nothing that is known of the network.
    privacy: client === undefined && level === "none" ? null : { level, sentences: [...sentences] },
    circuitCount: pictures.length,
    circuits: pictures.slice(0, PICTURES_MOST).map(mutable),
    clockSkewMs: member?.clockSkewMs ?? null,
  };
}

/** What makes it news: circuits grow older all the time, and clocks drift. */
export function essenceOf(status: Status): unknown {
  const circuits = status.circuits.map(({ purpose, hops }) => ({ purpose, hops }));
  return { ...status, circuits, clockSkewMs: 0 };
}

async function networkInUse(folder: DataFolder): Promise<Network | undefined> {
  try {
    return await currentNetwork(folder);
  } catch (error) {
    if (isBackroomError(error, "E_NO_NETWORK")) return undefined;
    throw error;
  }
}

/** Guards are kept for months, whether the network is joined or not. Nothing is written. */
async function keptGuardCount(folder: DataFolder, network: Network, deps: PathStoreDeps): Promise<number> {
  const { guards } = await PathStore.open(folder, network, deps);
  return guards.joinRelays().length;
}

function mutable({ purpose, hops, ageMs }: CircuitPicture): Status["circuits"][number] {
  return { purpose, hops: [...hops], ageMs };
}
