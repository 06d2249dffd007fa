import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { RelayStats } from "../circuit/relay.ts";

const REPORT_MS = 60_000;

/** Logs every minute how a relay does, in sums over everybody: nothing of a single circuit. The returned function stops it. */
export function reportRelay(
  log: Log,
  clock: Clock,
  stats: () => RelayStats & { relaysKnown: number },
): () => void {
  let cancel = clock.after(REPORT_MS, report);
  function report(): void {
    const { channels, circuits, queuedBytes, forwardedBytes, refusedCircuits, relaysKnown } = stats();
    log("info", "the relay works", {
      relayCount: relaysKnown,
      channelCount: channels,
      circuitCount: circuits,
      refusedCount: refusedCircuits,
      waitingBytes: queuedBytes,
      carriedBytes: forwardedBytes,
    });
    cancel = clock.after(REPORT_MS, report);
  }
  return () => cancel();
}
