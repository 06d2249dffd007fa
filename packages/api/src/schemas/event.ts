import { z } from "zod";
import { Id } from "./common.ts";
import { DaemonStatus } from "./daemon.ts";
import { NetworkStatus, RelayStatus } from "./network.ts";
import { Transfer } from "./transfer.ts";

/**
 * What `GET /api/v1/events` sends, each as a server-sent event whose `event` is the key and whose `data` is this as JSON. State, not differences: who
 * missed some has lost nothing but time. `reset` comes first where the events after the last id are not known any more: ask for everything again.
 */
export const EVENTS = {
  reset: z.object({}),
  transfers: z.object({ changed: z.array(Transfer), removed: z.array(Id) }),
  status: DaemonStatus,
  network: NetworkStatus,
  relay: RelayStatus,
  /** There is more to read in the notes of these. */
  notes: z.object({ transfers: z.array(Id) }),
  /** A sentence for the person, once: a warning of a transfer or of the daemon. */
  notice: z.object({ level: z.enum(["note", "warn"]), text: z.string(), transfer: Id.nullable() }),
} as const;
export type EventName = keyof typeof EVENTS;
export type EventData<Name extends EventName> = z.infer<(typeof EVENTS)[Name]>;
/** One event, its name with its data. */
export type ApiEvent = {
  [Name in EventName]: { readonly name: Name; readonly data: EventData<Name> };
}[EventName];
