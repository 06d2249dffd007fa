import { networkInterfaces } from "node:os";
import { ipBytes } from "../../base/ip-address.ts";

export const LAN_PORT = 5353;

export type LanFamily = 4 | 6;
/** RFC 6762, 3. Routers pass nothing on that is sent to these. */
export const LAN_GROUPS: Readonly<Record<LanFamily, string>> = { 4: "224.0.0.251", 6: "ff02::fb" };

/** One of this computer's interfaces on local networks, by one family. */
export interface LanInterface {
  readonly family: LanFamily;
  /** Its own address there, an IPv6 one with its zone. */
  readonly address: string;
  /** What names it when groups are joined and asked. */
  readonly name: string;
  /** Where a question goes to. */
  readonly group: string;
}

/**
 * Private and link-local IPv4 (RFC 1918, 3927), and link-local IPv6 with the zone that the system puts to it (RFC 4007): what the computers of a house or an
 * office have, and nobody outside can send from. Other IPv6 addresses do not tell near from far.
 */
export function isLanAddress(host: string): boolean {
  const [plain = "", zone, ...more] = host.split("%");
  const ip = ipBytes(plain);
  if (ip?.length === 16) {
    const isLinkLocal = ip[0] === 0xfe && ((ip[1] ?? 0) & 0xc0) === 0x80;
    return isLinkLocal && zone !== undefined && zone !== "" && more.length === 0;
  }
  if (ip?.length !== 4 || zone !== undefined) return false;
  const [a = 0, b = 0] = ip;
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254);
}

/** This computer's interfaces on local networks, one address of each family. */
export function lanInterfaces(): LanInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([device, addresses = []]) => {
    const own = addresses.filter(({ internal }) => !internal);
    const v4 = own.find(({ family, address }) => family === "IPv4" && isLanAddress(address));
    const v6 = own.find(({ family, address, scopeid }) => {
      return family === "IPv6" && (scopeid ?? 0) > 0 && isLanAddress(`${address}%${device}`);
    });
    // Windows names a zone by its number.
    const zone = process.platform === "win32" ? String(v6?.scopeid) : device;
    return [
      ...(v4 === undefined ? [] : [lanInterface(4, v4.address, v4.address, LAN_GROUPS[4])]),
      ...(v6 === undefined
        ? []
        : [lanInterface(6, `${v6.address}%${zone}`, `::%${zone}`, `${LAN_GROUPS[6]}%${zone}`)]),
    ];
  });
}

function lanInterface(family: LanFamily, address: string, name: string, group: string): LanInterface {
  return { family, address, name, group };
}
