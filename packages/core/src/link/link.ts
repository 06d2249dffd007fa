import { decodeBase32 } from "../base/base32.ts";
import { ByteReader, u32be, u48be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { hkdf } from "../crypto/hash.ts";
import { decodeJoinRelay, encodeJoinRelay, type JoinRelay } from "./join-relay.ts";
import { decodeName, encodeName } from "./name.ts";
import { decodeTags, encodeTags, TAG_FILES_BYTES, TAG_NAME, TAG_RELAY, valuesOf } from "./tags.ts";
import { formatText, LINK_TEXT, openText, parseText, sealText } from "./text.ts";

interface LinkFields {
  readonly networkId: number;
  /** 32 bytes. With the length, all that the torrent needs. */
  readonly piecesRoot: Buffer;
  /** Bytes of the pack, at least 1. */
  readonly packLength: number;
  /** 16 bytes; see sharer-key.ts. */
  readonly sharerFingerprint: Buffer;
  /** Safe to show: decoding refuses what is not. */
  readonly name?: string;
  /** Bytes of the files unpacked. A hint for the person: not authenticated by anything. */
  readonly filesBytes?: number;
  readonly relays: readonly JoinRelay[];
}

/** Whoever has it can read the share. */
export interface ReadLink extends LinkFields {
  readonly kind: "read";
  /** The share's X25519 identity, 32 bytes: see pack/age-keys.ts. */
  readonly identity: Buffer;
}

/** Enough to find, store and hand on the share, not to read it; the key, if any, travels another way. */
export interface LockedLink extends LinkFields {
  readonly kind: "locked";
  readonly topicSecret: Buffer;
}

export type ShareLink = ReadLink | LockedLink;

const KIND_READ = 0;
const KIND_LOCKED = 1;

/** T of PROTOCOL 4: what everybody who may take part in the share's swarm has. */
export function topicSecret(link: ShareLink): Buffer {
  return link.kind === "locked"
    ? link.topicSecret
    : hkdf(link.identity, link.piecesRoot, "backroom topic v1");
}

/** The link to give to somebody who shall host the share without reading it: so the name and the size of the files stay behind, too. */
export function lockedLink(link: ReadLink): LockedLink {
  const { networkId, piecesRoot, packLength, sharerFingerprint, relays } = link;
  const fields = { networkId, piecesRoot, packLength, sharerFingerprint, relays };
  return { kind: "locked", ...fields, topicSecret: topicSecret(link) };
}

/** Raises E_LINK for fields that no link may have, among them names that may not be shown. */
export function encodeLink(link: ShareLink): Buffer {
  const secret = link.kind === "read" ? link.identity : link.topicSecret;
  checkLength(link.piecesRoot, 32);
  checkLength(secret, 32);
  checkLength(link.sharerFingerprint, 16);
  checkRange(link.networkId, 0, 0xffff_ffff);
  checkRange(link.packLength, 1, LIMITS.packBytes);
  if (link.relays.length > LIMITS.linkRelays) throw invalid("there are too many relays");
  const fields = [
    u32be(link.networkId),
    link.piecesRoot,
    u48be(link.packLength),
    secret,
    link.sharerFingerprint,
  ];
  return sealText(
    link.kind === "read" ? KIND_READ : KIND_LOCKED,
    Buffer.concat([...fields, encodeTags(tagsOf(link))]),
  );
}

function tagsOf(link: ShareLink): [number, Buffer][] {
  const tags: [number, Buffer][] = [];
  if (link.name !== undefined) tags.push([TAG_NAME, encodeName(link.name, LIMITS.linkNameBytes, "E_LINK")]);
  for (const relay of link.relays) tags.push([TAG_RELAY, encodeJoinRelay(relay, "E_LINK")]);
  if (link.filesBytes !== undefined) {
    checkRange(link.filesBytes, 0, 2 ** 48 - 1);
    tags.push([TAG_FILES_BYTES, u48be(link.filesBytes)]);
  }
  return tags;
}

/** Raises E_LINK, E_LINK_CHECKSUM or E_LINK_VERSION. */
export function decodeLink(bytes: Buffer): ShareLink {
  const { kind, body } = openText(bytes, LINK_TEXT);
  if (kind !== KIND_READ && kind !== KIND_LOCKED) throw invalid("the link is of an unknown kind");
  const reader = new ByteReader(body, "E_LINK");
  const networkId = reader.u32();
  const piecesRoot = reader.take(32);
  const packLength = reader.u48();
  if (packLength === 0) throw invalid("the pack is empty");
  const secret = reader.take(32);
  const sharerFingerprint = reader.take(16);
  const fields = { networkId, piecesRoot, packLength, sharerFingerprint, ...decodeTagged(reader) };
  return kind === KIND_READ
    ? { kind: "read", ...fields, identity: secret }
    : { kind: "locked", ...fields, topicSecret: secret };
}

function decodeTagged(reader: ByteReader): Pick<LinkFields, "name" | "filesBytes" | "relays"> {
  const tags = decodeTags(reader, "E_LINK");
  const relays = valuesOf(tags, TAG_RELAY, LIMITS.linkRelays, "E_LINK").map((value) =>
    decodeJoinRelay(value, "E_LINK"),
  );
  const [name] = valuesOf(tags, TAG_NAME, 1, "E_LINK");
  const [size] = valuesOf(tags, TAG_FILES_BYTES, 1, "E_LINK");
  return {
    relays,
    ...(name !== undefined && { name: decodeName(name, LIMITS.linkNameBytes, "E_LINK") }),
    ...(size !== undefined && { filesBytes: decodeSize(size) }),
  };
}

function decodeSize(value: Buffer): number {
  const reader = new ByteReader(value, "E_LINK");
  const size = reader.u48();
  reader.end();
  return size;
}

/** `backroom:<base32>`. Raises as `encodeLink`. */
export function formatLink(link: ShareLink): string {
  return formatText(encodeLink(link), LINK_TEXT);
}

/** A link as pasted, spaces and line breaks inside it included. Raises as `decodeLink`; an invite is refused by name. */
export function parseLink(text: string): ShareLink {
  return decodeLink(parseText(text, LINK_TEXT));
}

/** Of a link as `formatLink` gives it, without a look at the rest: for those that a computer keeps by the thousand. Raises E_LINK. */
export function networkIdOf(text: string): number {
  const { prefix, code } = LINK_TEXT;
  // PROTOCOL 4: version and kind, then the network. Five bytes are eight letters.
  const start = text.startsWith(prefix) ? text.slice(prefix.length, prefix.length + 8) : "";
  if (start.length < 8) throw invalid("the text is no link as it is kept");
  return decodeBase32(start, code).readUInt32BE(1);
}

function checkLength(bytes: Buffer, length: number): void {
  if (bytes.length !== length) throw invalid("a field has the wrong length");
}

function checkRange(value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) throw invalid("a number is out of range");
}

function invalid(what: string): BackroomError {
  return new BackroomError("E_LINK", what);
}
