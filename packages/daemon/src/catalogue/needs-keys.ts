import type { TransferRecord } from "./catalogue.ts";

/**
 * Whether a password, a key or the names of people have a use yet: a share's until it is sealed, a download's until it is opened. A failed one may be
 * resumed, and then needs them. What mirrors is never opened here.
 */
export function needsKeys({ role, root, finishedMs }: TransferRecord): boolean {
  if (role === "share") return root === null;
  return role === "get" && finishedMs === null;
}
