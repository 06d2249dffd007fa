import type { TransferRecord } from "./catalogue.ts";

/**
 * Whether a password, a key or the names of people have a use yet: a share's until its link is made, what is fetched until it is there and opened. A failed one
 * may be resumed, and then needs them.
 */
export function needsKeys({ role, state, link, finishedMs }: TransferRecord): boolean {
  if (role === "share") return state === "sealing" || link === null;
  return finishedMs === null;
}
