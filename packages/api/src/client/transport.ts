import type { Place } from "../places.ts";

/** Bytes to send: what lies on a disk (a browser's `File` is a Blob), or what comes as it comes. Browsers send Blobs only. */
export type SentBytes = Blob | AsyncIterable<Uint8Array>;

export interface TransportRequest {
  readonly method: Place["method"];
  /** Path and query, as they go on the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON as text, or bytes. */
  readonly body: string | SentBytes | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface TransportAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Has to be read to its end or left (`return`), which closes the connection. Raises E_DAEMON when that breaks. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** How a client reaches the daemon. Adds whatever proves that it may. Raises E_NO_DAEMON where nobody listens, E_DAEMON where the connection breaks. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportAnswer>;
}
