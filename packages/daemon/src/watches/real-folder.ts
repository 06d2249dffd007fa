import { realpath, stat } from "node:fs/promises";
import { BackroomError } from "@backroom/core/base/errors.ts";

/** A folder that is to be watched, with all links resolved. Raises E_WATCH. No daemon is needed for that: the command asks here before it starts one. */
export async function realFolder(given: string): Promise<string> {
  const folder = await realpath(given).catch((cause: unknown) => {
    throw new BackroomError("E_WATCH", "the folder is not there, or cannot be read", { cause });
  });
  if (!(await stat(folder)).isDirectory()) throw new BackroomError("E_WATCH", "it is no folder");
  return folder;
}
