import { status } from "./connection.ts";
import { live } from "./live.ts";

/** Five minutes, a value a second. */
const MOST = 300;
const EVERY_MS = 1000;

/** Seconds since 1970, download and upload rates: as the chart takes them. */
export const traffic = live<[number[], number[], number[]]>([[], [], []]);

/** Notes a value a second for as long as the page is open. */
export function noteTraffic(): () => void {
  const timer = setInterval(() => {
    const now = status.get();
    if (now === null) return;
    const [times, down, up] = traffic.get();
    traffic.set([
      [...times, Date.now() / 1000].slice(-MOST),
      [...down, now.downloadRate].slice(-MOST),
      [...up, now.uploadRate].slice(-MOST),
    ]);
  }, EVERY_MS);
  return () => clearInterval(timer);
}
