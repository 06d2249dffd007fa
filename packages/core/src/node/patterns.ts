import { posix } from "node:path";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { PackEntry } from "../pack/entry.ts";
import { unmarked } from "../pack/output-path.ts";
import { Selection } from "../pack/selection.ts";
import { TopFolder } from "./top-folder.ts";

/** What makes a path a pattern. A file may have such a name all the same. */
export function isPattern(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

/** A path as the index has it, however many slashes somebody put around it. */
export function trimmedPath(text: string): string {
  return text.replaceAll(/^\/+|\/+$/g, "");
}

/** What somebody named, and how much of the share it fits. */
interface Named {
  readonly text: string;
  count: number;
  /** Without the name of the share's only top folder: what counts where nothing fits otherwise. */
  readonly below: Chosen;
}

/**
 * The files and folders that people name, and nothing else: by their paths, or by patterns as shells have them; one without a slash fits in every
 * folder. What fits nothing may leave out the one folder that holds everything. Folders come before what is in them. Raises E_NO_FILE for one that fits
 * nothing then either, E_SELECTION.
 */
export async function onlyThese(
  entries: AsyncIterable<Pick<PackEntry, "path">>,
  texts: readonly string[],
): Promise<Selection> {
  const wanted = texts.map((text): Named => ({ text: trimmedPath(text), count: 0, below: new Chosen() }));
  const found = new Chosen();
  const top = new TopFolder();
  for await (const { path } of entries) {
    const place = unmarked(path);
    const rest = top.below(path);
    for (const one of wanted) {
      if (fits(place, one.text)) {
        one.count++;
        found.add(path);
        // It says that they are too many, before a million are kept.
        if (found.isTooMuch) return selectionOf(found.paths);
      } else if (one.count === 0 && rest !== undefined && fits(rest, one.text)) one.below.add(path);
    }
  }
  const below = wanted.filter(({ count }) => count === 0);
  const none = below.find(({ below: { paths } }) => top.name === undefined || paths.length === 0);
  if (none !== undefined)
    throw new BackroomError("E_NO_FILE", `the share holds nothing that “${none.text}” fits`);
  return selectionOf([...found.paths, ...below.flatMap((one) => one.below.paths)]);
}

/** Files and folders, in the order of the share, without what lies in one of the folders: that is chosen with it. */
class Chosen {
  readonly paths: string[] = [];
  #inside: string | undefined;

  /** Once they are too many, which is told of them, no more are taken. */
  add(path: string): void {
    if (this.isTooMuch || (this.#inside !== undefined && path.startsWith(this.#inside))) return;
    const place = unmarked(path);
    if (this.paths.at(-1) === place) return;
    this.paths.push(place);
    if (path.endsWith("/")) this.#inside = path;
  }

  get isTooMuch(): boolean {
    return this.paths.length > LIMITS.selectionChoices;
  }
}

/** What the share calls each of `paths`: the same, or else what has that path below the one folder that holds everything. What is neither is left out. */
export async function knownPaths(
  entries: AsyncIterable<Pick<PackEntry, "path">>,
  paths: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const top = new TopFolder();
  const [whole, below] = [new Set<string>(), new Set<string>()];
  for await (const { path } of entries) {
    const place = trimmedPath(path);
    if (paths.has(place)) whole.add(place);
    const rest = top.below(path);
    if (rest !== undefined && paths.has(rest)) below.add(rest);
  }
  const known = new Map<string, string>();
  for (const path of paths) {
    if (whole.has(path)) known.set(path, path);
    else if (top.name !== undefined && below.has(path)) known.set(path, `${top.name}/${path}`);
  }
  return known;
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
