import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { systemCode, systemReason } from "../base/system-code.ts";
import { storeError } from "../store/store-error.ts";

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

/** Opens the folder, making it where it is not there. `given` is what the person asked for. Raises E_STORE, E_DISK_FULL. */
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
  } catch (error) {
    throw unusable(root, error);
  }
  return folder;
}

/**
 * Whether this user can look into the folder at `root`, before something in it is asked for, which would fail in a way that says less. One that is not
 * there yet is no error. Raises E_STORE.
 */
export async function assertDataFolder(root: string): Promise<void> {
  try {
    // The dot at its end asks for a folder, and for the right to go into it.
    await stat(`${root}${path.sep}.`);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw unusable(root, error);
  }
}

function unusable(root: string, error: unknown): BackroomError {
  const what = `the data folder ${root} cannot be used`;
  const known = storeError(error, what);
  if (known.code !== "E_STORE") return known;
  return new BackroomError("E_STORE", what, {
    why: systemReason(error),
    fix: "check its path and its permissions, or name another folder with --data",
  });
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
