import { BackroomError } from "@backroom/core/base/errors.ts";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Environment } from "./environment.ts";
import type { EventHub } from "./event-hub.ts";

/**
 * Answers with events for as long as the client listens, reads, and may (`isAllowed`, asked anew before everything that is sent). Written without the
 * framework, whose streams go on reading for a client that does not. Raises E_BUSY, E_REQUEST.
 */
export async function sendEvents(
  { incoming, outgoing }: Environment,
  events: EventHub,
  isAllowed: () => boolean,
): Promise<Response> {
  // Nobody would see an end of it.
  if (incoming.method !== "GET") throw new BackroomError("E_REQUEST", "events are asked for with GET");
  const lastId = incoming.headers["last-event-id"];
  const subscription = events.subscribe(typeof lastId === "string" ? lastId : undefined);
  const end = (): void => subscription.close();
  outgoing.once("close", end);
  // Cut off, since a client that does not read does not see a polite end either.
  subscription.dropped.addEventListener("abort", () => outgoing.destroy());
  outgoing.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
  outgoing.flushHeaders();
  for (;;) {
    const text = await subscription.next();
    if (text === undefined || outgoing.destroyed || !isAllowed()) break;
    if (!outgoing.write(text)) await drained(outgoing);
  }
  subscription.close();
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}

function drained(outgoing: Environment["outgoing"]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
  });
}
