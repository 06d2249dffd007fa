import { systemCode } from "./system-code.ts";

/** Whether there is a process of that number, also one of another user (EPERM). Numbers are used again: it need not be the one that was meant. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}
