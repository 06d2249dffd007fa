import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { systemCode } from "../base/system-code.ts";
import {
  createNetwork as newNetwork,
  formatNetworkFile,
  inviteTo as inviteWith,
  joinRelayOf,
  networkOfInvite,
  parseNetworkFile,
  type Network,
} from "../directory/network.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { formatInvite, parseInvite } from "../link/invite.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";
import { cachedRelays, openTable, tableFile } from "./saved-table.ts";

/** A network as people see it. */
export interface NetworkSummary {
  /** Eight hex digits. */
  readonly id: string;
  readonly name: string;
  readonly test: boolean;
  readonly current: boolean;
  readonly relaysKnown: number;
}

interface Where {
  readonly dataFolder: string | undefined;
}

/** Makes a test network (one operator) and uses it from now on. */
export async function createNetwork(options: Where & { readonly name: string }): Promise<NetworkSummary> {
  const folder = await openDataFolder(options.dataFolder);
  const network = newNetwork({ name: options.name, test: true, relays: [], bootstrap: [] }, systemRandom);
  await saveNetwork(folder, network);
  await writeCurrent(folder, network.id);
  return summary(folder, network, network.id);
}

/** Keeps the network that an invite names and uses it from now on. Raises E_INVITE and its kin. */
export async function joinNetwork(options: Where & { readonly invite: string }): Promise<NetworkSummary> {
  const folder = await openDataFolder(options.dataFolder);
  const network = networkOfInvite(parseInvite(options.invite));
  await saveNetwork(folder, await withKnownRelays(folder, network));
  await writeCurrent(folder, network.id);
  return summary(folder, network, network.id);
}

/** Uses another network from now on, by the text of its id. Raises E_NO_NETWORK for one that is not known here, E_STORE. */
export async function useNetwork(options: Where & { readonly id: string }): Promise<NetworkSummary> {
  const folder = await openDataFolder(options.dataFolder);
  const network = await networkOfId(folder, options.id);
  await writeCurrent(folder, network.id);
  return summary(folder, network, network.id);
}

/** All networks that this member has joined or made, by rising id. Raises E_STORE, E_NETWORK_FILE for one whose file is damaged. */
export async function knownNetworks(options: Where): Promise<NetworkSummary[]> {
  const folder = await openDataFolder(options.dataFolder);
  const currentId = await readCurrent(folder);
  const names = (await readdir(folder.networks))
    .filter((name) => /^[0-9a-f]{8}\.json$/.test(name))
    .toSorted();
  const networks = await Promise.all(names.map((name) => readNetwork(folder, Number.parseInt(name, 16))));
  return Promise.all(
    networks.filter((one) => one !== undefined).map((network) => summary(folder, network, currentId)),
  );
}

export interface InviteSummary {
  readonly invite: string;
  readonly name: string;
  readonly test: boolean;
  readonly relayCount: number;
}

/**
 * An invite to a network that is known, or else to the one in use: relays drawn at random from those that were known here last, or those that this
 * member was invited through. Not chosen in any other way: what never comes up, such as guards, would be known by that. Raises E_NO_RELAYS, E_NO_NETWORK.
 */
export async function makeInvite(
  options: Where & { readonly id?: string | undefined },
): Promise<InviteSummary> {
  const folder = await openDataFolder(options.dataFolder);
  const network =
    options.id === undefined ? await currentNetwork(folder) : await networkOfId(folder, options.id);
  const sample = (await openTable(folder, network)).sample(LIMITS.inviteRelays).map(joinRelayOf);
  const known = sample.length > 0 ? sample : await cachedRelays(folder, network);
  const relays = (known.length > 0 ? known : network.relays).slice(0, LIMITS.inviteRelays);
  const { name, test } = network;
  return { invite: inviteTo(network, relays), name, test, relayCount: relays.length };
}

/** Raises E_NO_RELAYS where there is nobody to join through. */
export function inviteTo(network: Network, relays: readonly JoinRelay[]): string {
  if (relays.length === 0) {
    throw new BackroomError("E_NO_RELAYS", "an invite needs a relay to join through, and none is known", {
      fix: "start a relay of this network first: backroom relay",
    });
  }
  return formatInvite(inviteWith(network, relays, systemRandom));
}

/** The network in use. Raises E_NO_NETWORK where there is none. */
export async function currentNetwork(folder: DataFolder): Promise<Network> {
  const id = await readCurrent(folder);
  const network = id === undefined ? undefined : await readNetwork(folder, id);
  if (network === undefined) throw new BackroomError("E_NO_NETWORK", "this member belongs to no network yet");
  return network;
}

/** Whether one is in use; whether it can be read is not looked at. */
export async function hasCurrentNetwork(folder: DataFolder): Promise<boolean> {
  return (await readCurrent(folder)) !== undefined;
}

/** A network that is known by its id, or undefined. */
export async function readNetwork(folder: DataFolder, id: number): Promise<Network | undefined> {
  const file = networkFile(folder, id);
  try {
    return parseNetworkFile(await readFile(file, "utf8"));
  } catch (error) {
    if (isBackroomError(error)) throw error;
    if (systemCode(error) === "ENOENT") return undefined;
    throw new BackroomError("E_STORE", "a network file could not be read", { cause: error });
  }
}

/** Writes nothing where nothing is new: the file's time says when the last new invite came. */
export async function saveNetwork(folder: DataFolder, network: Network): Promise<void> {
  const file = networkFile(folder, network.id);
  const content = Buffer.from(formatNetworkFile(network));
  const before = await readStateFile(file, LIMITS.networkFileBytes).catch(() => undefined);
  if (before?.equals(content) !== true) await writeStateFile(file, content);
}

/** Whether an invite came that named somebody new since this member joined last, which ends with the table being kept. */
export async function hasNewInvite(folder: DataFolder, network: Network): Promise<boolean> {
  const files = [networkFile(folder, network.id), tableFile(folder, network)];
  const [invited, joined] = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return invited !== undefined && joined !== undefined && invited.mtimeMs > joined.mtimeMs;
}

/** Eight hex digits: how people and files name it. */
export function networkIdText(id: number): string {
  return id.toString(16).padStart(8, "0");
}

/** Joining again by a newer invite adds its relays to those of the older one. */
async function withKnownRelays(folder: DataFolder, network: Network): Promise<Network> {
  const before = await readNetwork(folder, network.id);
  if (before === undefined) return network;
  const byKey = new Map(
    [...network.relays, ...before.relays].map((relay) => [relay.nodeKey.toString("hex"), relay]),
  );
  return { ...network, relays: [...byKey.values()].slice(0, LIMITS.networkFileRelays) };
}

async function summary(
  folder: DataFolder,
  network: Network,
  currentId: number | undefined,
): Promise<NetworkSummary> {
  const { size } = await openTable(folder, network);
  return {
    id: networkIdText(network.id),
    name: network.name,
    test: network.test,
    current: network.id === currentId,
    relaysKnown: Math.max(size, network.relays.length),
  };
}

function networkFile(folder: DataFolder, id: number): string {
  return path.join(folder.networks, `${networkIdText(id)}.json`);
}

async function readCurrent(folder: DataFolder): Promise<number | undefined> {
  const text = (await readStateFile(path.join(folder.networks, "current"), 64))?.toString("latin1").trim();
  return text !== undefined && /^[0-9a-f]{8}$/.test(text) ? Number.parseInt(text, 16) : undefined;
}

/** Raises E_DISK_FULL, E_STORE. */
export async function writeCurrent(folder: DataFolder, id: number): Promise<void> {
  await writeStateFile(path.join(folder.networks, "current"), Buffer.from(`${networkIdText(id)}\n`));
}

/** By the text of its id. Raises E_NO_NETWORK. */
async function networkOfId(folder: DataFolder, id: string): Promise<Network> {
  const network = await readNetwork(folder, Number.parseInt(id, 16));
  if (network === undefined || networkIdText(network.id) !== id.toLowerCase()) throw unknownNetwork();
  return network;
}

function unknownNetwork(): BackroomError {
  return new BackroomError("E_NO_NETWORK", "no network of that id is known here", {
    fix: "see the known ones with: backroom net list",
  });
}
