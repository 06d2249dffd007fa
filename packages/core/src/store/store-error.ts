import { BackroomError, isBackroomError } from "../base/errors.ts";
import { systemCode, systemReason } from "../base/system-code.ts";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * What goes wrong with files, as E_DISK_FULL or E_STORE; errors of ours pass unchanged. The system's error is not kept as a cause,
 * since its text holds a path, and the path of a pack names the share.
 */
export function storeError(error: unknown, what: string): BackroomError {
  if (isBackroomError(error)) return error;
  const code = systemCode(error);
  if (code !== undefined && FULL.has(code)) return new BackroomError("E_DISK_FULL", what);
  return new BackroomError("E_STORE", what, { why: systemReason(error) });
}

/** Runs `work` and turns what it throws into errors of ours. */
export async function withStoreErrors<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(error, what);
  }
}
