import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { BackroomError } from "../base/errors.ts";

export interface LogFile {
  /** Appends a line. Never throws: a log that cannot be written must not end what it reports on. */
  write(line: string): void;
  close(): void;
}

/**
 * A log file that never takes more than twice `mostBytes`: when it is full it becomes `FILE.1`, in the place of the one before. Lines are written at
 * once, so a crash loses none. Only its owner may read it. Raises E_FILE when it cannot be opened.
 */
export function openLogFile(file: string, mostBytes: number): LogFile {
  let descriptor: number | undefined;
  let size = 0;
  /** A terminal, a pipe or /dev/null has no size to bound, and is not ours to move. */
  let rotates = false;

  function open(): void {
    descriptor = openSync(file, "a", 0o600);
    const stat = fstatSync(descriptor);
    size = stat.size;
    rotates = stat.isFile();
  }

  function rotate(): void {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
    renameSync(file, `${file}.1`);
    open();
  }

  try {
    open();
  } catch (cause) {
    throw new BackroomError("E_FILE", "the log file cannot be opened", { cause });
  }
  return {
    write(line) {
      const bytes = Buffer.from(line);
      try {
        if (rotates && size > 0 && size + bytes.length > mostBytes) rotate();
        if (descriptor !== undefined) size += writeSync(descriptor, bytes);
      } catch {
        // The disk is full, or the folder went away: the lines are lost, and the program goes on.
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}
