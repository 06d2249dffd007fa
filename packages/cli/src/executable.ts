/**
 * Where the single executable begins (`npm run build:exe`), instead of `main.js`: Node's options and compiled code are built in, and the processes that the
 * program starts beside itself are this executable once more.
 */
import { becameOwnProcess } from "@backroom/core/node/own-processes.ts";

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (await becameOwnProcess(args[0])) return;
  const { runCommandLine } = await import("./program.ts");
  const { processWorld } = await import("./process-world.ts");
  process.exitCode = await runCommandLine(args, processWorld);
}

void main();
