import { BackroomError, isBackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import { storeError } from "@backroom/core/store/store-error.ts";

/** SQLite's primary result codes (sqlite.org/rescode.html) that say more than that something went wrong. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  5: "E_LOCKED", // BUSY
  6: "E_LOCKED", // LOCKED
  11: "E_CATALOGUE_DAMAGED", // CORRUPT
  13: "E_DISK_FULL", // FULL
  26: "E_CATALOGUE_DAMAGED", // NOTADB
};
const PRIMARY = 0xff;

/**
 * What goes wrong with the catalogue's file as an error of ours, whose text holds neither path nor content: SQLite's may hold both. Errors of ours pass
 * unchanged, and so does what is a fault of the program.
 */
export function catalogueError(error: unknown, what: string): unknown {
  if (isBackroomError(error)) return error;
  const result = resultOf(error);
  if (result !== undefined) {
    const code = CODES[result & PRIMARY] ?? "E_STORE";
    return code === "E_STORE"
      ? new BackroomError(code, what, { why: `SQLite answered ${result}` })
      : new BackroomError(code, what);
  }
  return isSystemError(error) ? storeError(error, what) : error;
}

/** Runs `work` and turns what it throws into errors of ours. */
export function withCatalogueErrors<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw catalogueError(error, what);
  }
}

export function damaged(what: string): BackroomError {
  return new BackroomError("E_CATALOGUE_DAMAGED", what);
}

/** SQLite's extended result code, where the error is SQLite's. */
function resultOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
