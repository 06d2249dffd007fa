import { live } from "./live.ts";

/** The id of the transfer that keys act on: the focused row, or the one whose page is open. */
export const chosen = live<string | null>(null);
