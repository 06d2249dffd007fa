import path from "node:path";
import { isBackroomError } from "../base/errors.ts";
import type { Network } from "../directory/network.ts";
import { RelayTable } from "../directory/table.ts";
import { decodeTable, encodeTable } from "../directory/table-file.ts";
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

export async function saveTable(folder: DataFolder, network: Network, table: RelayTable): Promise<void> {
  await writeStateFile(tableFile(folder, network), encodeTable(table, network.id));
}

function tableFile(folder: DataFolder, network: Network): string {
  return path.join(folder.networks, `${network.id.toString(16).padStart(8, "0")}.table`);
}
