import { rm } from "node:fs/promises";
import path from "node:path";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";

/** Whether this member asks the local network for relays and, as a relay, answers there: by an option of this run, or for good. Off by default. */
export async function lanInUse(folder: DataFolder, given: boolean): Promise<boolean> {
  return given || (await readStateFile(lanFile(folder), 16)) !== undefined;
}

/** Keeps the setting for all runs to come. Raises E_STORE. */
export async function keepLan(dataFolder: string | undefined, isOn: boolean): Promise<void> {
  const folder = await openDataFolder(dataFolder);
  if (isOn) await writeStateFile(lanFile(folder), Buffer.from("on\n"));
  else await rm(lanFile(folder), { force: true });
}

export async function lanSetting(dataFolder: string | undefined): Promise<boolean> {
  return lanInUse(await openDataFolder(dataFolder), false);
}

function lanFile(folder: DataFolder): string {
  return path.join(folder.root, "lan");
}
