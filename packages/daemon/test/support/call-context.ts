import type { CallContext } from "@backroom/api/routes.ts";

/** A call as the command line makes it, without a stream. */
export function callContext(more: Partial<CallContext> = {}): CallContext {
  return {
    signal: new AbortController().signal,
    stream: nothing(),
    tokenId: null,
    reach: null,
    host: null,
    address: "",
    ...more,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
