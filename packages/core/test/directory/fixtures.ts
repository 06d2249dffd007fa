import { decodeBencode, encodeBencode, type Bencoded, type BencodedDict } from "../../src/base/bencode.ts";
import { belowFrom, type Random } from "../../src/base/random.ts";
import { generateKeys, type KeyPair } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/net/channel.ts";
import {
  decodeRelayInfo,
  signRelayInfo,
  type RelayInfo,
  type RelayInfoFields,
} from "../../src/directory/relay-info.ts";
import { RelayTable } from "../../src/directory/table.ts";
import { ManualClock } from "../support/manual-clock.ts";

export const NETWORK = { id: 7, test: false };
export const TEST_NETWORK = { id: 7, test: true };
export const NOW_S = 1_800_000_000;

/** Randomness that repeats (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const random: Random = {
    bytes: (length) => Buffer.from(Array.from({ length }, () => next() & 255)),
    below: (bound) => belowFrom(random, bound),
  };
  return random;
}

function fields(more: Partial<RelayInfoFields>): RelayInfoFields {
  return {
    networkId: 7,
    onionKey: Buffer.alloc(32, 5),
    endpoints: [{ host: "8.8.8.8", port: 9001 }],
    bandwidthKiB: 1000,
    gate: true,
    scout: true,
    timeS: NOW_S,
    ...more,
  };
}

/** A relay info that is really signed. */
export function signedInfo(
  more: Partial<RelayInfoFields> = {},
  keys: KeyPair = generateKeys("ed25519"),
): RelayInfo {
  return decodeRelayInfo(signRelayInfo(fields(more), keys));
}

/** A relay info as `decodeRelayInfo` would give it, without the cost of a signature: for tables of many thousands. */
export function plainInfo(number: number, host: string, more: Partial<RelayInfoFields> = {}): RelayInfo {
  const nodeKey = Buffer.alloc(32);
  nodeKey.writeUInt32BE(number, 28);
  const info = fields({ endpoints: [{ host, port: 9001 }], ...more });
  return { ...info, nodeKey, key: nodeKey.toString("hex"), bytes: nodeKey };
}

/** A public address, different in its /16 for each of the first 150 × 200 numbers. */
export function publicHost(number: number, last = 1): string {
  return `${20 + (Math.floor(number / 200) % 80)}.${number % 200}.${Math.floor(number / 16_000)}.${last}`;
}

export function plainInfos(count: number, more: Partial<RelayInfoFields> = {}): RelayInfo[] {
  return Array.from({ length: count }, (_, number) => plainInfo(number, publicHost(number), more));
}

export function tableWith(network = NETWORK, seed = 1): { table: RelayTable; clock: ManualClock } {
  const clock = new ManualClock(NOW_S * 1000);
  return { table: new RelayTable({ network, clock, random: seededRandom(seed) }), clock };
}

export const localEndpoint = (port: number): Endpoint => ({ host: "127.0.0.1", port });

/** Over the wire and back, as a question or an answer goes. */
export function wire(value: Bencoded): BencodedDict {
  return decodeBencode(encodeBencode(value)) as BencodedDict;
}

/** The text of `{"e": …}`; undefined for an answer that is no refusal. */
export function refusalOf(answer: BencodedDict): string | undefined {
  const code = answer.get("e");
  return Buffer.isBuffer(code) ? code.toString() : undefined;
}
