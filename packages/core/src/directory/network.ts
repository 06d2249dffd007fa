import { decodeBase32, encodeBase32 } from "../base/base32.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { ipBytes, ipText } from "../base/ip-address.ts";
import { shuffled, type Random } from "../base/random.ts";
import type { Endpoint } from "../net/channel.ts";
import type { Invite } from "../link/invite.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { encodeName } from "../link/name.ts";

/** A named set of relays (PROTOCOL 7.3): what one has to know to join it. */
export interface Network {
  readonly name: string;
  /** Drawn at random when the network is made; relay infos and HELLOs carry it. */
  readonly id: number;
  /** One operator runs all relays: private addresses and a single subnet are allowed, and nothing is hidden from that operator. */
  readonly test: boolean;
  readonly relays: readonly JoinRelay[];
  /** Nodes through which the DHT is entered; none in a network whose relays bring their own. */
  readonly bootstrap: readonly Endpoint[];
}

/** A new network with an id of its own. */
export function createNetwork(fields: Omit<Network, "id">, random: Random): Network {
  const network = { ...fields, id: 1 + random.below(0xffff_ffff) };
  // What could not be read back, such as a name that may not be shown, is refused now.
  parseNetworkFile(formatNetworkFile(network));
  return network;
}

/** What an invite says; its relays and DHT nodes are all that there is room for. */
export function networkOfInvite(invite: Invite): Network {
  const { networkId, ...rest } = invite;
  return { id: networkId, ...rest };
}

/** An invite to the network through some of `relays`, drawn at random: usually the network's own, or relays out of the table. */
export function inviteTo(network: Network, relays: readonly JoinRelay[], random: Random): Invite {
  return {
    networkId: network.id,
    test: network.test,
    name: network.name,
    relays: shuffled(relays, random).slice(0, LIMITS.inviteRelays),
    bootstrap: shuffled(network.bootstrap, random).slice(0, LIMITS.inviteBootstrap),
  };
}

/** A relay's key and first address, as links and invites carry them. */
export function joinRelayOf(info: {
  nodeKey: Buffer;
  endpoints: readonly { host: string; port: number }[];
}): JoinRelay {
  const { host, port } = info.endpoints[0] as { host: string; port: number };
  return { nodeKey: info.nodeKey, host, port };
}

export function formatNetworkFile(network: Network): string {
  const file = {
    backroom: "network",
    version: 1,
    name: network.name,
    id: network.id,
    test: network.test,
    relays: network.relays.map(({ nodeKey, host, port }) => ({ key: encodeBase32(nodeKey), host, port })),
    dht: network.bootstrap.map(({ host, port }) => ({ host, port })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Raises E_NETWORK_FILE, and says which field is wrong. Nothing is optional and nothing else may be there: a typo must not pass. */
export function parseNetworkFile(text: string): Network {
  if (text.length > LIMITS.networkFileBytes) throw invalid("is too long");
  const file = objectOf(parseJson(text), "the file", [
    "backroom",
    "version",
    "name",
    "id",
    "test",
    "relays",
    "dht",
  ]);
  if (file["backroom"] !== "network") throw invalid('does not say "backroom": "network"');
  if (file["version"] !== 1) {
    throw new BackroomError(
      "E_NETWORK_FILE",
      "the network file is of a version that this program does not know",
      {
        why: "it was made by a newer Backroom",
        fix: "upgrade Backroom",
      },
    );
  }
  if (typeof file["test"] !== "boolean") throw invalid('has a "test" that is neither true nor false');
  return {
    name: nameOf(file["name"]),
    id: integerOf(file["id"], 1, 0xffff_ffff, '"id"'),
    test: file["test"],
    relays: listOf(file["relays"], LIMITS.networkFileRelays, '"relays"').map(relayOf),
    bootstrap: listOf(file["dht"], LIMITS.networkFileBootstrap, '"dht"').map((item) =>
      endpointOf(objectOf(item, 'an entry of "dht"', ["host", "port"]), '"dht"'),
    ),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackroomError("E_NETWORK_FILE", "the network file is not JSON", { cause });
  }
}

function objectOf(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BackroomError("E_NETWORK_FILE", `${what} is no object`);
  }
  for (const key of keys) {
    if (!Object.hasOwn(value, key)) throw new BackroomError("E_NETWORK_FILE", `${what} lacks "${key}"`);
  }
  if (Object.keys(value).length !== keys.length) {
    throw new BackroomError("E_NETWORK_FILE", `${what} has a field that a network file does not have`);
  }
  return value as Record<string, unknown>;
}

function nameOf(value: unknown): string {
  if (typeof value !== "string") throw invalid('has a "name" that is no text');
  try {
    encodeName(value, LIMITS.networkNameBytes, "E_NETWORK_FILE");
  } catch (cause) {
    const most = LIMITS.networkNameBytes;
    throw new BackroomError(
      "E_NETWORK_FILE",
      `the network file has a "name" that is empty, has more than ${most} bytes, or characters that may not be shown`,
      { cause },
    );
  }
  return value;
}

function relayOf(value: unknown): JoinRelay {
  const relay = objectOf(value, 'an entry of "relays"', ["key", "host", "port"]);
  return { nodeKey: nodeKeyOf(relay["key"]), ...endpointOf(relay, '"relays"') };
}

function nodeKeyOf(value: unknown): Buffer {
  // 32 bytes are 52 letters of base32.
  if (typeof value !== "string" || !/^[a-z2-7]{52}$/.test(value)) {
    throw invalid('has a "key" that is no node key');
  }
  return decodeBase32(value, "E_NETWORK_FILE");
}

function endpointOf(entry: Record<string, unknown>, where: string): Endpoint {
  const ip = typeof entry["host"] === "string" ? ipBytes(entry["host"]) : undefined;
  // Names are not looked up: whoever answers for the name would decide which network this is.
  if (ip === undefined) throw invalid(`has a "host" in ${where} that is no IP address`);
  return { host: ipText(ip), port: integerOf(entry["port"], 1, 65_535, `"port" in ${where}`) };
}

function integerOf(value: unknown, min: number, max: number, what: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`has ${what} that is no whole number from ${min} to ${max}`);
  }
  return value;
}

function listOf(value: unknown, max: number, what: string): unknown[] {
  if (!Array.isArray(value) || value.length > max)
    throw invalid(`has ${what} that is no list of at most ${max}`);
  return value;
}

function invalid(how: string): BackroomError {
  return new BackroomError("E_NETWORK_FILE", `the network file ${how}`);
}
