import type { Answer } from "@backroom/api/routes.ts";
import type { ApiEvent, EventData } from "@backroom/api/schemas/event.ts";
import { access, call, daemonEvents, isSignedOut, signOut } from "../api/daemon.ts";
import { live } from "./live.ts";
import { everythingChanged, notesChanged } from "./queries.ts";
import { applyTransfers, loadTransfers } from "./transfers.ts";

/** Null while nothing has been heard. */
export const status = live<Answer<"status"> | null>(null);
export const network = live<Answer<"network"> | null>(null);
export const relay = live<Answer<"relay"> | null>(null);
export const connected = live(true);
/** The newest sentences for the person, the latest last; each until it is closed. */
export const notices = live<readonly (EventData<"notice"> & { readonly id: number })[]>([]);

const NOTICES_MOST = 5;
let noticeCount = 0;

export function notify(notice: EventData<"notice">): void {
  notices.set([...notices.get(), { ...notice, id: ++noticeCount }].slice(-NOTICES_MOST));
}

export function closeNotice(id: number): void {
  notices.set(notices.get().filter((notice) => notice.id !== id));
}

const AGAIN_MS = 2000;

/** Follows what changes, and reads everything where more may have changed than can be told, until `signal` is aborted. */
export async function follow(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of daemonEvents({ signal, onConnected: (is) => connected.set(is) })) take(event);
    } catch (error) {
      if (isSignedOut(error)) signOut();
    }
    if (signal.aborted || access.get() === "none") return;
    connected.set(false);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function take(event: ApiEvent): void {
  if (event.name === "transfers") applyTransfers(event.data.changed, event.data.removed);
  else if (event.name === "status") status.set(event.data);
  else if (event.name === "network") network.set(event.data);
  else if (event.name === "relay") relay.set(event.data);
  else if (event.name === "notes") for (const id of event.data.transfers) notesChanged(id);
  else if (event.name === "notice") notify(event.data);
  else void readAll();
}

async function readAll(): Promise<void> {
  everythingChanged();
  await Promise.allSettled([
    loadTransfers(),
    call("status").then((answer) => status.set(answer)),
    call("network").then((answer) => network.set(answer)),
    call("relay").then((answer) => relay.set(answer)),
  ]);
}
