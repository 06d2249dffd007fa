import { decodeBencode, encodeBencode, type Bencoded, type BencodedDict } from "../../base/bencode.ts";
import { BackroomError, isBackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

/**
 * Decides about every UDP packet before the DHT library sees it. bittorrent-dht 11.0.12 ends the process on an integer where it wants a
 * string and keeps lists of any length, so it never gets what came from outside: it gets a packet written anew from the fields
 * that BEP 5 names, each of its right type and bounded. Everything else is left out (`v`, `ip`, `nodes6` …) or drops the packet
 * (BEP 44's get and put, anything mistyped).
 *
 *     query     { "t": 1 to 32, "y": "q", "q": name, "a": { "id": 20, … } }
 *     response  { "t": 2, "y": "r", "r": { "id": 20, "nodes": n·26, "values": [6, …], "token": 1 to 64 } }      ours have 2-byte "t"
 *     error     { "t": 2, "y": "e", "e": [code, text] }                                                     text is left out
 */
export type DhtPacket = { readonly [key: string]: Bencoded };

const ID_BYTES = 20;
const CONTACT_BYTES = 26;
const PEER_BYTES = 6;
/** k-rpc-socket numbers its questions with two bytes; an answer with another length answers none of ours. */
const OWN_TRANSACTION_BYTES = 2;

/** The clean packet. Raises E_BENCODE or E_DECODE when there is none. */
export function decodeDhtPacket(bytes: Buffer): DhtPacket {
  if (bytes.length > LIMITS.dhtPacketBytes) throw refused("it is too long");
  const packet = dictOf(decodeBencode(bytes, "any"));
  const kind = stringOf(packet.get("y"), 1, 1).toString("latin1");
  if (kind === "q") return decodeQuery(packet);
  const t = stringOf(packet.get("t"), OWN_TRANSACTION_BYTES, OWN_TRANSACTION_BYTES);
  if (kind === "r") return { t, y: Buffer.from("r"), r: decodeAnswer(dictOf(packet.get("r"))) };
  if (kind === "e") return { t, y: Buffer.from("e"), e: decodeError(packet.get("e")) };
  throw refused("it is of an unknown kind");
}

/** The clean packet's bytes, or undefined to drop it. */
export function cleanDhtPacket(bytes: Buffer): Buffer | undefined {
  try {
    return encodeBencode(decodeDhtPacket(bytes));
  } catch (error) {
    if (isBackroomError(error)) return undefined;
    throw error;
  }
}

/**
 * What the library wants to send, with at most LIMITS.dhtValues peers: it answers get_peers with all that it knows, and with a
 * forged source such an answer would be a flood.
 */
export function boundedReply(bytes: Buffer): Buffer {
  if (bytes.length <= LIMITS.dhtValues * 8) return bytes;
  const packet = dictOf(decodeBencode(bytes, "any"));
  const answer = packet.get("r");
  const values = answer instanceof Map ? answer.get("values") : undefined;
  if (!(answer instanceof Map) || !Array.isArray(values)) return bytes;
  answer.set("values", values.slice(0, LIMITS.dhtValues));
  return encodeBencode(packet);
}

function decodeQuery(packet: BencodedDict): DhtPacket {
  const t = stringOf(packet.get("t"), 1, LIMITS.dhtTransactionBytes);
  const name = stringOf(packet.get("q"), 1, 16).toString("latin1");
  const decodeArguments = QUERIES[name];
  if (decodeArguments === undefined) throw refused("it asks something that is not answered");
  const given = dictOf(packet.get("a"));
  const a = { id: idOf(given.get("id")), ...decodeArguments(given) };
  return { t, y: Buffer.from("q"), q: Buffer.from(name), a };
}

const QUERIES: Readonly<Record<string, ((given: BencodedDict) => DhtPacket) | undefined>> = {
  // Without a prototype: "constructor" is no query.
  __proto__: null as never,
  ping: () => ({}),
  find_node: (given) => ({ target: idOf(given.get("target")) }),
  get_peers: (given) => ({ info_hash: idOf(given.get("info_hash")) }),
  announce_peer: (given) => ({
    info_hash: idOf(given.get("info_hash")),
    port: integerOf(given.get("port"), 0, 65_535),
    implied_port: integerOf(given.get("implied_port") ?? 0, 0, 1),
    token: stringOf(given.get("token"), 1, LIMITS.dhtTokenBytes),
  }),
};

function decodeAnswer(answer: BencodedDict): DhtPacket {
  const nodes = answer.get("nodes");
  const values = answer.get("values");
  const token = answer.get("token");
  return {
    id: idOf(answer.get("id")),
    ...(nodes === undefined ? {} : { nodes: contactsOf(nodes) }),
    ...(values === undefined ? {} : { values: peersOf(values) }),
    ...(token === undefined ? {} : { token: stringOf(token, 1, LIMITS.dhtTokenBytes) }),
  };
}

function contactsOf(value: unknown): Buffer {
  const contacts = stringOf(value, 0, LIMITS.dhtPacketBytes);
  if (contacts.length % CONTACT_BYTES !== 0) throw refused("its list of nodes has a wrong length");
  return contacts.subarray(0, LIMITS.dhtNodes * CONTACT_BYTES);
}

/** Peers of IPv6 (18 bytes, BEP 32) are left out, whatever is no string drops the packet. */
function peersOf(value: unknown): Buffer[] {
  if (!Array.isArray(value)) throw refused("its peers are no list");
  const strings = value.map((peer) => stringOf(peer, PEER_BYTES, 18));
  return strings.filter((peer) => peer.length === PEER_BYTES).slice(0, LIMITS.dhtValues);
}

function decodeError(value: unknown): Bencoded {
  if (!Array.isArray(value)) throw refused("its error is no list");
  return [integerOf(value[0], 0, 65_535), Buffer.alloc(0)];
}

function dictOf(value: unknown): BencodedDict {
  if (!(value instanceof Map)) throw refused("a dictionary is missing");
  return value as BencodedDict;
}

function idOf(value: unknown): Buffer {
  return stringOf(value, ID_BYTES, ID_BYTES);
}

function stringOf(value: unknown, least: number, most: number): Buffer {
  if (!Buffer.isBuffer(value) || value.length < least || value.length > most) {
    throw refused("a string is missing or has a wrong length");
  }
  return value;
}

function integerOf(value: unknown, least: number, most: number): number {
  if (typeof value !== "number" || value < least || value > most)
    throw refused("a number is missing or out of range");
  return value;
}

function refused(why: string): BackroomError {
  return new BackroomError("E_DECODE", `a DHT packet was dropped: ${why}`);
}
