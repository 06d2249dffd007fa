import type { Command } from "commander";
import type { DaemonAccess } from "./daemon-access.ts";
import type { MachineFacts } from "@backroom/daemon/doctor/machine-facts.ts";
import type { Terminal } from "./ui/terminal.ts";

/** What every command gets. `signal` is aborted by the first Ctrl-C; the second one ends the process at once. */
export interface Session {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** As given with --data, or undefined for the platform's folder. */
  readonly dataFolder: string | undefined;
  /** As given with --proxy or in BACKROOM_PROXY, or undefined for the one that is kept. */
  readonly proxy: string | undefined;
  /** Whether --lan was given. */
  readonly lan: boolean;
  /** The environment, with what options say that others read there. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether --accept-risk was given. */
  readonly acceptRisk: boolean;
  readonly facts: Pick<MachineFacts, "memory">;
  readonly daemon: DaemonAccess;
  /** Ends the process after so many milliseconds, whatever still hangs then; for what somebody waits for with a finger on a key. */
  endSoon(afterMs: number): void;
  /** The whole tree of commands, for what tells about it. */
  program(): Promise<Command>;
}

/** Registers a command's work: it runs once the whole command line has been read. */
export type Run = (action: (session: Session) => Promise<void>) => void;

/** Each file of `commands/` exports one of these. */
export type AddCommand = (program: Command, run: Run) => void;
