import { formatDuration } from "../ui/format.ts";

/** What the demo saw. */
export interface Findings {
  readonly identical: boolean;
  /** The relay that was killed in mid-download. */
  readonly killed: string;
  readonly seconds: number;
  readonly totalSeconds: number;
  /** Bytes of pack a second, the killing included. */
  readonly rate: number;
  /** Whether connections could be watched (the kernel's table is read on Linux only). */
  readonly measured: boolean;
  readonly pairs: readonly (readonly [string, string])[];
  readonly datagramUsers: readonly string[];
  /** Whether sharer and downloader ever had a connection with each other. */
  readonly met: boolean;
}

/** The demo's last words, a line each. */
export function report(findings: Findings): string[] {
  const lines = ["", `Everything took ${formatDuration(findings.totalSeconds)}.`];
  if (!findings.measured)
    return [...lines, "Connections can be watched on Linux only, so nothing is said about them here."];
  const names = new Set(findings.pairs.flat());
  lines.push("", "Who had a connection with whom, from the kernel's table:");
  const width = Math.max(...[...names].map((name) => name.length));
  for (const name of [...names].toSorted(byRole)) {
    const others = findings.pairs
      .filter((pair) => pair.includes(name))
      .flatMap((pair) => pair.filter((other) => other !== name));
    const end = name === findings.killed ? "  (killed)" : "";
    lines.push(`  ${name.padEnd(width)}  ${others.toSorted(byRole).map(short).join(", ")}${end}`);
  }
  const relaysOnly = findings.datagramUsers.every((name) => name.startsWith("relay"));
  lines.push(
    "",
    findings.met
      ? "Sharer and downloader were connected: that must not be."
      : "Sharer and downloader: never.",
    relaysOnly
      ? "Only relays spoke with the DHT."
      : "Somebody who is no relay had a UDP socket: that must not be.",
    "",
  );
  return lines;
}

function short(name: string): string {
  return name.replace("relay ", "");
}

/** Sharer, downloader, then relays by number. */
function byRole(a: string, b: string): number {
  const rank = (name: string): number =>
    ["sharer", "downloader"].indexOf(name) + 1 || 3 + Number(name.replace("relay ", ""));
  return rank(a) - rank(b);
}
