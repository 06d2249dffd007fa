/** The system's code of an error (`ENOENT` …), if it has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user is not allowed to",
  EPERM: "this user is not allowed to",
  EROFS: "the file system can only be read",
  ENOTDIR: "something that is no folder has the place of one",
  EEXIST: "something that is no folder has the place of one",
  ELOOP: "symbolic links lead in a circle there",
  ENAMETOOLONG: "the path is too long for the system",
  EIO: "the disk fails",
  EMFILE: "this process has as many files open as it may",
  ENFILE: "the system has as many files open as it can",
};

/** Why the system refused something about a file or folder, with its code, as the end of a sentence. */
export function systemReason(error: unknown): string {
  const code = systemCode(error);
  const reason = code === undefined ? undefined : REASONS[code];
  if (reason !== undefined) return `${reason} (${code})`;
  return `the system answered ${code ?? "with an unknown error"}`;
}
