import type { MachineFacts } from "@backroom/daemon/doctor/machine-facts.ts";
import type { Session } from "./session.ts";
import type { DaemonAccess } from "./daemon-access.ts";

/** What a command line meets outside of itself: the process' own, or what a test puts in its place. */
export interface World {
  readonly stdin: Pick<NodeJS.ReadStream, "isTTY">;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly facts: Pick<MachineFacts, "memory">;
  /** Aborted when the person, or the system, wants the command to stop. Asked for once. */
  interrupted(): AbortSignal;
  /** Ends the process after so many milliseconds, well. */
  endSoon(afterMs: number): void;
  /** The daemon of the data folder that the session is for. */
  daemon(session: Pick<Session, "dataFolder" | "proxy" | "lan" | "terminal">): DaemonAccess;
}
