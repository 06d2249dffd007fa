/** What the system's own supervisor is asked to run, the same for each platform. */
export interface ServiceSpec {
  /** A program and its arguments; all paths are absolute. */
  readonly command: readonly string[];
  readonly dataFolder: string;
  /** Where the daemon may write besides. */
  readonly writableFolders: readonly string[];
}
