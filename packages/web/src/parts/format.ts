import type { Messages } from "../messages/en.ts";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** 1,234,567 as `1.2 MB`: as disks and providers count. */
export function formatBytes(bytes: number, t: Pick<Messages, "number">): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${t.number(value, unit === 0 || value >= 99.95 ? 0 : 1)} ${UNITS[unit]}`;
}

export function formatRate(rate: number, t: Pick<Messages, "number">): string {
  return `${formatBytes(rate, t)}/s`;
}

/** The two largest parts: `3 h 20 min`. */
export function formatDuration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor((seconds % 86_400) / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "min"],
    [Math.round(seconds % 60), "s"],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(" ");
}

/** Of the pack, from 0 to 1. */
export function fraction({
  doneBytes,
  totalBytes,
}: {
  readonly doneBytes: number;
  readonly totalBytes: number;
}): number {
  return totalBytes === 0 ? 0 : Math.min(1, doneBytes / totalBytes);
}

/** `12 of 30 files` where not all are wanted; nothing where all are. */
export function partOf(
  { fileCount, skippedCount }: { readonly fileCount: number | null; readonly skippedCount: number },
  t: Pick<Messages, "files">,
): string[] {
  return fileCount === null || skippedCount === 0
    ? []
    : [t.files.partly(fileCount - skippedCount, fileCount)];
}

/** Of the files that are chosen, or of all where that is all that is known, in bytes. */
export function sizeOf({
  chosenSize,
  size,
}: {
  readonly chosenSize: number | null;
  readonly size: number | null;
}): number | null {
  return chosenSize ?? size;
}

/** Text that a stranger chose, such as a name: control characters and those that turn the direction of text around (`Cc`, `Cf`) are made visible. */
export function showable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\ufffd");
}
