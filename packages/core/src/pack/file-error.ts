import { BackroomError, isBackroomError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";

/**
 * The project's error for a failed file operation: E_DISK_FULL, E_UNSAFE_PATH for a name that this file system cannot hold, else E_FILE.
 * Errors of ours pass unchanged. `what` names no path: the system's own message, which does, stays in `cause`.
 */
export function fileError(cause: unknown, what: string): BackroomError {
  if (isBackroomError(cause)) return cause;
  switch (systemCode(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return new BackroomError("E_DISK_FULL", what, { cause });
    case "EFBIG":
      return new BackroomError("E_FILE", what, {
        cause,
        why: "this file system cannot hold a file this large",
      });
    case "ENAMETOOLONG":
    case "EILSEQ":
    case "EINVAL":
      return new BackroomError("E_UNSAFE_PATH", what, {
        cause,
        why: "this file system cannot hold a name of the share",
      });
    default:
      return new BackroomError("E_FILE", what, { cause });
  }
}
