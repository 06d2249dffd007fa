import { ipBytes } from "../../base/ip-address.ts";

/**
 * Whether a packet may be sent there. Contacts come from strangers, who could otherwise have us send packets around
 * the network we are in; so outside test networks only public IPv4 addresses (RFC 6890) are contacted.
 */
export function mayContact(host: string, port: number, testNetwork: boolean): boolean {
  const ip = ipBytes(host);
  if (ip === undefined || ip.length !== 4 || !Number.isInteger(port) || port < 1 || port > 65_535)
    return false;
  const [a = 0, b = 0, c = 0] = ip;
  const nowhere = a === 0 || a >= 224;
  const local =
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    // Documentation and benchmarks.
    (a === 192 && b === 0 && c === 2) ||
    (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) ||
    (a === 203 && b === 0 && c === 113);
  return !nowhere && (!local || testNetwork);
}
