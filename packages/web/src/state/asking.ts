import type { PickedFile } from "./picked-files.ts";
import { live } from "./live.ts";

/** The sheet that is open. */
export type Asked =
  | { readonly kind: "share"; readonly files: readonly PickedFile[] }
  | { readonly kind: "open"; readonly text: string }
  | { readonly kind: "links" | "remove" | "open-pack" | "relocate"; readonly id: string };

export const asked = live<Asked | null>(null);

/** Opens a sheet, unless one is open already. Returns whether it did. */
export function ask(what: Asked): boolean {
  if (asked.get() !== null) return false;
  asked.set(what);
  return true;
}
