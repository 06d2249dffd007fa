/** That the catalogue was damaged or gone when it was opened. */
export interface Recovery {
  /** The file that holds what was damaged, for somebody who wants to look; null where there was none. */
  readonly setAside: string | null;
  /** When the backup was made that took its place; null where it began anew. */
  readonly backupMs: number | null;
}

/** What the person is told, once. */
export function recoverySentence({ setAside, backupMs }: Recovery): string {
  const what =
    setAside === null
      ? "The list of transfers was gone."
      : `The list of transfers was damaged; what is left of it was put aside as ${setAside}.`;
  const then =
    backupMs === null
      ? "There was no backup that could be used, so it begins anew."
      : `The backup of ${new Date(backupMs).toISOString()} took its place, without passwords and what was changed since.`;
  return `${what} ${then} Packs in the data folder that it does not name are taken up again; check the disk.`;
}
