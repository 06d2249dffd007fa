import type { Transfer, TransferState } from "@backroom/api/schemas/transfer.ts";
import { count, formatBytes, formatRate } from "../ui/format.ts";
import type { Progress } from "../ui/progress-report.ts";
import type { Terminal } from "../ui/terminal.ts";
import type { Follower } from "./follow-transfer.ts";

/** The states in which bytes move, with what the bar is called. */
const MOVING: Readonly<Partial<Record<TransferState, string>>> = {
  sealing: "Sealing",
  downloading: "Downloading",
  opening: "Opening",
  checking: "Checking",
};

const STANDING: Readonly<Partial<Record<TransferState, string>>> = {
  queued: "Waiting for its turn …",
  joining: "Joining the network …",
  looking: "Looking for somebody who has it …",
  choosing: "Its files are known, and none is chosen. To choose: backroom files ID --only PATH",
  paused: "Paused. To go on: backroom resume",
};

/** Shows on a terminal what a transfer does: a bar for each stage in which bytes move, a sentence where none do. */
export function showTransfer(terminal: Terminal): Follower & { end(): void } {
  let bar: { state: TransferState; total: number; progress: Progress } | undefined;
  let waited = "";
  const end = (isOver: boolean): void => {
    // The state is another one by now, so the last that was heard of it is not its end.
    if (bar !== undefined && isOver) bar.progress.update(bar.total, bar.total);
    bar?.progress.end();
    bar = undefined;
  };
  return {
    onChange(transfer) {
      const { state, doneBytes, totalBytes, waits } = transfer;
      const label = MOVING[state];
      if (bar !== undefined && bar.state !== state) end(state !== "failed" && state !== "paused");
      if (label !== undefined) {
        bar ??= { state, total: totalBytes, progress: terminal.progress(label) };
        bar.total = totalBytes;
        bar.progress.update(doneBytes, totalBytes, noteOf(transfer));
        return;
      }
      if (waits !== null && waits.why !== waited) terminal.event("waiting", { ...waits });
      waited = waits?.why ?? "";
      const sentence = state === "seeding" ? handingOut(transfer) : (waits?.why ?? STANDING[state]);
      if (sentence !== undefined) terminal.status(sentence);
    },
    onNotice(level, text) {
      if (level === "warn") terminal.warn(text);
      else terminal.note(text);
    },
    end: () => end(false),
  };
}

function noteOf({ state, peerCount }: Transfer): string | undefined {
  return state === "downloading" ? count(peerCount, "peer") : undefined;
}

/** Gates say whether it can be found, the rest whether anybody fetches it. */
function handingOut({ gateCount, peerCount, uploadedBytes, uploadRate }: Transfer): string {
  const found = gateCount === 0 ? "not to be found yet: no gate" : count(gateCount, "gate");
  const parts = [found, count(peerCount, "peer")];
  if (uploadedBytes > 0) parts.push(`${formatBytes(uploadedBytes)} given`);
  if (uploadRate > 0) parts.push(formatRate(uploadRate));
  return `Handing it out: ${parts.join(", ")}`;
}
