import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { TokenRecord } from "../catalogue/catalogue.ts";
import { isIn } from "../is-in.ts";

/**
 * Where a token may have files put: without the scope `admin` below the downloads folder alone. A new file in the wrong folder is run at the next login, so whoever may put
 * one anywhere may do anything, and that is not what somebody means who gives a token `write`. `token` is null for the owner. Every operation that takes a
 * place calls it `output`. Raises E_SCOPE.
 */
export function assertInReach(
  input: { readonly output?: unknown },
  token: Pick<TokenRecord, "scopes"> | null,
  downloadsFolder: string,
): void {
  const { output } = input;
  if (token === null || token.scopes.includes("admin") || typeof output !== "string") return;
  // As they are written: a link in there was made by the person, since no share brings any.
  if (isIn(path.resolve(output), path.resolve(downloadsFolder))) return;
  throw new BackroomError("E_SCOPE", "with this token files are put below the downloads folder alone", {
    why: "a new file elsewhere may be run by whatever finds it, so that takes the scope admin",
    fix: "leave the folder out, name one below downloads.folder, or make a token with the scope admin",
  });
}
