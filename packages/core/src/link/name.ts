import { BackroomError, type ErrorCode } from "../base/errors.ts";
import { asBuffer } from "../base/bytes.ts";

/**
 * Names of shares and networks, as a stranger's link puts them on somebody's screen. No control characters (a terminal obeys them), no line
 * breaks, nothing that turns the reading direction, not invisible.
 */
const UNSHOWABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\s]/gu;

/** The bytes of `name`. Raises `code` where it may not be shown, is empty, or takes more than `mostBytes`. */
export function encodeName(name: string, mostBytes: number, code: ErrorCode): Buffer {
  const bytes = Buffer.from(name);
  if (!isShowable(name) || bytes.length > mostBytes) {
    throw new BackroomError(code, "a name is empty, too long, or has characters that may not be shown");
  }
  return bytes;
}

/** Raises `code` as `encodeName`, and for bytes that are not UTF-8. The name can be put on a screen as it is. */
export function decodeName(bytes: Uint8Array, mostBytes: number, code: ErrorCode): string {
  const name = asBuffer(bytes).toString("utf8");
  // Bytes that are not UTF-8 become U+FFFD, which encodes to others.
  if (!encodeName(name, mostBytes, code).equals(bytes)) throw new BackroomError(code, "a name is not UTF-8");
  return name;
}

/** A name that can be encoded, from any text such as a file's name: what may not be shown becomes "_", what is too long is cut. */
export function showableName(text: string, mostBytes: number): string {
  let name = "";
  let bytes = 0;
  for (const letter of text.toWellFormed().replace(UNSHOWABLE, "_")) {
    bytes += Buffer.byteLength(letter);
    if (bytes > mostBytes) break;
    name += letter;
  }
  return isShowable(name) ? name : "_";
}

function isShowable(name: string): boolean {
  // `search` does not depend on where a global expression stopped last.
  return name.search(UNSHOWABLE) < 0 && name.replace(INVISIBLE, "") !== "";
}
