import type { Client } from "@backroom/api/client/client.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Session } from "./session.ts";

/** How a command comes by the daemon of its data folder. */
export interface DaemonAccess {
  /** The one that runs, or undefined. */
  find(): Promise<Client | undefined>;
  /** The one that runs; raises E_NO_DAEMON where none does. For whatever is of no use without one, and must not start what somebody stopped. */
  need(): Promise<Client>;
  /** The same, but where none runs it is started, and that is said. Not before `check`: what is plainly wrong with a command is no reason to start one. */
  ensure(check?: () => Promise<void>): Promise<Client>;
}

/** By way of the data folder's socket. The client is loaded when it is asked for. */
export function daemonAccess(
  session: Pick<Session, "dataFolder" | "proxy" | "lan" | "terminal">,
): DaemonAccess {
  const find = async (): Promise<Client | undefined> => {
    const { findDaemon } = await import("./daemon-client.ts");
    return findDaemon(session);
  };
  return {
    find,
    async need() {
      const client = await find();
      if (client === undefined) throw new BackroomError("E_NO_DAEMON", "no daemon runs for this data folder");
      return client;
    },
    async ensure(check) {
      const { ensureDaemon } = await import("./daemon-client.ts");
      return ensureDaemon(session, check);
    },
  };
}
