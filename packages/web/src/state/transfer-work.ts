import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { call } from "../api/daemon.ts";
import { messagesNow } from "../messages/languages.tsx";
import { sentenceOf } from "../parts/daemon-words.tsx";
import { notify } from "./connection.ts";

export function canResume(state: Transfer["state"]): boolean {
  return state === "paused" || state === "failed";
}

/** Pauses what goes on, and lets go on what rests. */
export function pauseOrResume({ id, state }: Pick<Transfer, "id" | "state">): void {
  attempt(call(canResume(state) ? "resume" : "pause", { id }), id);
}

/** What is done to a transfer where nothing waits for its end: when it fails, a notice says so. */
export function attempt(work: Promise<unknown>, id: string): void {
  work.catch((error: unknown) =>
    notify({ level: "warn", text: sentenceOf(error, messagesNow()), transfer: id }),
  );
}
