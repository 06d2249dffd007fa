import { networkInterfaces } from "node:os";
import { BackroomError } from "../base/errors.ts";
import { addressKind, mayDial } from "../directory/address.ts";
import type { Family } from "./reachability.ts";

/** A relay info holds four addresses. */
const MOST = 4;

/** What this computer's network interfaces say, loopback aside. */
export interface OwnAddress {
  readonly host: string;
  readonly family: Family;
}

/** Of now: interfaces come and go. Link-local IPv6 addresses, which need a scope, are left out. */
export function interfaceAddresses(): OwnAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((one) => one ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .map(({ address, family }) => ({ host: address, family: family === "IPv4" ? 4 : 6 }));
}

/** By which families others may reach this computer: IPv4 also from behind a router, IPv6 only at an address of its own. */
export function familiesOf(addresses: readonly OwnAddress[], test: boolean): Family[] {
  const v6 = addresses.some(({ host, family }) => family === 6 && mayDial({ host, port: 1 }, { test }));
  return [...(addresses.some(({ family }) => family === 4) ? [4 as const] : []), ...(v6 ? [6 as const] : [])];
}

/** Whether a router may stand between this computer's IPv4 and everybody else's. */
export function behindRouter(addresses: readonly OwnAddress[]): boolean {
  return addresses.every(({ host, family }) => family === 6 || addressKind(host) !== "public");
}

/**
 * The addresses under which others may reach this computer: public ones, and in a test network private ones too, IPv4 first.
 * Raises E_NO_ADDRESS where there is none, as behind a home router.
 */
export function ownAddresses(test: boolean): string[] {
  const usable = interfaceAddresses()
    .toSorted((a, b) => a.family - b.family)
    .map(({ host }) => host)
    .filter((host) => mayDial({ host, port: 1 }, { test }));
  if (usable.length > 0) return usable.slice(0, MOST);
  throw new BackroomError("E_NO_ADDRESS", "this computer has no address of its own that others could reach");
}
