import { createHash } from "node:crypto";
import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";

/** What every system takes: `sun_path` has 104 bytes on macOS, 108 on Linux, its end included. */
const MOST_BYTES = 103;

/**
 * Where the daemon of a data folder is spoken to: a socket in the folder, which only the folder's owner may enter, or on Windows a pipe whose name
 * comes from the folder's. `root` is absolute. Raises E_LISTEN for a folder whose path is too long for a socket.
 */
export function socketPath(root: string, platform: NodeJS.Platform): string {
  if (platform === "win32") {
    // Windows takes the same folder in any case.
    const name = createHash("sha256").update(root.toLowerCase()).digest("hex").slice(0, 32);
    return `\\\\.\\pipe\\backroom-${name}`;
  }
  const socket = path.posix.join(root, "daemon.sock");
  if (Buffer.byteLength(socket) <= MOST_BYTES) return socket;
  throw new BackroomError("E_LISTEN", "the path of the data folder is too long for the daemon's socket", {
    why: `the system takes ${MOST_BYTES} bytes for the path of a socket, which lies in the data folder`,
    fix: "name a data folder with a shorter path: --data FOLDER",
  });
}
