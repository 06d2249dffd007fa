import { setTimeout as sleep } from "node:timers/promises";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { BackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import type { Client } from "@backroom/api/client/client.ts";

/** Events tell sooner; this is for those that came before anybody listened, and to notice that the daemon is gone. */
const ASK_MS = 1_000;

export interface Follower {
  /** Called with the first state and whenever something is another one. */
  onChange(transfer: Transfer): void;
  onNotice(level: "note" | "warn", text: string): void;
}

/**
 * Follows a transfer until `isThere`. Raises its failure where it fails, E_INTERRUPTED when `signal` is aborted (the transfer goes on), and what the
 * client raises.
 */
export async function followTransfer(
  client: Client,
  id: string,
  isThere: (transfer: Transfer) => boolean,
  follower: Follower,
  signal: AbortSignal,
): Promise<Transfer> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const events = client.events({ signal: either })[Symbol.asyncIterator]();
  try {
    let next = nextOf(events);
    for (;;) {
      const transfer = await client.call("getTransfer", { id });
      follower.onChange(transfer);
      if (transfer.state === "failed") throw failureOf(transfer);
      if (isThere(transfer)) return transfer;
      const askAt = performance.now() + ASK_MS;
      for (let asks = false; !asks;) {
        const timeout = sleep(Math.max(0, askAt - performance.now()), undefined, { signal: either });
        const event = await Promise.race([next, timeout.catch(() => undefined)]);
        if (signal.aborted) throw new BackroomError("E_INTERRUPTED", "the command was stopped");
        if (event !== undefined) next = nextOf(events);
        if (event?.name === "notice" && event.data.transfer === id)
          follower.onNotice(event.data.level, event.data.text);
        asks = event === undefined || concerns(event, id);
      }
    }
  } finally {
    ended.abort();
    // One that has given an event which nobody asked for any more waits to be asked on; its timers would keep the process.
    void events.return?.(undefined)?.catch(() => {});
  }
}

/** Whoever gave up waiting for it must not be met by its failure later. Without more events there is the clock. */
function nextOf(events: AsyncIterator<ApiEvent>): Promise<ApiEvent | undefined> {
  const next = events
    .next()
    .then(({ done, value }) => (done === true ? new Promise<undefined>(() => {}) : value));
  next.catch(() => {});
  return next;
}

function concerns(event: ApiEvent, id: string): boolean {
  if (event.name === "reset") return true;
  if (event.name !== "transfers") return false;
  return event.data.removed.includes(id) || event.data.changed.some((one) => one.id === id);
}

/** What made it fail, as the daemon tells it. */
function failureOf({ failure }: Transfer): BackroomError {
  if (failure === null) return new BackroomError("E_INTERNAL", "the transfer failed and nobody knows why");
  const { code, what, why, fix } = failure;
  return new BackroomError(code as ErrorCode, what, { why, fix });
}
