import { posix } from "node:path";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { PackEntry } from "../pack/entry.ts";
import { Selection } from "../pack/selection.ts";

/** What makes a path a pattern. A file may have such a name all the same. */
export function isPattern(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

/** A path as the index has it, however many slashes somebody put around it. */
export function trimmedPath(text: string): string {
  return text.replaceAll(/^\/+|\/+$/g, "");
}

/**
 * The files and folders that people name, and nothing else: by their paths, or by patterns as shells have them; one without a slash fits in every
 * folder. Folders come before what is in them. Raises E_NO_FILE for one that fits nothing, E_SELECTION.
 */
export async function onlyThese(
  entries: AsyncIterable<Pick<PackEntry, "path">>,
  texts: readonly string[],
): Promise<Selection> {
  const wanted = texts.map((text) => ({ text: trimmedPath(text), count: 0 }));
  const found: string[] = [];
  /** The folder that was found last, with its slash: what lies in it is chosen with it. */
  let inside: string | undefined;
  for await (const { path } of entries) {
    const place = path.endsWith("/") ? path.slice(0, -1) : path;
    for (const one of wanted) {
      if (!fits(place, one.text)) continue;
      one.count++;
      if (found.at(-1) === place || (inside !== undefined && place.startsWith(inside))) continue;
      found.push(place);
      if (path.endsWith("/")) inside = path;
      // It says that they are too many, before a million are kept.
      if (found.length > LIMITS.selectionChoices) return selectionOf(found);
    }
  }
  const none = wanted.find(({ count }) => count === 0);
  if (none !== undefined)
    throw new BackroomError("E_NO_FILE", `the share holds nothing that “${none.text}” fits`);
  return selectionOf(found);
}

function selectionOf(paths: readonly string[]): Selection {
  const wanted = paths.map((path) => ({ path, priority: "normal" as const }));
  return Selection.of([{ path: "", priority: "skip" }, ...wanted]);
}

function fits(place: string, text: string): boolean {
  if (place === text) return true;
  if (!isPattern(text)) return false;
  return (
    posix.matchesGlob(place, text) || (!text.includes("/") && posix.matchesGlob(posix.basename(place), text))
  );
}
