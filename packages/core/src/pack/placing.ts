/** What is about to appear at the place where a pack is opened. */
export interface Placing {
  readonly path: string;
  /** The number that its file system knows it by, before and after it is renamed. */
  readonly fileId: string;
  /** Of the share. */
  readonly name: string;
  readonly fileCount: number;
  readonly fileBytes: number;
}
