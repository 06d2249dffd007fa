import type { Log } from "../base/log.ts";

/** The stages of work that have a progress bar. */
export type Stage = "sealing" | "downloading" | "opening";

/**
 * How the functions of this layer tell somebody what goes on. Called often and synchronously; must not throw. Nothing passed here
 * holds a key, an address or a circuit's route; `note` and `warn` are sentences for people.
 */
export interface Hooks {
  progress(stage: Stage, done: number, total: number, note?: string): void;
  note(text: string): void;
  warn(text: string): void;
  /** What goes on just now where nothing can be counted; one that ends in “…” waits for something. */
  status(text: string): void;
  /** A step that programs wait for (docs/CLI.md lists them). */
  event(name: string, data: Record<string, unknown>): void;
  /**
   * Asks for consent where going on hides less than people expect. `flag` is the option that answers beforehand.
   * Resolves false when there is nobody to ask.
   */
  confirm(question: string, flag: string): Promise<boolean>;
  /** For whoever looks after the program, of all that happens below. */
  readonly log: Log;
}
