import path from "node:path";
import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { shuffled } from "../base/random.ts";
import { joinRelayOf, type Network } from "../directory/network.ts";
import { isVouched, RelayTable, type TableEntry } from "../directory/table.ts";
import { decodeTable, decodeTableEntries, encodeTable } from "../directory/table-file.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import type { DataFolder } from "./data-folder.ts";
import { systemMachine, type Machine } from "./machine.ts";

/** 5,000 infos of 400 bytes, with their sources, and room. */
const MOST_BYTES = 8 * 1024 * 1024;

/** The relays of a network as this member last knew them; empty where nothing was kept or the file is damaged: it is a cache. */
export async function openTable(
  folder: DataFolder,
  network: Network,
  { clock, random }: Pick<Machine, "clock" | "random"> = systemMachine,
): Promise<RelayTable> {
  const deps = { network, clock, random };
  const bytes = await readStateFile(tableFile(folder, network), MOST_BYTES);
  if (bytes === undefined) return new RelayTable(deps);
  try {
    return decodeTable(bytes, deps);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return new RelayTable(deps);
  }
}

/**
 * Relays that were known here within the last LIMITS.cachedRelayMs, to join through: the ones that this member dialled itself, then those that
 * several named, each kind in random order. Their infos hold for a day only, their keys and addresses mostly for much longer.
 */
export async function cachedRelays(
  folder: DataFolder,
  network: Network,
  { clock, random }: Pick<Machine, "clock" | "random"> = systemMachine,
): Promise<JoinRelay[]> {
  const bytes = await readStateFile(tableFile(folder, network), MOST_BYTES);
  if (bytes === undefined) return [];
  const rank = (entry: TableEntry): number => (entry.proven ? 2 : isVouched(entry) ? 1 : 0);
  try {
    return shuffled(decodeTableEntries(bytes, network.id), random)
      .filter(({ info }) => clock.nowMs() - info.timeS * 1000 < LIMITS.cachedRelayMs)
      .filter(({ info }) => info.endpoints.length > 0)
      .sort((a, b) => rank(b) - rank(a))
      .map(({ info }) => joinRelayOf(info));
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return [];
  }
}

/** Keeps what is known. One that went empty while the network was out of reach is not kept: what was known before may yet be of use. */
export async function saveTable(folder: DataFolder, network: Network, table: RelayTable): Promise<void> {
  if (table.size === 0) return;
  await writeStateFile(tableFile(folder, network), encodeTable(table, network.id));
}

export function tableFile(folder: DataFolder, network: Network): string {
  return path.join(folder.networks, `${network.id.toString(16).padStart(8, "0")}.table`);
}
