import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";

/** What every system takes: `sun_path` has 104 bytes on macOS, 108 on Linux, its end included. */
const MOST_BYTES = 103;

/**
 * The Unix socket of a data folder's daemon: in the folder, which only its owner may enter. `root` is absolute. Raises E_LISTEN for a folder whose path is too
 * long for a socket.
 */
export function socketPath(root: string): string {
  const socket = path.posix.join(root, "daemon.sock");
  if (Buffer.byteLength(socket) <= MOST_BYTES) return socket;
  throw new BackroomError("E_LISTEN", "the path of the data folder is too long for the daemon's socket", {
    why: `the system takes ${MOST_BYTES} bytes for the path of a socket, which lies in the data folder`,
    fix: "name a data folder with a shorter path: --data FOLDER",
  });
}
