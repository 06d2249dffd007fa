import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { Client } from "@backroom/api/client/client.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import { shortId } from "./short-id.ts";

/**
 * Runs what waits for a transfer of the daemon. Ctrl-C ends the waiting: the transfer goes on, which is said, or is paused where that was asked for.
 * Raises E_INTERRUPTED then, and what `wait` raises.
 */
export async function outlived<T>(
  client: Client,
  { id }: Pick<Transfer, "id">,
  pauses: boolean,
  wait: () => Promise<T>,
): Promise<T> {
  try {
    return await wait();
  } catch (error) {
    if (!isBackroomError(error, "E_INTERRUPTED")) throw error;
    const short = shortId(id);
    if (pauses) {
      await client.call("pause", { id });
      throw new BackroomError("E_INTERRUPTED", `the transfer ${short} is paused`, {
        why: "this command was stopped, and --stop-on-exit was given",
        fix: `go on with: backroom resume ${short}`,
      });
    }
    throw new BackroomError("E_INTERRUPTED", `this command stopped waiting; the transfer ${short} goes on`, {
      why: "the daemon carries transfers, and commands only look at them",
      fix: `see it: backroom info ${short}; stop it: backroom pause ${short}, or rm instead of pause`,
    });
  }
}
