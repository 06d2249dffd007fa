import type { KeyObject } from "node:crypto";
import { u64be } from "../base/bytes.ts";
import { hkdf, sha256 } from "../crypto/hash.ts";
import { keysFromSecret, secretKey, type KeyPair } from "../crypto/keys.ts";

const EPOCH_SECONDS = 86_400;
/** Around a turn both epochs are served and asked for this long on each side (PROTOCOL 8). */
const OVERLAP_SECONDS = 3_600;

/** What one share's peers agree on: T and the sharer's fingerprint, both from the link (PROTOCOL 4). */
export interface ShareTopic {
  readonly topicSecret: Buffer;
  readonly sharerFingerprint: Buffer;
}

/** Everything that holds for one share in one epoch (PROTOCOL 8). */
export interface EpochKeys {
  readonly epoch: number;
  /** Signs registrations; its public half is `A`. */
  readonly topicKeys: KeyPair;
  readonly sealingKey: KeyObject;
  readonly tunnelPsk: Buffer;
  /** Shown to a gate by the sharer only, to prove that `commitment` names the sharer's key. */
  readonly mark: Buffer;
  /** `C`: 32 bytes that bind the topic to the sharer's key without saying which key. */
  readonly commitment: Buffer;
  /** 32 bytes; asking a gate for leases takes all of them. */
  readonly topic: Buffer;
  /** 20 bytes, for the DHT. Does not give the topic, so whoever watches the DHT cannot ask for leases. */
  readonly topicHash: Buffer;
}

/** The epochs in force at `nowMs`, rising: one, or two within an hour of a turn. The turn's time of day differs from share to share. */
export function epochsAt(topicSecret: Uint8Array, nowMs: number): number[] {
  const offset = hkdf(topicSecret, Buffer.alloc(0), "backroom epoch offset v1", 4).readUInt32BE(0);
  const seconds = Math.floor(nowMs / 1000) + (offset % EPOCH_SECONDS);
  const epochOf = (time: number): number => Math.floor(time / EPOCH_SECONDS);
  return [...new Set([epochOf(seconds - OVERLAP_SECONDS), epochOf(seconds + OVERLAP_SECONDS)])];
}

/** One Ed25519 key and six derivations, a fifth of a millisecond. */
export function deriveEpoch(share: ShareTopic, epoch: number): EpochKeys {
  const derive = (info: string): Buffer => hkdf(share.topicSecret, u64be(epoch), info);
  const topicKeys = keysFromSecret("ed25519", derive("backroom topic key v1"));
  const mark = derive("backroom sharer mark v1");
  const commitment = sharerCommitment(share.sharerFingerprint, mark);
  const topic = topicOf(topicKeys.publicBytes, commitment);
  return {
    epoch,
    topicKeys,
    sealingKey: secretKey(derive("backroom lease seal v1")),
    tunnelPsk: derive("backroom tunnel psk v1"),
    mark,
    commitment,
    topic,
    topicHash: topicHashOf(topic),
  };
}

/** 32 bytes, by which a gate knows a share for a day: its link's holders can sign for it, and its sharer can prove to be that (PROTOCOL 8). */
export function topicOf(topicKey: Uint8Array, commitment: Uint8Array): Buffer {
  return sha256(topicKey, commitment);
}

/** 20 bytes, by which it is announced and looked for in the DHT. */
export function topicHashOf(topic: Buffer): Buffer {
  return topic.subarray(0, 20);
}

/** `C` of PROTOCOL 8. */
export function sharerCommitment(fingerprint: Uint8Array, mark: Uint8Array): Buffer {
  return sha256(fingerprint, mark);
}
