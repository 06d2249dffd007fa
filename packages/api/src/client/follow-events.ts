import type { Clock } from "@backroom/core/base/clock.ts";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { EVENTS_PATH, HEARTBEAT_MS } from "../places.ts";
import type { ApiEvent } from "../schemas/event.ts";
import { ApiProblem, problemOf } from "./api-problem.ts";
import { textOf } from "./body-text.ts";
import { eventsOf } from "./event-stream.ts";
import type { Transport } from "./transport.ts";

/** After the last sign of life of a connection that looks open: three heartbeats. */
const SILENCE_MS = 3 * HEARTBEAT_MS;
const FIRST_WAIT_MS = 250;
const MOST_WAIT_MS = 8_000;

export interface FollowOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Told when a connection stands, and when it broke. */
  readonly onConnected?: ((isConnected: boolean) => void) | undefined;
  readonly clock?: Pick<Clock, "after">;
}

/**
 * The daemon's events. A connection that breaks or falls silent is made anew, from where it broke; what then follows begins with `reset` where
 * too much was missed. Raises what the transport raises where the first connection cannot be made, and ApiProblem where the daemon refuses.
 */
export async function* followEvents(
  transport: Transport,
  { signal, onConnected, clock = timers }: FollowOptions = {},
): AsyncGenerator<ApiEvent> {
  const state: Following = { lastId: undefined, stood: false, waitMs: FIRST_WAIT_MS };
  while (!isAborted(signal)) {
    try {
      yield* oneConnection(transport, state, { signal, onConnected, clock });
    } catch (error) {
      if (isAborted(signal)) return;
      if (!state.stood || !isPassing(error)) throw error;
    }
    onConnected?.(false);
    await sleep(state.waitMs, signal, clock);
    state.waitMs = Math.min(2 * state.waitMs, MOST_WAIT_MS);
  }
}

interface Following {
  lastId: string | undefined;
  /** Whether there ever was a connection. */
  stood: boolean;
  waitMs: number;
}

async function* oneConnection(
  transport: Transport,
  state: Following,
  {
    signal,
    onConnected,
    clock,
  }: Pick<FollowOptions, "signal" | "onConnected"> & { clock: Pick<Clock, "after"> },
): AsyncGenerator<ApiEvent> {
  const silent = new AbortController();
  let cancel = clock.after(SILENCE_MS, () => silent.abort());
  try {
    const answer = await transport.send({
      method: "GET",
      target: EVENTS_PATH,
      headers: {
        accept: "text/event-stream",
        ...(state.lastId === undefined ? {} : { "last-event-id": state.lastId }),
      },
      body: undefined,
      signal: signal === undefined ? silent.signal : AbortSignal.any([signal, silent.signal]),
    });
    if (answer.status !== 200) throw problemOf(answer.status, answer.contentType, await textOf(answer.body));
    state.stood = true;
    onConnected?.(true);
    for await (const message of eventsOf(answer.body)) {
      cancel();
      state.waitMs = FIRST_WAIT_MS;
      if (message !== undefined) {
        state.lastId = message.id ?? state.lastId;
        // Without a timer: whoever takes no more events is not the daemon's silence, and nothing may keep a program awake then.
        yield { name: message.event, data: JSON.parse(message.data) as unknown } as ApiEvent;
      }
      cancel = clock.after(SILENCE_MS, () => silent.abort());
    }
  } finally {
    cancel();
  }
}

/** What may be otherwise the next time: a daemon that restarts, a connection that fell silent. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiProblem) return error.retry === "later";
  return isBackroomError(error) && error.code !== "E_REQUEST";
}

/** A function, since the compiler takes what `signal` was a while ago for what it is. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function sleep(ms: number, signal: AbortSignal | undefined, clock: Pick<Clock, "after">): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done);
  });
}

/** Of browsers and Node alike, which is why it is not the core's. */
const timers: Pick<Clock, "after"> = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
