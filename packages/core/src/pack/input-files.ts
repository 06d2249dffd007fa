import { isUtf8 } from "node:buffer";
import fs, { constants } from "node:fs";
import { open, readdir, realpath } from "node:fs/promises";

export type InputKind = "file" | "directory" | "link" | "special";

export interface InputStat {
  readonly kind: InputKind;
  readonly size: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
}

export interface InputName {
  /** As the disk has it; where that is not Unicode, with signs of replacement in it. */
  readonly name: string;
  readonly unicode: boolean;
  readonly kind: InputKind;
}

/**
 * The files that are sealed, as the sealer sees them; passed in, so that tests can have files that are too large to exist or that change.
 * Failures are the system's own errors. Nothing is written, and links below a root are never followed.
 */
export interface InputFiles {
  /** The path with all links resolved. */
  resolve(path: string): Promise<string>;
  /** At once. */
  stat(path: string): InputStat;
  /** What is in a folder, in any order. */
  list(path: string): Promise<InputName[]>;
  /**
   * Reads a small file from its start, at once, and returns how many bytes it put into `into`. It stops at the file's end, or when at most
   * the last byte of `into` is free, which is there to show a file that has grown.
   */
  readSmall(path: string, into: Buffer): number;
  open(path: string): Promise<InputFile>;
}

export interface InputFile {
  stat(): Promise<InputStat>;
  /** Reads up to `into.length` bytes at `position` into `into`; 0 at the end. */
  read(into: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Not blocking: a pipe that took the file's place must not hang the sealer. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The machine's own disk. */
export const diskFiles: InputFiles = {
  resolve: (path) => realpath(path),
  stat: (path) => inputStat(fs.lstatSync(path)),
  list: async (path) => {
    const found = await readdir(path, { withFileTypes: true });
    // As bytes only where a name may not be Unicode: a Buffer for each of many names costs more than all else.
    if (found.some(({ name }) => name.includes(REPLACEMENT))) return await listBytes(path);
    return found.map((item) => ({ name: item.name, unicode: true, kind: kindOf(item) }));
  },
  readSmall: (path, into) => {
    const descriptor = fs.openSync(path, READ_FLAGS);
    try {
      let filled = 0;
      do {
        const read = fs.readSync(descriptor, into, filled, into.length - filled, null);
        if (read === 0) break;
        filled += read;
      } while (filled < into.length - 1);
      return filled;
    } finally {
      fs.closeSync(descriptor);
    }
  },
  open: async (path) => {
    const handle = await open(path, READ_FLAGS);
    return {
      stat: async () => inputStat(await handle.stat()),
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      close: () => handle.close(),
    };
  },
};

/** What bytes that are not UTF-8 become. It may also be in a name itself. */
const REPLACEMENT = "\ufffd";

async function listBytes(path: string): Promise<InputName[]> {
  const found = await readdir(path, { withFileTypes: true, encoding: "buffer" });
  return found.map((item) => ({
    name: item.name.toString(),
    unicode: isUtf8(item.name),
    kind: kindOf(item),
  }));
}

interface Typed {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

function kindOf(item: Typed): InputKind {
  if (item.isFile()) return "file";
  if (item.isDirectory()) return "directory";
  return item.isSymbolicLink() ? "link" : "special";
}

function inputStat(found: Typed & { size: number; mtimeMs: number; mode: number }): InputStat {
  const executable = (found.mode & 0o111) !== 0;
  return { kind: kindOf(found), size: found.size, mtimeMs: found.mtimeMs, executable };
}
