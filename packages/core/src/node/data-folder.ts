import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";

/** Where a member keeps what it must not lose. Everything below is readable by its owner alone. */
export interface DataFolder {
  readonly root: string;
  /** Network files and the tables of relays, by network id. */
  readonly networks: string;
  /** Sealed packs with their bitmaps. */
  readonly packs: string;
  /** What is needed to go on with a share that was made here. */
  readonly shares: string;
  /** Keys of this member as a relay. */
  readonly relay: string;
}

/** Opens the folder, making it where it is not there. `given` is what the person asked for. Raises E_STORE. */
export async function openDataFolder(given: string | undefined): Promise<DataFolder> {
  const root = path.resolve(given ?? defaultDataFolder(process.env, process.platform));
  const folder: DataFolder = {
    root,
    networks: path.join(root, "networks"),
    packs: path.join(root, "packs"),
    shares: path.join(root, "shares"),
    relay: path.join(root, "relay"),
  };
  try {
    for (const one of Object.values(folder)) await mkdir(one, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new BackroomError("E_STORE", `the data folder ${root} cannot be used`, {
      cause,
      fix: "check its permissions, or name another folder with --data",
    });
  }
  return folder;
}

/** The platform's custom: XDG on Linux, Application Support on macOS, AppData on Windows. */
export function defaultDataFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const home = homedir();
  if (platform === "win32") {
    return path.join(env["LOCALAPPDATA"] ?? path.join(home, "AppData", "Local"), "Backroom");
  }
  if (platform === "darwin") return path.join(home, "Library", "Application Support", "Backroom");
  return path.join(env["XDG_DATA_HOME"] ?? path.join(home, ".local", "share"), "backroom");
}
