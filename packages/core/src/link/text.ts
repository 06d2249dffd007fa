import { decodeBase32, encodeBase32 } from "../base/base32.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { sha256 } from "../crypto/hash.ts";

/**
 * What links and invites have in common (PROTOCOL 4):
 *
 *   u8 version << 4 | kind  ‖  fields of that version  ‖  4 checksum = SHA-256(all before)[0..4)
 *
 * and as text `backroom:` or `backroom-join:` with lowercase base32. In every version the checksum is the last thing and is looked
 * at first, so that a mistyped letter is never taken for a newer version.
 */
export interface TextKind {
  readonly prefix: "backroom:" | "backroom-join:";
  readonly code: "E_LINK" | "E_INVITE";
}

export const LINK_TEXT: TextKind = { prefix: "backroom:", code: "E_LINK" };
export const INVITE_TEXT: TextKind = { prefix: "backroom-join:", code: "E_INVITE" };

const VERSION = 1;
const CHECKSUM_BYTES = 4;

/** Version byte, `body`, checksum. */
export function sealText(kind: number, body: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.from([(VERSION << 4) | kind]), body]);
  return Buffer.concat([bytes, checksum(bytes)]);
}

/** Checks length, checksum and version, in this order. Raises `code`, E_LINK_CHECKSUM, E_LINK_VERSION. */
export function openText(bytes: Buffer, { code }: TextKind): { kind: number; body: Buffer } {
  if (bytes.length <= CHECKSUM_BYTES || bytes.length > LIMITS.linkBytes) {
    throw new BackroomError(code, "the text is too short or too long");
  }
  const end = bytes.length - CHECKSUM_BYTES;
  if (!checksum(bytes.subarray(0, end)).equals(bytes.subarray(end))) {
    throw new BackroomError("E_LINK_CHECKSUM", "the text was changed on its way");
  }
  const lead = bytes.readUInt8(0);
  if (lead >>> 4 !== VERSION) throw new BackroomError("E_LINK_VERSION", "the text is of another version");
  return { kind: lead & 15, body: bytes.subarray(1, end) };
}

export function formatText(bytes: Uint8Array, kind: TextKind): string {
  return kind.prefix + encodeBase32(bytes);
}

/** Spaces and line breaks, and what mail programs, messengers and editors put in that nobody sees. */
const GAPS = /[\s\u00AD\u200B-\u200D\u2060\uFEFF]+/g;

/** The bytes of a text as pasted. Raises `code`, and says so where it is a link given for an invite or the reverse. */
export function parseText(text: string, kind: TextKind): Buffer {
  const { prefix, code } = kind;
  if (text.length > LIMITS.linkTextLength) throw new BackroomError(code, "the text is too long");
  // Upper case is for QR codes, which hold more of it.
  const compact = text.replace(GAPS, "").toLowerCase();
  if (compact.startsWith(prefix)) return decodeBase32(compact.slice(prefix.length), code);
  const other = kind === LINK_TEXT ? INVITE_TEXT : LINK_TEXT;
  if (compact.startsWith(other.prefix)) throw otherKind(code);
  throw new BackroomError(code, `the text does not start with ${prefix}`);
}

function otherKind(code: TextKind["code"]): BackroomError {
  if (code === "E_LINK") {
    return new BackroomError(code, "this is an invite, not a link", {
      why: "an invite (`backroom-join:`) lets this computer join a network; it leads to no share",
      fix: "join with it, then ask for the link of the share",
    });
  }
  return new BackroomError(code, "this is a link, not an invite", {
    why: "a link (`backroom:`) leads to a share",
    fix: "download with it: a link is enough, this computer joins its network by itself",
  });
}

function checksum(bytes: Uint8Array): Buffer {
  return sha256(bytes).subarray(0, CHECKSUM_BYTES);
}
