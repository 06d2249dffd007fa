/**
 * The first Ctrl-C (or TERM, or HUP) asks the command to stop where it can be resumed; a second one ends the process at once.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    // The command did not stop in time and somebody insists: there is nothing left to wait for.
    if (controller.signal.aborted) process.kill(process.pid, "SIGKILL");
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  return controller.signal;
}
