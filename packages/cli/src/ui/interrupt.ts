/**
 * The first Ctrl-C (or TERM, or HUP) asks the command to stop where it can be resumed; a second one ends the process at once.
 * Where another process of ours started this one, its end of the channel between them counts as asking, too.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  let asked = false;
  const stop = (): void => {
    // The command did not stop in time and somebody insists: there is nothing left to wait for.
    if (asked) process.kill(process.pid, "SIGKILL");
    asked = true;
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  process.once("disconnect", () => controller.abort());
  process.channel?.unref();
  return controller.signal;
}
