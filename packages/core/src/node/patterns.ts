import { posix } from "node:path";
import { BackroomError } from "../base/errors.ts";
import type { PackEntry } from "../pack/entry.ts";
import { Selection } from "../pack/selection.ts";

/** What makes a path a pattern. A file may have such a name all the same. */
export function isPattern(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

/**
 * The files and folders that people name, and nothing else: by their paths, or by patterns as shells have them; one without a slash fits in every
 * folder. Raises E_NO_FILE for one that fits nothing, E_SELECTION.
 */
export async function onlyThese(
  entries: AsyncIterable<Pick<PackEntry, "path">>,
  texts: readonly string[],
): Promise<Selection> {
  const wanted = texts.map((text) => ({ text: text.replaceAll(/^\/+|\/+$/g, ""), count: 0 }));
  const found: string[] = [];
  for await (const { path } of entries) {
    const place = path.endsWith("/") ? path.slice(0, -1) : path;
    for (const one of wanted) {
      if (!fits(place, one.text)) continue;
      one.count++;
      found.push(place);
    }
  }
  const none = wanted.find(({ count }) => count === 0);
  if (none !== undefined)
    throw new BackroomError("E_NO_FILE", `the share holds nothing that “${none.text}” fits`);
  // Folders before what is in them: what lies in one that is chosen need not be kept.
  return Selection.of([
    { path: "", priority: "skip" },
    ...found.toReversed().map((path) => ({ path, priority: "normal" as const })),
  ]);
}

function fits(place: string, text: string): boolean {
  if (place === text) return true;
  if (!isPattern(text)) return false;
  return (
    posix.matchesGlob(place, text) || (!text.includes("/") && posix.matchesGlob(posix.basename(place), text))
  );
}
