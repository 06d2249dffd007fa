import type { IncomingMessage, ServerResponse } from "node:http";

/** What the listener gives to the application with each request. */
export interface Environment {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** It came over the socket, at which only this user can be: needs no token. */
  readonly isOwner: boolean;
}
