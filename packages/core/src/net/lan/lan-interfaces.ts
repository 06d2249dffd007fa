import { networkInterfaces } from "node:os";
import { ipBytes } from "../../base/ip-address.ts";

/** RFC 6762, 3. Routers pass nothing on that is sent to it. */
export const LAN_GROUP = "224.0.0.251";
export const LAN_PORT = 5353;

/** Private and link-local IPv4 (RFC 1918, 3927): what the computers of a house or an office have, and nobody outside can reach. */
export function isLanAddress(host: string): boolean {
  const ip = ipBytes(host);
  if (ip?.length !== 4) return false;
  const [a = 0, b = 0] = ip;
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254);
}

/** This computer's addresses on local networks, one for each interface. */
export function lanInterfaces(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => {
    const address = addresses?.find((one) => !one.internal && isLanAddress(one.address));
    return address === undefined ? [] : [address.address];
  });
}
