import fs, { constants, type Stats } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";

export type InputKind = "file" | "directory" | "link" | "special";

export interface InputStat {
  readonly kind: InputKind;
  readonly size: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
}

/**
 * The files that are sealed, as the sealer sees them; passed in, so that tests can have files that are too large to exist or that change.
 * Failures are the system's own errors. Nothing is written, and links below a root are never followed.
 */
export interface InputFiles {
  /** The path with all links resolved. */
  resolve(path: string): Promise<string>;
  stat(path: string): Promise<InputStat>;
  /** Names as the disk has them, in any order. */
  list(path: string): Promise<{ readonly name: Buffer; readonly kind: InputKind }[]>;
  open(path: string): Promise<InputFile>;
}

export interface InputFile {
  stat(): Promise<InputStat>;
  /** Reads up to `into.length` bytes at `position` into `into`; 0 at the end. */
  read(into: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * The machine's own disk. Descriptors and callbacks instead of FileHandles: with a hundred thousand small files, these cost half.
 */
export const diskFiles: InputFiles = {
  resolve: (path) => realpath(path),
  stat: async (path) => inputStat(await lstat(path)),
  list: async (path) => {
    const found = await readdir(path, { withFileTypes: true, encoding: "buffer" });
    return found.map((item) => ({ name: item.name, kind: kindOf(item) }));
  },
  open: async (path) => {
    // Not blocking: a pipe that took the file's place must not hang the sealer.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    const descriptor = await called<number>((done) => fs.open(path, flags, done));
    return {
      stat: async () => inputStat(await called<Stats>((done) => fs.fstat(descriptor, done))),
      read: (into, position) => called((done) => fs.read(descriptor, into, 0, into.length, position, done)),
      close: () => called((done) => fs.close(descriptor, (error) => done(error))),
    };
  },
};

function called<T>(start: (done: (error: Error | null | undefined, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null || error === undefined ? resolve(value as T) : reject(error)));
  });
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
