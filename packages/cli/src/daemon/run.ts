import { runDaemon } from "@backroom/daemon/daemon.ts";
import { givenSettings } from "../config/settings-access.ts";
import { admitMachine } from "../machine/admit.ts";
import type { Session } from "../session.ts";
import { VERSION } from "../version.ts";
import { failureOf, sayReady, type ReadyLine } from "./ready-line.ts";

/** What still runs this long after the daemon has given back all that it held is not worth waiting for. */
const LINGER_MS = 500;

export interface RunHereOptions {
  readonly readyFd?: number;
}

/** `daemon run`. Raises as `runDaemon`; whoever waits at the descriptor is told so first. */
export async function runHere(session: Session, { readyFd }: RunHereOptions): Promise<void> {
  const { terminal, signal, dataFolder } = session;
  const tell = (outcome: ReadyLine): void => {
    if (readyFd !== undefined) sayReady(readyFd, outcome);
  };
  let isReady = false;
  try {
    await admitMachine(session);
    await runDaemon({
      dataFolder,
      version: VERSION,
      ...givenSettings(session),
      signal,
      onOverdue: () => process.exit(1),
      onReady({ root, page, warnings }) {
        isReady = true;
        terminal.note(`The daemon runs, with its data in ${root}. Press Ctrl-C to stop it.`);
        if (page !== null) terminal.note(`Its page: ${page}`);
        terminal.event("ready", { pid: process.pid, page });
        for (const text of warnings) terminal.warn(text);
        tell({ warnings });
      },
    });
  } catch (error) {
    if (!isReady) tell(failureOf(error));
    throw error;
  }
  terminal.note("Stopped.");
  session.endSoon(LINGER_MS);
}
