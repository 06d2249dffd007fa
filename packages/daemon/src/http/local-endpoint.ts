import path from "node:path";
import type { LocalEndpoint } from "@backroom/api/client/node-transport.ts";
import type { Random } from "@backroom/core/base/random.ts";
import { readStateFile, writeStateFile } from "@backroom/core/store/state-file.ts";
import { socketPath } from "../process/socket-path.ts";

const MOST_BYTES = 1024;

/**
 * Where a daemon that begins shall listen for the command line. A Unix socket lies in the data folder and is its owner's. A pipe of Windows has a name that every
 * user of the computer can read, and take before we do; so its name is drawn anew each time and stands, with a secret, in a file that only the owner reads:
 * who squats on an old name is never asked, and who finds the new one cannot ask. Raises E_LISTEN, E_STORE, E_DISK_FULL.
 */
export async function makeLocalEndpoint(
  root: string,
  platform: NodeJS.Platform,
  random: Random,
): Promise<LocalEndpoint> {
  if (platform !== "win32") return { socketPath: socketPath(root), secret: null };
  const endpoint = {
    socketPath: `\\\\.\\pipe\\backroom-${random.bytes(16).toString("hex")}`,
    secret: random.bytes(32).toString("base64url"),
  };
  await writeStateFile(pipeFile(root), Buffer.from(JSON.stringify(endpoint)));
  return endpoint;
}

/** Where the daemon of a data folder listens, if one runs; undefined where it is known that none ever did. Raises E_LISTEN, E_STORE. */
export async function findLocalEndpoint(
  root: string,
  platform: NodeJS.Platform,
): Promise<LocalEndpoint | undefined> {
  if (platform !== "win32") return { socketPath: socketPath(root), secret: null };
  const text = await readStateFile(pipeFile(root), MOST_BYTES);
  if (text === undefined) return undefined;
  try {
    const { socketPath, secret } = JSON.parse(text.toString("utf8")) as Record<string, unknown>;
    return typeof socketPath === "string" && typeof secret === "string" ? { socketPath, secret } : undefined;
  } catch {
    return undefined;
  }
}

function pipeFile(root: string): string {
  return path.join(root, "daemon.pipe");
}
