import path from "node:path";
import type { DoctorReport } from "@backroom/api/schemas/daemon.ts";
import { isBackroomError, type BackroomError } from "@backroom/core/base/errors.ts";
import { openDataFolder, type DataFolder } from "@backroom/core/node/data-folder.ts";
import { openSettings, type SettingsOptions } from "../settings/open-settings.ts";
import { closedDatabaseRow } from "./database-row.ts";
import { examine, machineChecks } from "./examine.ts";
import { reportOf, row } from "./rows.ts";
import { systemFacts } from "./system-facts.ts";
import { thisComputer } from "./this-computer.ts";

interface AloneOptions extends Omit<SettingsOptions, "folder" | "lenient"> {
  readonly version: string;
  /** As given with --data. */
  readonly dataFolder: string | undefined;
}

/** The doctor where no daemon runs: what this process can see for itself, and of the rest that it could not. Raises nothing. */
export async function examineAlone({ version, dataFolder, ...options }: AloneOptions): Promise<DoctorReport> {
  const folder = await tried(() => openDataFolder(dataFolder));
  if (isBackroomError(folder)) return without("data folder", folder, path.resolve(dataFolder ?? "."));
  const settings = await tried(() => openSettings({ ...options, folder, lenient: true }));
  if (isBackroomError(settings)) return without("settings", settings, folder.root);
  return examine({
    folder,
    settings,
    ...thisComputer(version),
    databaseRow: () => closedDatabaseRow(folder.root),
    live: undefined,
  });
}

/** Nothing else can be looked at before that is mended. */
async function without(check: string, error: BackroomError, place: string): Promise<DoctorReport> {
  const failed = row(check, "fail", `${error.message}: ${error.why}`, { fix: error.fix });
  return reportOf([...(await Promise.all(machineChecks(systemFacts, place, undefined))), failed]);
}

async function tried<T extends DataFolder | object>(work: () => Promise<T>): Promise<T | BackroomError> {
  try {
    return await work();
  } catch (error) {
    if (isBackroomError(error)) return error;
    throw error;
  }
}
