import { request as httpRequest, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { systemCode } from "@backroom/core/base/system-code.ts";
import type { Transport, TransportRequest } from "./transport.ts";

/** Where a daemon listens for the command line of its own user. */
export interface LocalEndpoint {
  /** Of a Unix socket, or the name of a pipe. */
  readonly socketPath: string;
  /** Where the system does not keep others from the socket (pipes of Windows), what proves that one could read the data folder. */
  readonly secret: string | null;
}

/** Nobody is there: the socket is missing, or was left by a daemon that was killed. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTSOCK"]);

/** For the command line: a connection for each call, which ends with it, so that a process never waits for idle ones. */
export function nodeTransport({ socketPath, secret }: LocalEndpoint): Transport {
  return {
    send: async (request) => {
      const answer = await ask(request, socketPath, secret);
      return {
        status: answer.statusCode ?? 0,
        contentType: answer.headers["content-type"] ?? "",
        body: chunksOf(answer, request.signal),
      };
    },
  };
}

function ask(
  { method, target, headers, body, signal }: TransportRequest,
  socketPath: string,
  secret: string | null,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      socketPath,
      method,
      path: target,
      headers: {
        ...headers,
        host: "localhost",
        connection: "close",
        ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
      },
      ...(signal === undefined ? {} : { signal }),
      agent: false,
    });
    let answered = false;
    outgoing.once("response", (answer) => {
      answered = true;
      resolve(answer);
    });
    outgoing.on("error", (error) => reject(brokenBy(error, signal)));
    if (body === undefined || typeof body === "string") {
      outgoing.end(body);
      return;
    }
    // A browser's types do not say that its streams can be iterated; Node's can.
    const bytes = body instanceof Blob ? (body.stream() as unknown as AsyncIterable<Uint8Array>) : body;
    pipeline(bytes, outgoing).catch((error: unknown) => {
      // The daemon may answer, and end the connection, before it has read all: its answer says why.
      if (!answered) reject(brokenBy(error, signal));
    });
  });
}

async function* chunksOf(
  answer: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Buffer;
  } catch (error) {
    throw brokenBy(error, signal);
  } finally {
    answer.destroy();
  }
}

function brokenBy(error: unknown, signal: AbortSignal | undefined): BackroomError {
  if (error instanceof BackroomError) return error;
  if (signal?.aborted === true) return new BackroomError("E_INTERRUPTED", "the request was given up");
  const code = systemCode(error);
  if (code !== undefined && NOBODY.has(code))
    return new BackroomError("E_NO_DAEMON", "the daemon does not answer");
  if (code === "EACCES" || code === "EPERM") {
    return new BackroomError("E_DAEMON", "the daemon of this data folder may not be asked by this user", {
      why: "its socket is for the user alone who started it",
      fix: "run the command as that user, or name another data folder: --data FOLDER",
    });
  }
  return new BackroomError("E_DAEMON", "the connection to the daemon broke", { cause: error });
}
