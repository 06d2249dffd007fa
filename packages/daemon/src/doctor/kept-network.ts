import { systemClock } from "@backroom/core/base/clock.ts";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { currentNetwork, knownNetworks } from "@backroom/core/node/networks.ts";
import { PathStore } from "@backroom/core/node/path-store.ts";
import { counted } from "./amounts.ts";
import { row, type DoctorRow } from "./rows.ts";

/** What the data folder says of the network in use, without asking anybody. */
interface KeptNetwork {
  readonly guardCount: number;
  /** Nodes and relays through which the DHT can be entered. */
  readonly dhtEntryCount: number;
}

/** Undefined where no network is in use. Raises E_STORE, E_NETWORK_FILE. */
export async function keptNetwork(folder: DataFolder): Promise<KeptNetwork | undefined> {
  try {
    const network = await currentNetwork(folder);
    const known = (await knownNetworks({ dataFolder: folder.root })).find(({ current }) => current);
    const paths = await PathStore.open(folder, network, {
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    return {
      guardCount: paths.guards.list().length,
      dhtEntryCount: network.bootstrap.length + (known?.relaysKnown ?? 0),
    };
  } catch (error) {
    if (isBackroomError(error, "E_NO_NETWORK")) return undefined;
    throw error;
  }
}

/** Shares are found through the DHT, which somebody has to name a way into: names of its public entries are never looked up. */
export function dhtRow(kept: KeptNetwork | undefined, hasProxy: boolean): DoctorRow {
  if (kept === undefined) return row("dht", "unknown", "no network is in use yet");
  if (kept.dhtEntryCount === 0) {
    return row("dht", "warn", "the network names nobody through whom the DHT is entered", {
      fix: "join again with a newer invite: backroom net join INVITE",
    });
  }
  const entries = counted(kept.dhtEntryCount, "way");
  const who = hasProxy ? "; relays ask it for you, and never this computer past the proxy" : "";
  return row("dht", "ok", `${entries} into it known${who}`);
}
