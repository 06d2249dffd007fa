import path from "node:path";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { readStateFile } from "../store/state-file.ts";
import { DenyList } from "../tunnel/deny-list.ts";
import type { DataFolder } from "./data-folder.ts";

/** The operator's list in the data folder, empty where there is none. Raises E_DENY_LIST, E_STORE: what cannot be read must not be taken for empty. */
export async function readDenyList(folder: Pick<DataFolder, "root">): Promise<DenyList> {
  const text = await readStateFile(path.join(folder.root, "deny-list"), LIMITS.denyListBytes);
  return text === undefined ? DenyList.empty : DenyList.parse(text.toString("utf8"));
}

/** For mirrors, before they fetch or hand out. Raises E_DENIED, and as `readDenyList`. */
export async function assertNotDenied(folder: Pick<DataFolder, "root">, root: Buffer): Promise<void> {
  if (!(await readDenyList(folder)).deniesRoot(root)) return;
  throw new BackroomError("E_DENIED", "the deny-list of this computer names the share");
}
