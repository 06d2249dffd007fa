import { networkInterfaces } from "node:os";
import { BackroomError } from "../base/errors.ts";
import { mayDial } from "../directory/address.ts";

/** A relay info holds four addresses. */
const MOST = 4;

/**
 * The addresses under which others may reach this computer: public ones, and in a test network private ones too, IPv4 first.
 * Raises E_NO_ADDRESS where there is none, as behind a home router.
 */
export function ownAddresses(test: boolean): string[] {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const usable = all
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .toSorted((a, b) => (a.family < b.family ? -1 : a.family > b.family ? 1 : 0))
    .map(({ address }) => address)
    .filter((host) => mayDial({ host, port: 1 }, { test }));
  if (usable.length > 0) return usable.slice(0, MOST);
  throw new BackroomError("E_NO_ADDRESS", "this computer has no address of its own that others could reach");
}
