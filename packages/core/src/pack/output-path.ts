import { hash } from "node:crypto";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";

/**
 * What a path of a pack may be (PROTOCOL 2): a relative path that names the same new file on every system, and shows what it is.
 * Checked when a share is sealed and again when it is opened, where the pack is somebody else's word.
 */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** These turn the reading direction, so that `gpj.exe` is shown as `exe.jpg`. */
const BIDI = /\p{Bidi_Control}/u;
/** Zero-width and the like: shown as nothing, and ignored in names by some file systems. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
/** Devices of Windows, whatever follows the first dot and however it is capitalized. */
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(\.|$)/i;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
/** Names that Windows has no way to store. Elsewhere they are harmless, and people have files with question marks. */
const UNSTORABLE_ON_WINDOWS = /[<>"|?*]/;

/**
 * Checks `path`: components joined by "/", one "/" at the end allowed (a directory's). Returns the components.
 * Raises E_UNSAFE_PATH. `platform` is for tests.
 */
export function checkOutputPath(path: string, platform: NodeJS.Platform = process.platform): string[] {
  if (Buffer.byteLength(path) > LIMITS.packPathBytes) throw unsafe("a path is too long");
  const components = unmarked(path).split("/");
  if (components.length > LIMITS.pathDepth) throw unsafe("a path is too deep");
  for (const component of components) checkComponent(component, platform);
  return components;
}

/** An entry's path without the slash that marks a directory's. */
export function unmarked(entryPath: string): string {
  return entryPath.endsWith("/") ? entryPath.slice(0, -1) : entryPath;
}

function checkComponent(name: string, platform: NodeJS.Platform): void {
  // An absolute path starts with an empty component, and so does a share on a server (`//server/`).
  if (name === "") throw unsafe("a path is absolute, or part of it is empty");
  if (name === "." || name === "..") throw unsafe("a path leads out of its folder");
  if (!name.isWellFormed()) throw unsafe("a name is not Unicode");
  if (Buffer.byteLength(name) > LIMITS.pathComponentBytes) throw unsafe("a name is too long");
  // `C:` is a drive, `file:stream` a hidden part of a file, and a backslash a separator, all on Windows.
  if (name.includes(":") || name.includes("\\")) throw unsafe("a name contains a colon or a backslash");
  if (CONTROL.test(name)) throw unsafe("a name contains control characters");
  if (BIDI.test(name)) throw unsafe("a name contains characters that turn the reading direction");
  if (name.replace(INVISIBLE, "").trim() === "") throw unsafe("a name is invisible");
  // Windows drops them, so two names become one, and a filter that looks at the ending is fooled.
  if (/[. ]$/.test(name)) throw unsafe("a name ends in a dot or a space");
  if (RESERVED.test(name)) throw unsafe("a name is that of a device on Windows");
  if (platform === "win32" && UNSTORABLE_ON_WINDOWS.test(name))
    throw unsafe("a name cannot be stored on Windows");
}

function unsafe(what: string): BackroomError {
  return new BackroomError("E_UNSAFE_PATH", what);
}

/**
 * Two names with one key may be one file somewhere: case is folded (macOS, Windows), accents are decomposed (macOS), and
 * what is ignored there is left out. Upper case last, since final sigma and sharp s have only one of those.
 */
function collisionKey(path: string): string {
  // The same, without the work, for what most paths are.
  if (PRINTABLE_ASCII.test(path)) return path.toUpperCase();
  const fold = (text: string): string => text.normalize("NFD").toLowerCase().toUpperCase();
  return fold(fold(path.replace(INVISIBLE, ""))).normalize("NFD");
}

/** Slots to begin with; a power of two. */
const INITIAL_SLOTS = 1024;

/**
 * Checks every path of a share, and that no two of them may be the same file on any system. Directories must be added themselves, each
 * before what is in it, as a pack lists them; so comparing whole paths finds folders that collide, too.
 * Keeps 8 bytes a path in a table at most 3/4 full: 16 MiB for a million. Keyed, so that nobody can prepare paths of one hash;
 * a false alarm among a million paths has a chance of 1 in 30 million.
 */
export class OutputPathSet {
  readonly #key: string;
  /** Open addressing; two words a slot, 0 0 is free. */
  #slots = new Uint32Array(2 * INITIAL_SLOTS);
  #count = 0;

  constructor(random: Random) {
    this.#key = random.bytes(16).toString("latin1");
  }

  /** Returns the components. Raises E_UNSAFE_PATH for an unsafe path, one too many, or one that collides; it is then not added. */
  add(path: string): string[] {
    const components = checkOutputPath(path);
    if (this.#count >= LIMITS.packEntries) throw unsafe("there are too many paths");
    if (this.#count * 4 >= (this.#slots.length / 2) * 3) this.#grow();
    // As text of one byte a letter: a Buffer for each of a million paths costs more than the hash.
    const digest = hash("sha256", this.#key + collisionKey(components.join("/")), "binary");
    if (!insert(this.#slots, wordAt(digest, 0), wordAt(digest, 4) || 1)) {
      throw new BackroomError(
        "E_UNSAFE_PATH",
        "two names differ only in case, accents or invisible characters",
        {
          why: "on some systems both would be one file, and one would overwrite the other",
          fix: "rename one of them and seal again",
        },
      );
    }
    this.#count++;
    return components;
  }

  #grow(): void {
    const wider = new Uint32Array(this.#slots.length * 2);
    for (let at = 0; at < this.#slots.length; at += 2) {
      const low = this.#slots[at + 1] as number;
      if (low !== 0) insert(wider, this.#slots[at] as number, low);
    }
    this.#slots = wider;
  }
}

function wordAt(bytes: string, at: number): number {
  const low = (bytes.charCodeAt(at + 1) << 16) | (bytes.charCodeAt(at + 2) << 8) | bytes.charCodeAt(at + 3);
  return bytes.charCodeAt(at) * 2 ** 24 + low;
}

/** False where the value is there already. `low` is not 0. */
function insert(slots: Uint32Array, high: number, low: number): boolean {
  const mask = slots.length / 2 - 1;
  for (let slot = high & mask; ; slot = (slot + 1) & mask) {
    const at = 2 * slot;
    if (slots[at + 1] === 0) {
      slots[at] = high;
      slots[at + 1] = low;
      return true;
    }
    if (slots[at] === high && slots[at + 1] === low) return false;
  }
}
