import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Answer, Request, RouteName } from "../routes.ts";
import type { ApiEvent } from "../schemas/event.ts";
import { problemOf } from "./api-problem.ts";
import { textOf } from "./body-text.ts";
import { followEvents, type FollowOptions } from "./follow-events.ts";
import { requestFor } from "./request.ts";
import type { SentBytes, Transport, TransportAnswer } from "./transport.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** The body of an operation that takes bytes. */
  readonly bytes?: SentBytes | undefined;
}

/** The input may be left out where nothing in it has to be given. */
type Given<Name extends RouteName> =
  Record<string, never> extends Request<Name>
    ? [input?: Request<Name>, options?: CallOptions]
    : [input: Request<Name>, options?: CallOptions];

/**
 * Asks the daemon. Raises ApiProblem (a BackroomError with the daemon's code and sentences) for what it refuses, and what the transport raises.
 * Answers are taken as the daemon's word: both come from one version, and `status` says which.
 */
export interface Client {
  call<Name extends RouteName>(name: Name, ...given: Given<Name>): Promise<Answer<Name>>;
  /** What happens from now on, for as long as it is listened to; connections that break are made anew. Begins with `reset`. */
  events(options?: FollowOptions): AsyncIterable<ApiEvent>;
}

export function createClient(transport: Transport): Client {
  return {
    call: async (name, ...given) => {
      const [input, { bytes, signal } = {}] = given;
      const request = requestFor(name, input ?? {}, bytes, signal);
      return answerOf(await transport.send(request));
    },
    events: (options) => followEvents(transport, options),
  };
}

async function answerOf<T>(answer: TransportAnswer): Promise<T> {
  const text = await textOf(answer.body);
  if (answer.status !== 200 || answer.contentType !== "application/json") {
    throw problemOf(answer.status, answer.contentType, text);
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new BackroomError("E_DAEMON", "the daemon's answer is cut off");
  }
}
