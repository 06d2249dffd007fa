import type { IncomingMessage } from "node:http";
import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";

/** Raises E_REQUEST unless the request says that its body is exactly that, and sends it as it is. */
export function expectType({ headers }: IncomingMessage, type: string): void {
  if (headers["content-type"] !== type) {
    throw new BackroomError("E_REQUEST", `the body has to be ${type}, and the header to say so`);
  }
  if (headers["content-encoding"] !== undefined) {
    throw new BackroomError("E_REQUEST", "the body must not be compressed");
  }
}

/** Raises E_REQUEST where there is a body that nobody asked for. */
export function expectNoBody({ headers }: IncomingMessage): void {
  if (headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0") {
    throw new BackroomError("E_REQUEST", "the operation takes no body");
  }
}

/** The body as JSON. Raises E_REQUEST for anything else, for one that does not come in time; E_TOO_LARGE. */
export async function readJson(incoming: IncomingMessage, clock: Pick<Clock, "after">): Promise<unknown> {
  if (Number(incoming.headers["content-length"] ?? 0) > LIMITS.apiBodyBytes) throw tooLarge();
  const bytes = await readAll(incoming, clock);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // Not the parser's words, which quote what was sent.
    throw new BackroomError("E_REQUEST", "the body is not JSON");
  }
}

function readAll(incoming: IncomingMessage, clock: Pick<Clock, "after">): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (error?: BackroomError): void => {
      cancel();
      incoming.off("data", onData);
      if (error === undefined) resolve(Buffer.concat(chunks));
      else {
        incoming.pause();
        reject(error);
      }
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > LIMITS.apiBodyBytes) end(tooLarge());
      else chunks.push(chunk);
    };
    const cancel = clock.after(LIMITS.apiBodyMs, () =>
      end(new BackroomError("E_REQUEST", "the body did not come in time")),
    );
    incoming.on("data", onData);
    incoming.once("end", () => end());
    incoming.once("close", () => end(new BackroomError("E_REQUEST", "the body was cut off")));
  });
}

/** The body as it comes. Leaving it early does not close the connection: the answer still has to go out. Raises E_REQUEST where it is cut off. */
export async function* bytesOf(incoming: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } catch {
    throw new BackroomError("E_REQUEST", "the body was cut off");
  }
}

function tooLarge(): BackroomError {
  return new BackroomError("E_TOO_LARGE", "the body is too large");
}
