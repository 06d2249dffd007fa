import { encodeBencode, type Bencoded, type BencodedDict } from "../base/bencode.ts";
import { asBuffer } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { sha256 } from "../crypto/hash.ts";
import { publicKeyFrom, signEd25519, verifyEd25519, type KeyPair } from "../crypto/keys.ts";
import type { HopTarget } from "../circuit/stream.ts";
import type { Endpoint } from "../net/channel.ts";
import { decodeAddress, encodeAddress } from "./address.ts";
import { readDict, readInteger, readBytes, readList } from "./fields.ts";

/**
 * A relay's signed description of itself (PROTOCOL 7.1): canonical bencode, at most 400 bytes.
 *
 *     d 1:a l ‹address›… e   1:b i‹KiB/s›e   1:f i‹flags›e   1:h l ‹host›… e   1:k 32:‹node key›   1:n i‹network›e
 *       1:o 32:‹onion key›   1:p 32:‹previous›?   1:s 64:‹signature›   1:t i‹seconds›e   1:v i1e e
 *
 * Either `a` or `h` is there: a relay that nobody can dial, a *guest*, names the relays that keep its channels, its *hosts*.
 */
export interface RelayInfoFields {
  readonly networkId: number;
  /** X25519, for circuit handshakes; the previous one is still answered for a while after the weekly change. */
  readonly onionKey: Buffer;
  readonly previousOnionKey?: Buffer | undefined;
  /** 1 to 4; none of a guest. */
  readonly endpoints: readonly Endpoint[];
  /** Of a guest: `hostName` of 1 to 3 relays, rising; undefined of a relay that has addresses. */
  readonly hosts?: readonly string[] | undefined;
  /** What the relay says it can carry, KiB/s. Nobody has checked it. */
  readonly bandwidthKiB: number;
  readonly gate: boolean;
  readonly scout: boolean;
  readonly timeS: number;
}

export interface RelayInfo extends RelayInfoFields {
  readonly nodeKey: Buffer;
  /** `nodeKey` in hex, for maps. */
  readonly key: string;
  /** The signed encoding, to be passed on as it is. */
  readonly bytes: Buffer;
}

const SIGNED_PREFIX = Buffer.from("backroom relay v1", "latin1");
const FLAG_GATE = 1;
const FLAG_SCOUT = 2;
const VERSION = 1;
const KEYS = { required: "bfknostv", optional: "ahp" };
const HOST_NAME_BYTES = 8;

/** Signs; the result decodes. Raises E_RELAY_INFO for fields that no relay info can have. */
export function signRelayInfo(fields: RelayInfoFields, nodeKeys: KeyPair): Buffer {
  const unsigned: Record<string, Bencoded> = {
    ...(fields.hosts === undefined ? { a: fields.endpoints.map(encodeAddress) } : {}),
    b: fields.bandwidthKiB,
    f: (fields.gate ? FLAG_GATE : 0) | (fields.scout ? FLAG_SCOUT : 0),
    ...(fields.hosts === undefined ? {} : { h: fields.hosts.map((name) => Buffer.from(name, "hex")) }),
    k: nodeKeys.publicBytes,
    n: fields.networkId,
    o: fields.onionKey,
    ...(fields.previousOnionKey === undefined ? {} : { p: fields.previousOnionKey }),
    t: fields.timeS,
    v: VERSION,
  };
  const signature = signEd25519(nodeKeys.privateKey, signedBytes(unsigned));
  const bytes = encodeBencode({ ...unsigned, s: signature });
  decodeRelayInfo(bytes);
  return bytes;
}

/**
 * Checks form, bounds and signature, raising E_RELAY_INFO, E_BENCODE, E_DECODE or E_CRYPTO. Whether it is of this network and of today is
 * another question (`isAcceptable`): a relay info is also kept, and looked at later.
 */
export function decodeRelayInfo(bytes: Uint8Array): RelayInfo {
  const { info, dict } = readInfo(bytes);
  verify(dict, info.nodeKey);
  return info;
}

/** `decodeRelayInfo` without the signature, for infos that this member verified before it stored them. Verifying 5,000 takes a second. */
export function decodeVerifiedRelayInfo(bytes: Uint8Array): RelayInfo {
  return readInfo(bytes).info;
}

function readInfo(bytes: Uint8Array): { info: RelayInfo; dict: BencodedDict } {
  if (bytes.length > LIMITS.relayInfoBytes) throw malformed("is too long");
  // A copy of its own: an info is kept for a day, and must not keep the frame that it came in.
  const own = Buffer.from(bytes);
  const dict = readDict(own, KEYS, "E_RELAY_INFO");
  if (dict.has("a") === dict.has("h")) throw malformed("has neither addresses nor hosts, or both");
  if (readInteger(dict, "v", 255, "E_RELAY_INFO") !== VERSION) throw malformed("is of another version");
  const flags = readInteger(dict, "f", FLAG_GATE | FLAG_SCOUT, "E_RELAY_INFO");
  const nodeKey = readBytes(dict, "k", 32, "E_RELAY_INFO");
  readBytes(dict, "s", 64, "E_RELAY_INFO");
  const hosts = dict.has("h") ? hostsOf(dict) : undefined;
  // Nobody finds the way to it but by way of its hosts, so it can be neither found in the DHT nor asked.
  if (hosts !== undefined && flags !== 0) throw malformed("is a guest's and claims what guests cannot be");
  const info = {
    nodeKey,
    key: nodeKey.toString("hex"),
    onionKey: readBytes(dict, "o", 32, "E_RELAY_INFO"),
    previousOnionKey: dict.has("p") ? readBytes(dict, "p", 32, "E_RELAY_INFO") : undefined,
    endpoints: hosts === undefined ? endpointsOf(dict) : [],
    hosts,
    bandwidthKiB: readInteger(dict, "b", 0xffff_ffff, "E_RELAY_INFO"),
    gate: (flags & FLAG_GATE) !== 0,
    scout: (flags & FLAG_SCOUT) !== 0,
    networkId: readInteger(dict, "n", 0xffff_ffff, "E_RELAY_INFO"),
    timeS: readInteger(dict, "t", 2 ** 48 - 1, "E_RELAY_INFO"),
    bytes: own,
  };
  return { info, dict };
}

/** PROTOCOL 7.1: valid from 3 h before to 24 h after it was signed. */
export function isCurrent(info: RelayInfo, nowMs: number): boolean {
  const ageMs = nowMs - info.timeS * 1000;
  return ageMs >= -LIMITS.relayInfoFutureMs && ageMs <= LIMITS.relayInfoLifeMs;
}

/** What circuits need of it. */
export function hopTarget(info: RelayInfo): HopTarget {
  return { nodeKey: info.nodeKey, onionKey: info.onionKey, info: info.bytes, endpoints: info.endpoints };
}

export type RelayInfoDecoder = (bytes: Uint8Array) => RelayInfo;

/** A `decodeRelayInfo` that remembers good infos by their bytes: a table hears the same ones again and again, and verifying costs 0.1 ms. */
export function createRelayInfoDecoder(capacity: number = LIMITS.relayInfoCacheCount): RelayInfoDecoder {
  const known = new Map<string, RelayInfo>();
  return (bytes) => {
    const name = asBuffer(bytes).toString("latin1");
    const hit = known.get(name);
    if (hit !== undefined) return hit;
    const info = decodeRelayInfo(bytes);
    if (known.size >= capacity) known.delete(known.keys().next().value as string);
    known.set(name, info);
    return info;
  };
}

function verify(dict: BencodedDict, nodeKey: Buffer): void {
  const signature = readBytes(dict, "s", 64, "E_RELAY_INFO");
  const unsigned = new Map(dict);
  unsigned.delete("s");
  if (!verifyEd25519(publicKeyFrom("ed25519", nodeKey), signedBytes(unsigned), signature)) {
    throw malformed("is not signed by its key");
  }
}

function signedBytes(unsigned: Record<string, Bencoded> | BencodedDict): Buffer {
  return Buffer.concat([SIGNED_PREFIX, encodeBencode(unsigned)]);
}

/** Stands for a relay's node key in the infos of its guests: the first 8 bytes of its SHA-256, in hex. */
export function hostName(nodeKey: Uint8Array): string {
  return sha256(nodeKey).toString("hex", 0, HOST_NAME_BYTES);
}

/** A relay that nobody can dial, and that carries circuits over the channels that it keeps to its hosts. */
export function isGuest(info: Pick<RelayInfo, "hosts">): boolean {
  return info.hosts !== undefined;
}

function endpointsOf(dict: BencodedDict): Endpoint[] {
  const addresses = readList(dict, "a", LIMITS.relayInfoAddresses, "E_RELAY_INFO");
  if (addresses.length === 0) throw malformed("has no address");
  return addresses.map(addressOf);
}

/** Rising, so that one set of hosts has one encoding and none counts twice. */
function hostsOf(dict: BencodedDict): string[] {
  const names = readList(dict, "h", LIMITS.guestHosts, "E_RELAY_INFO").map((value) => {
    if (!Buffer.isBuffer(value) || value.length !== HOST_NAME_BYTES) throw malformed("names a host wrongly");
    return value.toString("hex");
  });
  const rising = names.every((name, index) => index === 0 || (names[index - 1] as string) < name);
  if (names.length === 0 || !rising) throw malformed("names no hosts, or not in their order");
  return names;
}

function addressOf(value: unknown): Endpoint {
  if (!Buffer.isBuffer(value)) throw malformed("has an address that is no string");
  return decodeAddress(value);
}

function malformed(what: string): BackroomError {
  return new BackroomError("E_RELAY_INFO", `a relay info ${what}`);
}
