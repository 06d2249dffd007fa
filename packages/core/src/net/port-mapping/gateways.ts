import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { ipBytes, ipText } from "../../base/ip-address.ts";
import { LIMITS } from "../../base/limits.ts";

/** The default gateways, where the system tells (Linux), and otherwise the first and last address of each private IPv4 network that this computer is in. */
export function findGateways(): string[] {
  const told = readRoutes();
  return told.length > 0 ? told : guesses();
}

function readRoutes(): string[] {
  try {
    return parseRoutes(readFileSync("/proc/net/route", "utf8"));
  } catch {
    // Another system.
    return [];
  }
}

/** The first gateways of default routes in Linux's /proc/net/route: columns, numbers in hexadecimal, addresses in the machine's byte order. */
export function parseRoutes(text: string): string[] {
  const gateways = new Set<string>();
  for (const line of text.split("\n").slice(1)) {
    const [, target, gateway = "", flags = "0"] = line.split("\t");
    // RTF_UP and RTF_GATEWAY.
    const usable = (Number.parseInt(flags, 16) & 3) === 3;
    if (target !== "00000000" || !usable || !/^[0-9A-F]{8}$/i.test(gateway)) continue;
    gateways.add(ipText(Buffer.from(gateway, "hex").reverse()));
  }
  return [...gateways].slice(0, LIMITS.portMappingGateways);
}

function guesses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((one) => one ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .flatMap(({ address, netmask }) => edgesOf(address, netmask))
    .slice(0, LIMITS.portMappingGateways);
}

/** The first and the last address that a router may have in the network of an address. */
export function edgesOf(address: string, netmask: string): string[] {
  const [ip, mask] = [ipBytes(address), ipBytes(netmask)];
  if (ip?.length !== 4 || mask?.length !== 4) return [];
  const [host, bits] = [ip.readUInt32BE(0), mask.readUInt32BE(0)];
  const first = ((host & bits) >>> 0) + 1;
  const last = ((host & bits) | ~bits) >>> 0;
  // A network of two or fewer has no router that could be guessed.
  if (last - first < 2) return [];
  const edges = [first, last - 1].filter((edge) => edge !== host);
  return edges.map((edge) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(edge);
    return ipText(bytes);
  });
}
