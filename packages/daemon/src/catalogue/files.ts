import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import path from "node:path";

/** What SQLite puts beside the file, with the same mode. */
const COMPANIONS = ["-wal", "-shm", "-journal"];

/** Where the catalogue and its backups lie: a folder of their own, so that nothing else looks after them. */
export interface CatalogueFiles {
  readonly folder: string;
  /** The catalogue itself. */
  readonly main: string;
}

/** Where the catalogue of a data folder lies. */
export function catalogueIn(dataFolder: string): CatalogueFiles {
  const folder = path.join(dataFolder, "catalogue");
  return { folder, main: path.join(folder, "catalogue.db") };
}

/** Makes the folder, for its owner alone. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // It may be there with another mode: unpacked from somebody's backup, say.
  chmodSync(folder, 0o700);
}

/** Makes the file for its owner alone: SQLite would make it readable by others, and gives what lies beside it the same mode. */
export function makePrivate(file: string): void {
  closeSync(openSync(file, "a", 0o600));
  for (const one of [file, ...companionsOf(file)]) chmodSync(one, 0o600);
}

/** Gives a file and what lies beside it another name in the same folder. */
export function renameWhole(file: string, to: string): void {
  for (const end of ["", ...COMPANIONS]) if (existsSync(file + end)) renameSync(file + end, to + end);
}

/** Removes a file and what lies beside it. */
export function removeWhole(file: string): void {
  for (const one of [file, ...companionsOf(file)]) rmSync(one, { force: true });
}

/** The names of what lies beside a file, also where the file itself is gone. */
export function companionsOf(file: string): string[] {
  return COMPANIONS.map((end) => file + end).filter((one) => existsSync(one));
}

/** Makes a file's content outlast a power cut. */
export function syncFile(file: string): void {
  const descriptor = openSync(file, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes new names in a folder outlast a power cut. Windows cannot open folders and needs no such thing. */
export function syncNames(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
