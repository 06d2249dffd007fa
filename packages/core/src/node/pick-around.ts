import { isBackroomError } from "../base/errors.ts";
import type { PathRole } from "../directory/path.ts";

/** Relays (node keys in hex) that a path is to do without: those that its purpose forbids, those that did not join lately, and those that may be why. */
export interface LeftOut {
  readonly avoid: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly doubted: ReadonlySet<string>;
}

/**
 * A path around all of them, where there is one. In a small network they may be all that there are: then the doubted come back first, then those that are
 * only not wanted where they are needed, and the missing last, who are of no use at all. `pick` gives a path for a role without some relays, or raises
 * E_NETWORK_TOO_SMALL, as this does in the end.
 */
export function pickAround<T>(
  role: PathRole,
  { avoid, missing, doubted }: LeftOut,
  pick: (role: PathRole, without: ReadonlySet<string>) => T,
): T {
  const attempts: [PathRole, ReadonlySet<string>][] = [];
  if (doubted.size > 0) attempts.push([role, new Set([...avoid, ...missing, ...doubted])]);
  if (missing.size > 0) {
    attempts.push([role, new Set([...avoid, ...missing])]);
    const lenient = lenientRole(role, avoid);
    if (lenient !== undefined) attempts.push([lenient, missing]);
  }
  for (const [as, without] of attempts) {
    try {
      return pick(as, without);
    } catch (error) {
      if (!isBackroomError(error, "E_NETWORK_TOO_SMALL")) throw error;
    }
  }
  return pick(role, avoid);
}

/**
 * The same with a scout that has been asked already, or for a seeder through relays that are only not wanted as its gate. Undefined where there is nothing
 * to be lenient about.
 */
function lenientRole(role: PathRole, avoid: ReadonlySet<string>): PathRole | undefined {
  if (role.role === "lookup") return role.notLast === undefined ? undefined : { role: "lookup" };
  return role.role === "seeder" && avoidsOnlyLast(role) ? { ...role, notLast: avoid } : undefined;
}

/** Whether what a path avoids is only not wanted as its gate: that of a seeder that may go to any other. */
export function avoidsOnlyLast(want: { readonly role: string; readonly gate?: unknown }): boolean {
  return want.role === "seeder" && want.gate === undefined;
}
