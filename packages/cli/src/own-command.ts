import { isSea } from "node:sea";

/**
 * V8's options that keep it from collecting the whole heap for every few MiB of frames (docs/adr/0006-heap-options.md). The program's first line names the
 * same, and a test holds them equal: whoever started this process may have left them out.
 */
export const HEAP_OPTIONS: readonly string[] = [
  "--external-memory-accounted-in-global-limit",
  "--initial-heap-size=64",
  "--max-semi-space-size=2",
  "--min-semi-space-size=2",
  "--heap-growing-percent=100",
];

/** How this program is started again: from source, compiled, or as one executable, which holds the options. What follows are Backroom's own arguments. */
export function ownCommand(): string[] {
  if (isSea()) return [process.execPath];
  const given = process.execArgv.filter((option) => !HEAP_OPTIONS.includes(option));
  return [process.execPath, ...HEAP_OPTIONS, ...given, process.argv[1] ?? ""];
}
