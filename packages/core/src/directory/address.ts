import { BackroomError } from "../base/errors.ts";
import { asBuffer, u16be } from "../base/bytes.ts";
import { ipBytes, ipText, isMapped } from "../base/ip-address.ts";
import type { Endpoint } from "../net/channel.ts";

/**
 * A relay's address in relay infos and in the `at` question (PROTOCOL 7), and what kind of address it is.
 *
 *     4 or 16 address bytes ‖ u16 port                    6 or 18 long
 *
 * An IPv4 address has the short form only: one address, one encoding, so that two relays cannot share one unnoticed.
 */
export function encodeAddress({ host, port }: Endpoint): Buffer {
  const ip = ipBytes(host);
  if (ip === undefined || isMapped(ip))
    throw new BackroomError("E_DECODE", "a relay's address is no IP address");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new BackroomError("E_DECODE", "a relay's port is out of range");
  }
  return Buffer.concat([ip, u16be(port)]);
}

/** Raises E_DECODE for another length, port 0, and IPv4 addresses in IPv6 form. */
export function decodeAddress(bytes: Uint8Array): Endpoint {
  if (bytes.length !== 6 && bytes.length !== 18) {
    throw new BackroomError("E_DECODE", "a relay's address has a wrong length");
  }
  const ip = asBuffer(bytes).subarray(0, -2);
  const port = asBuffer(bytes).readUInt16BE(bytes.length - 2);
  if (port === 0) throw new BackroomError("E_DECODE", "a relay's port is 0");
  if (isMapped(ip)) throw new BackroomError("E_DECODE", "an IPv4 address is written as an IPv6 one");
  return { host: ipText(ip), port };
}

/** The address as a map key: equal for equal addresses only. */
export function addressKey(endpoint: Endpoint): string {
  return encodeAddress(endpoint).toString("latin1");
}

export type AddressKind = "public" | "local" | "special";

/** The ranges of the IANA special-purpose registries that are no place on the public internet. */
const LOCAL_V4 = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  // For documentation and benchmarks: laboratories and virtual machines are numbered with them.
  "192.0.2.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
];
const SPECIAL_V4 = ["0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3"];
const LOCAL_V6 = ["::1/128", "fc00::/7", "fe80::/10", "2001:db8::/32"];
/** Of 2000::/3, what is not a place: Teredo and 6to4 carry an IPv4 address that nobody has vetted. */
const SPECIAL_V6 = ["2001::/23", "2002::/16", "3fff::/20"];
const ranges = (texts: string[]) => texts.map(range);
const KINDS = {
  4: { local: ranges(LOCAL_V4), special: ranges(SPECIAL_V4), global: ranges(["0.0.0.0/0"]) },
  16: { local: ranges(LOCAL_V6), special: ranges(SPECIAL_V6), global: ranges(["2000::/3"]) },
};

/**
 * public: anybody can dial it. local: loopback, private, link-local, shared, documentation; for test networks only. special: nobody's
 * (multicast, reserved, unspecified, IPv4 inside IPv6, no address at all); never dialled.
 */
export function addressKind(host: string): AddressKind {
  const ip = ipBytes(host);
  if (ip === undefined) return "special";
  const kinds = ip.length === 4 ? KINDS[4] : KINDS[16];
  if (kinds.local.some((range) => within(ip, range))) return "local";
  if (kinds.special.some((range) => within(ip, range))) return "special";
  return kinds.global.some((range) => within(ip, range)) ? "public" : "special";
}

/** Whether a member may open a connection there because a stranger's message says so (DESIGN 5). */
export function mayDial(endpoint: Endpoint, network: { readonly test: boolean }): boolean {
  const kind = addressKind(endpoint.host);
  const port = endpoint.port;
  const fits = kind === "public" || (kind === "local" && network.test);
  return fits && Number.isInteger(port) && port > 0 && port < 65_536;
}

/** The /24 or /48 that an address is in: relays of one are taken for one operator's. */
export function subnetKey(host: string): string {
  return prefixKey(host, 3, 6);
}

/** The /16 or /32: what one provider has, roughly. */
export function blockKey(host: string): string {
  return prefixKey(host, 2, 4);
}

function prefixKey(host: string, v4Bytes: number, v6Bytes: number): string {
  const ip = ipBytes(host) ?? Buffer.alloc(0);
  return ip.length === 4 ? `4${ip.toString("hex", 0, v4Bytes)}` : `6${ip.toString("hex", 0, v6Bytes)}`;
}

interface Range {
  readonly prefix: Buffer;
  readonly bits: number;
}

function range(text: string): Range {
  const [host = "", bits = ""] = text.split("/");
  return { prefix: ipBytes(host) ?? Buffer.alloc(0), bits: Number(bits) };
}

function within(ip: Buffer, { prefix, bits }: Range): boolean {
  const whole = bits >>> 3;
  if (ip.compare(prefix, 0, whole, 0, whole) !== 0) return false;
  const rest = 8 - (bits & 7);
  return rest === 8 || (ip[whole] as number) >>> rest === (prefix[whole] as number) >>> rest;
}
