import { link, mkdtemp, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import { systemCode } from "@backroom/core/base/system-code.ts";
import type { DiskFacts } from "./machine-facts.ts";
import { row, type DoctorRow } from "./rows.ts";

/** Where the files lie on another computer, by the names that systems give to such file systems. */
const REMOTE =
  /^(nfs\d?|cifs|smb\d?|smbfs|9p|afs|afpfs|ceph|glusterfs|lustre|webdav|davfs|vboxsf|prl_fs|fuse\.(?!ntfs|exfat|ext).*)$/;

/** Of the folder in which it is tried what works. */
export const PROBE_PREFIX = ".doctor-";

/** What a catalogue, a lock and a state file ask of a file system, in this order. */
type Step = "written" | "made to last (fsync)" | "replaced whole (rename)" | "linked, which locks need";

/** Tries in a folder of its own what the program does with files, and takes it away again. */
export async function dataFolderRow(folder: DataFolder, { fileSystem }: DiskFacts): Promise<DoctorRow> {
  const check = "data folder";
  let step: Step = "written";
  let place: string | undefined;
  let tellsCaseApart = true;
  try {
    place = await mkdtemp(path.join(folder.root, PROBE_PREFIX));
    const file = path.join(place, "new");
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile("x".repeat(4096));
      step = "made to last (fsync)";
      await handle.sync();
    } finally {
      await handle.close();
    }
    step = "replaced whole (rename)";
    await rename(file, path.join(place, "old"));
    step = "linked, which locks need";
    await link(path.join(place, "old"), path.join(place, "lock"));
    tellsCaseApart = await stat(path.join(place, "LOCK")).then(
      () => false,
      () => true,
    );
  } catch (error) {
    return row(check, "fail", `files cannot be ${step}: ${systemCode(error) ?? "unknown error"}`, {
      fix: "check the rights of the data folder, and whether the disk is full or read-only; or use another: --data FOLDER",
    });
  } finally {
    if (place !== undefined) await rm(place, { recursive: true, force: true }).catch(() => {});
  }
  const name = fileSystem ?? "a file system that the system does not name";
  const found = `${name}: writing, lasting and locking work${tellsCaseApart ? "" : "; upper and lower case are one"}`;
  const isRemote = REMOTE.test((fileSystem ?? "").toLowerCase()) || folder.root.startsWith("\\\\");
  if (!isRemote) return row(check, "ok", found);
  return row(check, "warn", `${found}, but the files lie on another computer or behind a driver`, {
    fix: "keep the data folder on a disk of this computer: there a lock and a finished write are what they say",
  });
}
