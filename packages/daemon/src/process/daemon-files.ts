import path from "node:path";

/** Files of the daemon in its data folder. */
export function logFile(root: string): string {
  return path.join(root, "daemon.log");
}

export function lockFile(root: string): string {
  return path.join(root, "daemon.lock");
}

export function runtimeFile(root: string): string {
  return path.join(root, "daemon.json");
}
