import { count, formatBytes } from "./format.ts";

export interface Shared {
  readonly kind: "read" | "locked";
  readonly fileCount: number;
  readonly size: number;
  readonly packLength: number;
  readonly leftOutCount: number;
}

/** What stands above a link that was made. */
export function sharedSummary({ kind, fileCount, size, packLength, leftOutCount }: Shared): string {
  const lines = [
    `${count(fileCount, "file")}, ${formatBytes(size)}, sealed into ${formatBytes(packLength)}.`,
    ...(leftOutCount > 0 ? [`${count(leftOutCount, "entry", "entries")} left out (see above).`] : []),
  ];
  lines.push(
    kind === "read"
      ? "Whoever has this link can read the files:"
      : "This link finds the share; it opens only with the password or key:",
  );
  return lines.join("\n");
}
