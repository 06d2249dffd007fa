import { runDaemon } from "@backroom/daemon/daemon.ts";
import { givenSettings } from "../config/settings-access.ts";
import { admitMachine } from "../machine/admit.ts";
import type { Session } from "../session.ts";
import { VERSION } from "../version.ts";
import { sayReady } from "./ready-line.ts";

/** What still runs this long after the daemon has given back all that it held is not worth waiting for. */
const LINGER_MS = 500;

export interface RunHereOptions {
  readonly readyFd?: number;
}

/** `daemon run`. Raises as `runDaemon`; whoever waits at the descriptor is told so first. */
export async function runHere(session: Session, { readyFd }: RunHereOptions): Promise<void> {
  const { terminal, signal, dataFolder } = session;
  const tell = (failure?: unknown): void => {
    if (readyFd !== undefined) sayReady(readyFd, failure);
  };
  let isReady = false;
  try {
    await admitMachine(session);
    await runDaemon({
      dataFolder,
      version: VERSION,
      ...givenSettings(session),
      signal,
      onReady({ root, page }) {
        isReady = true;
        terminal.note(`The daemon runs, with its data in ${root}. Press Ctrl-C to stop it.`);
        if (page !== null) terminal.note(`Its page: ${page}`);
        terminal.event("ready", { pid: process.pid, page });
        tell();
      },
    });
  } catch (error) {
    if (!isReady) tell(error);
    throw error;
  }
  terminal.note("Stopped.");
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
