import { rm } from "node:fs/promises";
import path from "node:path";
import { decodeBencode, encodeBencode } from "../base/bencode.ts";
import { BackroomError, codeOf, isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Network } from "../directory/network.ts";
import { hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import { withStoreErrors } from "../store/store-error.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import type { ChosenGate, GateMemory } from "../tunnel/gate-choice.ts";
import type { DataFolder } from "./data-folder.ts";
import { networkIdText } from "./networks.ts";

/** Two gates that are in use, and two whose circuits just broke. */
const MOST_GATES = 4;
const MOST_BYTES = 1024;

interface SavedGate {
  readonly nodeKey: Buffer;
  /** Wall clock. */
  readonly untilMs: number;
}

interface MemoryOptions {
  readonly folder: DataFolder;
  readonly log: Log;
  /** Where the gates are now; those that are not among them are not gone to. */
  relays(): readonly RelayInfo[];
}

/**
 * The gates that this member is registered at with one share, in `shares/<root>.gates`, so that a restart shows it to no others (DESIGN 6: a gate is
 * kept about a day). One process at a time has a share, so nobody else writes. A file that is damaged counts as none.
 */
export function openKeptGates(options: MemoryOptions & { readonly root: Buffer }): Promise<GateMemory> {
  return openMemory(gatesFile(options.folder, options.root), options);
}

/** The same of a group of shares, in `shares/group-<network>-<place>.gates`. */
export function openGroupGates(
  options: MemoryOptions & { readonly network: Pick<Network, "id">; readonly place: number },
): Promise<GateMemory> {
  const name = `group-${networkIdText(options.network.id)}-${options.place}.gates`;
  return openMemory(path.join(options.folder.shares, name), options);
}

async function openMemory(file: string, options: MemoryOptions): Promise<GateMemory> {
  const bytes = await readStateFile(file, MOST_BYTES);
  const byKey = new Map(options.relays().map((info) => [info.key, info]));
  const saved = (bytes === undefined ? [] : savedIn(bytes)).flatMap(({ nodeKey, untilMs }) => {
    const info = byKey.get(nodeKey.toString("hex"));
    return info === undefined ? [] : [{ gate: hopTarget(info), untilMs }];
  });
  const save = (gates: readonly ChosenGate[]): void => {
    const kept = gates.slice(0, MOST_GATES).map(({ gate, untilMs }) => ({ nodeKey: gate.nodeKey, untilMs }));
    writeStateFile(file, encodeKeptGates(kept)).catch((error: unknown) => {
      options.log("warn", "the gates of a share could not be saved", { code: codeOf(error) });
    });
  };
  return { saved, save };
}

/** With the pack that nothing is left of. Raises E_STORE. */
export async function removeKeptGates(folder: DataFolder, root: Buffer): Promise<void> {
  const file = gatesFile(folder, root);
  await withStoreErrors("the gates of a share could not be forgotten", async () => {
    // One more write waits for those that are under way, which would bring the file back.
    await writeStateFile(file, encodeKeptGates([]));
    await rm(file, { force: true });
  });
}

/** Canonical bencode: `{"g": [[node key (32), until (s)], …]}`, at most 4. */
export function encodeKeptGates(gates: readonly SavedGate[]): Buffer {
  return encodeBencode({
    g: gates.map(({ nodeKey, untilMs }) => [nodeKey, Math.floor(untilMs / 1000)]),
  });
}

/** Raises E_STORE and E_BENCODE. */
export function decodeKeptGates(bytes: Uint8Array): SavedGate[] {
  const dict = decodeBencode(bytes);
  const list = dict instanceof Map && dict.size === 1 ? dict.get("g") : undefined;
  if (!Array.isArray(list) || list.length > MOST_GATES) throw damaged();
  return list.map((item) => {
    const [nodeKey, untilS] = Array.isArray(item) && item.length === 2 ? item : [];
    if (!Buffer.isBuffer(nodeKey) || nodeKey.length !== 32) throw damaged();
    if (typeof untilS !== "number" || untilS < 0 || untilS > 2 ** 40) throw damaged();
    return { nodeKey, untilMs: untilS * 1000 };
  });
}

function savedIn(bytes: Buffer): SavedGate[] {
  try {
    return decodeKeptGates(bytes);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return [];
  }
}

function damaged(): BackroomError {
  return new BackroomError("E_STORE", "what was kept of a share's gates is damaged");
}

function gatesFile(folder: DataFolder, root: Buffer): string {
  return path.join(folder.shares, `${root.toString("hex", 0, 16)}.gates`);
}
