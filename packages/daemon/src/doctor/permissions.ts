import { lstat, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { PROBE_PREFIX } from "./folder-rows.ts";
import { row, type DoctorRow } from "./rows.ts";

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
/** A catalogue of 10,000 shares with all that belongs to them; reading more would only take longer. */
const MOST_ENTRIES = 50_000;

/** Whether anybody else on this computer could read keys and links, or change settings. */
export async function permissionsRow(
  folder: DataFolder,
  configFile: string,
  platform: NodeJS.Platform,
): Promise<DoctorRow> {
  const check = "permissions";
  if (platform === "win32") {
    return row(check, "unknown", "on Windows the folders of an account are for that account by themselves");
  }
  const { seen, open } = await openEntries(folder.root);
  const config = await lstat(configFile).catch(() => undefined);
  const root = shown(folder.root);
  if (open > 0) {
    return row(
      check,
      "fail",
      `${open} of ${seen} files and folders are open to other users of this computer`,
      {
        fix: `keys and links are among them: chmod -R go-rwx ${root}`,
      },
    );
  }
  if (config !== undefined && config.isFile() && (config.mode & OTHERS_WRITE) !== 0) {
    return row(check, "fail", "others may change the settings file", {
      fix: `chmod go-w ${shown(configFile)}`,
    });
  }
  return row(check, "ok", `${seen} files and folders, all for their owner alone`);
}

async function openEntries(root: string): Promise<{ readonly seen: number; readonly open: number }> {
  let seen = 0;
  let open = 0;
  const pending = [root];
  for (let at = pending.pop(); at !== undefined && seen < MOST_ENTRIES; at = pending.pop()) {
    // What is gone by now, such as a lock, is no finding.
    const found = await lstat(at).catch(() => undefined);
    if (found === undefined || found.isSymbolicLink()) continue;
    // A socket's mode says nothing on some systems; the folder around it is what keeps others out.
    if (found.isSocket()) continue;
    seen++;
    if ((found.mode & OTHERS) !== 0) open++;
    if (!found.isDirectory()) continue;
    const names = await readdir(at).catch(() => []);
    pending.push(
      ...names.filter((name) => !name.startsWith(PROBE_PREFIX)).map((name) => path.join(at, name)),
    );
  }
  return { seen, open };
}

/** For a command line to copy; the name of the home folder, which reports that people pass on would tell, as `~`. */
function shown(file: string): string {
  const home = homedir();
  const short = file === home || file.startsWith(home + path.sep) ? `~${file.slice(home.length)}` : file;
  return /^[\w./~-]+$/.test(short) ? short : `'${file.replaceAll("'", String.raw`'\''`)}'`;
}
