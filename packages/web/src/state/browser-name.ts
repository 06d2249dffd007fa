import type { BROWSERS } from "@backroom/api/words.ts";

/** What each alone says of itself, in this order: nearly all name Chrome or Safari, too. */
const MARKS = [
  ["Edge", /\bEdg(A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(Firefox|FxiOS)\//],
  ["Chrome", /\b(Chrome|CriOS)\//],
  ["Safari", /\bSafari\//],
] as const satisfies readonly (readonly [(typeof BROWSERS)[number], RegExp])[];

/** By what a browser sends with each request. */
export function browserName(userAgent: string): (typeof BROWSERS)[number] {
  return MARKS.find(([, mark]) => mark.test(userAgent))?.[0] ?? "browser";
}
