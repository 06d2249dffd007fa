import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Transport } from "./transport.ts";

export interface FetchTransportOptions {
  /** `http://127.0.0.1:PORT`, without a slash at its end; in a browser `location.origin`. */
  readonly origin: string;
  /** Asked for every call: undefined where there is none yet. */
  readonly token: () => string | undefined;
}

/** For pages, and for whoever has an address and a token. Nothing is cached, sent along or followed; nothing of Node is needed. */
export function fetchTransport({ origin, token }: FetchTransportOptions): Transport {
  return {
    send: async ({ method, target, headers, body, signal }) => {
      if (body !== undefined && typeof body !== "string" && !(body instanceof Blob)) {
        throw new BackroomError("E_REQUEST", "only text and files can be sent from here");
      }
      const secret = token();
      const response = await broken("E_NO_DAEMON", signal, () =>
        fetch(origin + target, {
          method,
          headers: secret === undefined ? headers : { ...headers, authorization: `Bearer ${secret}` },
          ...(body === undefined ? {} : { body }),
          ...(signal === undefined ? {} : { signal }),
          cache: "no-store",
          credentials: "omit",
          redirect: "error",
          referrerPolicy: "no-referrer",
        }),
      );
      return {
        status: response.status,
        contentType: response.headers.get("content-type") ?? "",
        body: chunksOf(response.body, signal),
      };
    },
  };
}

/** By hand, since not every browser lets a stream be iterated. */
async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await broken("E_DAEMON", signal, () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function broken<T>(
  code: "E_NO_DAEMON" | "E_DAEMON",
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (signal?.aborted === true) throw new BackroomError("E_INTERRUPTED", "the request was given up");
    throw new BackroomError(
      code,
      code === "E_DAEMON" ? "the connection to the daemon broke" : "the daemon does not answer",
      { cause },
    );
  }
}
