import { stat } from "node:fs/promises";
import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { parseLink, type ShareLink } from "@backroom/core/link/link.ts";
import { isRecipient } from "@backroom/core/pack/age-keys.ts";
import { diskFiles } from "@backroom/core/pack/input-files.ts";
import { checkPassword } from "@backroom/core/pack/password.ts";
import { resolveRoots } from "@backroom/core/pack/walk.ts";

/** What is wrong with an order as it stands. No daemon is needed to say so: a command asks here before it starts one. */

interface Sharing {
  /** Absolute. */
  readonly paths: readonly string[];
  readonly password?: string | undefined;
  readonly recipients?: readonly string[] | undefined;
}

/** What would be shared. Raises E_REQUEST, E_RECIPIENT, E_INPUT, and for a password that is none. */
export async function rootsToShare({
  paths,
  password,
  recipients,
}: Sharing): ReturnType<typeof resolveRoots> {
  if (password !== undefined && recipients !== undefined) {
    throw new BackroomError("E_REQUEST", "a password and people's keys exclude each other");
  }
  if (password !== undefined) checkPassword(password);
  if (recipients?.every((one) => isRecipient(one)) === false || recipients?.length === 0) {
    throw new BackroomError("E_RECIPIENT", "a key that was to open the share is no age recipient");
  }
  for (const one of paths) {
    if (!path.isAbsolute(one)) throw new BackroomError("E_REQUEST", "a path that is shared is not absolute");
  }
  return resolveRoots(paths, diskFiles);
}

/** Raises E_LINK for what is no link, and for one that names no network. */
export function linkToFetch(text: string): ShareLink {
  const link = parseLink(text);
  if (link.networkId === 0) {
    throw new BackroomError("E_LINK", "this link names no network, so nothing can be fetched with it", {
      why: "it came from `backroom seal`, which works without a network",
      fix: "open the pack that belongs to it: backroom open PACK LINK",
    });
  }
  return link;
}

/** The folder need not be there; what is there has to be one. Raises E_FILE: all would be fetched before that is noticed. */
export async function assertFolder(output: string): Promise<void> {
  const there = await stat(output).catch(() => undefined);
  if (there === undefined || there.isDirectory()) return;
  throw new BackroomError("E_FILE", "the place where the files are to go is a file itself", {
    why: "files are put into a folder",
    fix: "name a folder, which need not be there yet",
  });
}
