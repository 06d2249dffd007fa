import { systemFacts } from "@backroom/daemon/doctor/system-facts.ts";
import { daemonAccess } from "./daemon-access.ts";
import { interruptSignal } from "./ui/interrupt.ts";
import type { World } from "./world.ts";

const { stdin, stdout, stderr, env } = process;

/** This process and its computer. */
export const processWorld: World = {
  stdin,
  stdout,
  stderr,
  env,
  facts: systemFacts,
  interrupted: interruptSignal,
  endSoon: (afterMs) => void setTimeout(() => process.exit(0), afterMs).unref(),
  daemon: daemonAccess,
};
