import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { TokenRecord } from "./catalogue/catalogue.ts";
import { isIn } from "./is-in.ts";

/**
 * Where a token may have files put: without the scope `admin` below the downloads folder alone. A new file in the wrong folder is run at the next login, so whoever may put
 * one anywhere may do anything, and that is not what somebody means who gives a token `write`. Null: anywhere, for the owner (`token` is null) and for `admin`.
 */
export function reachOf(token: Pick<TokenRecord, "scopes"> | null, downloadsFolder: string): string | null {
  return token === null || token.scopes.includes("admin") ? null : path.resolve(downloadsFolder);
}

/** As they are written: a link in there was made by the person, since no share brings any. */
export function isInReach(folder: string, reach: string | null): boolean {
  return reach === null || isIn(path.resolve(folder), reach);
}

/** Every operation that takes a place calls it `output`. Raises E_SCOPE. */
export function assertInReach({ output }: { readonly output?: unknown }, reach: string | null): void {
  if (typeof output === "string" && !isInReach(output, reach)) throw outOfReach();
}

export function outOfReach(): BackroomError {
  return new BackroomError("E_SCOPE", "with this token files are put below the downloads folder alone", {
    why: "a new file elsewhere may be run by whatever finds it, so that takes the scope admin",
    fix: "leave the folder out, name one below downloads.folder, or make a token with the scope admin",
  });
}
