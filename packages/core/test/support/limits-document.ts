import { readFileSync } from "node:fs";

const DOCUMENT = new URL("../../../../docs/LIMITS.md", import.meta.url);

export interface LimitRow {
  readonly limit: string;
  /** Below `packages`. */
  readonly sources: readonly string[];
  /** Below `packages`; undefined where there is none. */
  readonly test: string | undefined;
}

/** The table of docs/LIMITS.md: each limit, where it is enforced, and the test that fails when it is not. */
export function limitRows(): LimitRow[] {
  const rows: LimitRow[] = [];
  for (const line of readFileSync(DOCUMENT, "utf8").split("\n")) {
    const [, limit, sources, test] = /^\| (\w+) \| ([^|]*\/[^|]*) \| (\S+) \|$/.exec(line) ?? [];
    if (limit === undefined || sources === undefined || test === undefined) continue;
    rows.push({ limit, sources: sources.trim().split(" "), test: test === "—" ? undefined : test });
  }
  return rows;
}
