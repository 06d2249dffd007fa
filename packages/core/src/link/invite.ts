import { ByteReader, u32be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import {
  decodeJoinRelay,
  decodePlace,
  encodeJoinRelay,
  encodePlace,
  type JoinRelay,
  type Place,
} from "./join-relay.ts";
import { decodeName, encodeName } from "./name.ts";
import { decodeTags, encodeTags, TAG_BOOTSTRAP, TAG_NAME, TAG_RELAY, valuesOf } from "./tags.ts";
import { formatText, INVITE_TEXT, openText, parseText, sealText } from "./text.ts";

/** What somebody needs to join a network without a share (PROTOCOL 4). */
export interface Invite {
  readonly networkId: number;
  /** One operator runs all relays: private addresses are allowed, and nothing is hidden from that operator. */
  readonly test: boolean;
  /** Safe to show: decoding refuses what is not. */
  readonly name: string;
  readonly relays: readonly JoinRelay[];
  /** Nodes through which the DHT is entered. */
  readonly bootstrap: readonly Place[];
}

const KIND_INVITE = 2;
const FLAG_TEST = 1;

/** Raises E_INVITE for fields that no invite may have. */
export function encodeInvite(invite: Invite): Buffer {
  if (!Number.isInteger(invite.networkId) || invite.networkId < 0 || invite.networkId > 0xffff_ffff) {
    throw invalid("the network id is out of range");
  }
  if (invite.relays.length > LIMITS.inviteRelays || invite.bootstrap.length > LIMITS.inviteBootstrap) {
    throw invalid("there are too many addresses");
  }
  const tags = encodeTags([
    [TAG_NAME, encodeName(invite.name, LIMITS.networkNameBytes, "E_INVITE")],
    ...invite.relays.map((relay) => [TAG_RELAY, encodeJoinRelay(relay, "E_INVITE")] as const),
    ...invite.bootstrap.map((place) => [TAG_BOOTSTRAP, encodePlace(place, "E_INVITE")] as const),
  ]);
  const flags = Buffer.from([invite.test ? FLAG_TEST : 0]);
  return sealText(KIND_INVITE, Buffer.concat([u32be(invite.networkId), flags, tags]));
}

/** Raises E_INVITE, E_LINK_CHECKSUM or E_LINK_VERSION. */
export function decodeInvite(bytes: Buffer): Invite {
  const { kind, body } = openText(bytes, INVITE_TEXT);
  if (kind !== KIND_INVITE) throw invalid("the invite is of an unknown kind");
  const reader = new ByteReader(body, "E_INVITE");
  const networkId = reader.u32();
  const flags = reader.u8();
  if ((flags & ~FLAG_TEST) !== 0) throw invalid("the invite has unknown flags");
  const tags = decodeTags(reader, "E_INVITE");
  const [name] = valuesOf(tags, TAG_NAME, 1, "E_INVITE");
  if (name === undefined) throw invalid("the network has no name");
  const relays = valuesOf(tags, TAG_RELAY, LIMITS.inviteRelays, "E_INVITE");
  const bootstrap = valuesOf(tags, TAG_BOOTSTRAP, LIMITS.inviteBootstrap, "E_INVITE");
  return {
    networkId,
    test: flags === FLAG_TEST,
    name: decodeName(name, LIMITS.networkNameBytes, "E_INVITE"),
    relays: relays.map((value) => decodeJoinRelay(value, "E_INVITE")),
    bootstrap: bootstrap.map((value) => decodePlace(new ByteReader(value, "E_INVITE"), "E_INVITE")),
  };
}

/** `backroom-join:<base32>`. Raises as `encodeInvite`. */
export function formatInvite(invite: Invite): string {
  return formatText(encodeInvite(invite), INVITE_TEXT);
}

/** An invite as pasted, spaces and line breaks inside it included. Raises as `decodeInvite`; a link is refused by name. */
export function parseInvite(text: string): Invite {
  return decodeInvite(parseText(text, INVITE_TEXT));
}

function invalid(what: string): BackroomError {
  return new BackroomError("E_INVITE", what);
}
