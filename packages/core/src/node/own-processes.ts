import { OWN_PROCESS_ARGUMENT, type OwnProcess } from "../net/own-process.ts";

const PROCESSES: Readonly<Record<OwnProcess, () => Promise<unknown>>> = {
  dht: () => import("../net/dht/child.ts"),
  "port-mapping": () => import("../net/port-mapping/child.ts"),
};

/** In the single executable: becomes one of the processes that the program starts beside itself, where the first argument says so. */
export async function becameOwnProcess(argument: string | undefined): Promise<boolean> {
  if (argument?.startsWith(OWN_PROCESS_ARGUMENT) !== true) return false;
  const name = argument.slice(OWN_PROCESS_ARGUMENT.length);
  if (!Object.hasOwn(PROCESSES, name)) return false;
  await PROCESSES[name as OwnProcess]();
  return true;
}
