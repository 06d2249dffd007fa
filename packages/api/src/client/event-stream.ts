import { createParser, type EventSourceMessage } from "eventsource-parser";

/** The messages of a `text/event-stream`, and `undefined` for each comment, which shows that the other side is still there. */
export async function* eventsOf(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<EventSourceMessage | undefined> {
  const found: (EventSourceMessage | undefined)[] = [];
  const parser = createParser({
    onEvent: (event) => found.push(event),
    onComment: () => found.push(undefined),
  });
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* found.splice(0);
  }
}
