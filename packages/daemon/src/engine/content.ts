/** What the content port and previews read: files of shares, also while they arrive. */
export interface ShareContent {
  /**
   * One file of a transfer by its path inside the share. Raises E_NO_TRANSFER, E_NO_FILE where the share holds no such file, E_NOT_HELD where neither
   * the pack nor the file is here any more, E_NO_KEY where this computer cannot read the share, and what reading raises.
   * While the share arrives this waits for its index, until `signal` is aborted.
   */
  open(transferId: string, path: string, signal: AbortSignal): Promise<ContentFile>;
}

export interface ContentFile {
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number | null;
  /**
   * The bytes from `start` up to but without `end`, in order. What is not there yet is waited for, and comes before everything else. Raises what
   * reading raises, E_INTERRUPTED once `signal` of `open` is aborted.
   */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}
