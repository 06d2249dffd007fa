import path from "node:path";
import { decodeBencode, encodeBencode } from "../base/bencode.ts";
import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { generateKeys, keysFromSecret, secretBytes, type KeyPair } from "../crypto/keys.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import type { DataFolder } from "./data-folder.ts";

/** Onion keys change weekly, so that a relay that is seized opens no handshake older than two weeks (DESIGN 5). */
const ONION_LIFE_MS = 7 * 24 * 3600 * 1000;
const MOST_BYTES = 4096;

export interface RelayKeys {
  readonly node: KeyPair;
  readonly onion: KeyPair;
  /** Answered for another week, for those who still have the old relay info. */
  readonly previousOnion: KeyPair | undefined;
  readonly onionMadeMs: number;
}

/**
 * Reads this member's keys as a relay, or makes and keeps them. File `relay/keys`: bencoded
 * `{k: node secret, o: onion secret, p: previous onion secret?, t: when the onion key was made, s}`.
 */
export async function openRelayKeys(folder: DataFolder, clock: Clock): Promise<RelayKeys> {
  const file = keysFile(folder);
  const saved = await readStateFile(file, MOST_BYTES);
  const keys = saved === undefined ? freshKeys(clock) : decodeKeys(saved);
  const current = rotated(keys, clock);
  if (saved === undefined || current !== keys) await saveRelayKeys(folder, current);
  return current;
}

/** Raises E_DISK_FULL and E_STORE; the keys before are there then. */
export async function saveRelayKeys(folder: DataFolder, keys: RelayKeys): Promise<void> {
  await writeStateFile(keysFile(folder), encodeKeys(keys));
}

/** This member's node key in hex if it ever was a relay: its own circuits must not lead through itself. */
export async function ownNodeKey(folder: DataFolder): Promise<string | undefined> {
  const saved = await readStateFile(keysFile(folder), MOST_BYTES);
  return saved === undefined ? undefined : decodeKeys(saved).node.publicBytes.toString("hex");
}

function keysFile(folder: DataFolder): string {
  return path.join(folder.relay, "keys");
}

/** The same keys while the onion key is young; otherwise new ones, the old one kept as the previous. */
export function rotated(keys: RelayKeys, clock: Pick<Clock, "nowMs">): RelayKeys {
  const nowMs = clock.nowMs();
  const age = nowMs - keys.onionMadeMs;
  if (age >= 0 && age < ONION_LIFE_MS) return keys;
  // After two weeks away nobody holds an info with the old key any more.
  const previousOnion = age < 2 * ONION_LIFE_MS ? keys.onion : undefined;
  return { node: keys.node, onion: generateKeys("x25519"), previousOnion, onionMadeMs: nowMs };
}

function freshKeys(clock: Clock): RelayKeys {
  return {
    node: generateKeys("ed25519"),
    onion: generateKeys("x25519"),
    previousOnion: undefined,
    onionMadeMs: clock.nowMs(),
  };
}

function encodeKeys(keys: RelayKeys): Buffer {
  return encodeBencode({
    k: secretBytes(keys.node),
    o: secretBytes(keys.onion),
    ...(keys.previousOnion === undefined ? {} : { p: secretBytes(keys.previousOnion) }),
    t: Math.floor(keys.onionMadeMs / 1000),
  });
}

function decodeKeys(bytes: Buffer): RelayKeys {
  try {
    const dict = decodeBencode(bytes);
    if (!(dict instanceof Map)) throw new BackroomError("E_STORE", "no dictionary");
    const secret = (name: string): Buffer => {
      const value = dict.get(name);
      if (!Buffer.isBuffer(value)) throw new BackroomError("E_STORE", "a key is missing");
      return value;
    };
    const madeS = dict.get("t");
    return {
      node: keysFromSecret("ed25519", secret("k")),
      onion: keysFromSecret("x25519", secret("o")),
      previousOnion: dict.has("p") ? keysFromSecret("x25519", secret("p")) : undefined,
      onionMadeMs: typeof madeS === "number" ? madeS * 1000 : 0,
    };
  } catch (cause) {
    throw new BackroomError("E_STORE", "the file with this relay's keys is damaged", {
      cause,
      fix: "put a copy of relay/keys back, or remove it to start as a new relay",
    });
  }
}
