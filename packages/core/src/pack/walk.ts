import { basename, resolve } from "node:path";
import { BackroomError } from "../base/errors.ts";
import { throwIfAborted } from "../base/abort.ts";
import type { PackEntry } from "./entry.ts";
import type { InputFiles, InputKind, InputStat } from "./input-files.ts";
import { EventLoopTurns } from "./event-loop-turns.ts";

/** One of the paths that a person shares: it becomes the top-level entry `name`. */
export interface InputRoot {
  readonly name: string;
  /** Where it lies, links resolved. */
  readonly diskPath: string;
  readonly stat: InputStat;
}

/** Something that a pack cannot hold: a symbolic link, or a socket, pipe or device. */
export interface LeftOut {
  readonly path: string;
  readonly reason: "link" | "special";
}

/** Finds the inputs and names them. Raises E_INPUT for one that is not there, E_INPUT_NAMES for names that clash or do not exist. */
export async function resolveRoots(paths: readonly string[], files: InputFiles): Promise<InputRoot[]> {
  if (paths.length === 0)
    throw new BackroomError("E_INPUT", "nothing was named to share", { fix: "name a file or a folder" });
  const roots: InputRoot[] = [];
  for (const path of paths) {
    const name = basename(resolve(path));
    if (name === "") throw new BackroomError("E_INPUT_NAMES", "a whole disk has no name to be shared under");
    if (roots.some((root) => root.name === name)) {
      throw new BackroomError("E_INPUT_NAMES", `two of the inputs are called "${name}"`);
    }
    const found = await reading(path, async () => {
      const diskPath = await files.resolve(path);
      return { diskPath, stat: files.stat(diskPath) };
    });
    if (found.stat.kind !== "file" && found.stat.kind !== "directory") {
      throw new BackroomError("E_INPUT", `"${path}" is neither a file nor a folder`);
    }
    roots.push({ name, ...found });
  }
  return roots.sort((a, b) => compareBytes(sortKey(a.name, a.stat.kind), sortKey(b.name, b.stat.kind)));
}

/** Where the entry lies on the disk. */
export function diskPathOf(entry: Pick<PackEntry, "path">, roots: readonly InputRoot[]): string {
  const slash = entry.path.indexOf("/");
  const name = slash < 0 ? entry.path : entry.path.slice(0, slash);
  const root = roots.find((candidate) => candidate.name === name);
  if (root === undefined) throw new BackroomError("E_INTERNAL", "an entry belongs to no input");
  return slash < 0 ? root.diskPath : root.diskPath + entry.path.slice(slash);
}

export interface Walk {
  readonly files: InputFiles;
  readonly recordTimes: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called for each entry, in the pack's order. */
  readonly found: (entry: Omit<PackEntry, "offset">) => void;
  /** Called for what a pack cannot hold. */
  readonly leaveOut: (item: LeftOut) => void;
}

/**
 * Walks the roots in the pack's order: bytewise by path, where a directory's path ends in "/", which is also the order of a walk from the
 * top. Raises E_INPUT for what cannot be read, E_INPUT_NAMES for names that are not Unicode, and what `found` raises.
 */
export async function walkInputs(roots: readonly InputRoot[], context: Walk): Promise<void> {
  const turns = new EventLoopTurns();
  for (const root of roots) {
    if (root.stat.kind === "file") foundFile(root.name, root.stat);
    else await walk(root.name, root.diskPath, root.stat);
  }

  async function walk(path: string, diskPath: string, stat: InputStat): Promise<void> {
    throwIfAborted(context.signal);
    context.found({ path: `${path}/`, kind: "directory", size: 0, mtime: timeOf(stat) });
    for (const { name, kind } of await listSorted(path, diskPath)) {
      const below = `${path}/${name}`;
      const stat = readingNow(below, () => context.files.stat(`${diskPath}/${name}`));
      if (stat.kind !== kind) throw new BackroomError("E_FILE_CHANGED", `"${below}" was replaced meanwhile`);
      if (kind === "file") foundFile(below, stat);
      else await walk(below, `${diskPath}/${name}`, stat);
      if (turns.due) {
        await turns.next();
        throwIfAborted(context.signal);
      }
    }
  }

  function foundFile(path: string, stat: InputStat): void {
    const kind = stat.executable ? "executable" : "file";
    context.found({ path, kind, size: stat.size, mtime: timeOf(stat) });
  }

  function timeOf(stat: InputStat): number {
    return context.recordTimes ? tarTime(stat.mtimeMs) : 0;
  }

  async function listSorted(path: string, diskPath: string): Promise<{ name: string; kind: InputKind }[]> {
    const kept: { key: string; name: string; kind: InputKind }[] = [];
    for (const { name, unicode, kind } of await reading(path, () => context.files.list(diskPath))) {
      if (kind === "link" || kind === "special") context.leaveOut({ path: `${path}/${name}`, reason: kind });
      else if (!unicode) throw new BackroomError("E_INPUT_NAMES", `a name in "${path}" is not Unicode`);
      else kept.push({ key: sortKey(name, kind), name, kind });
    }
    return kept.sort((a, b) => compareBytes(a.key, b.key));
  }
}

function sortKey(name: string, kind: InputKind): string {
  return kind === "directory" ? `${name}/` : name;
}

/** From here on, the order of UTF-16, which `<` knows, may differ from that of UTF-8. */
const FIRST_SURROGATE = /[\ud800-\uffff]/;

function compareBytes(a: string, b: string): number {
  if (FIRST_SURROGATE.test(a) && FIRST_SURROGATE.test(b))
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : Number(a > b);
}

/** Whole seconds that every tar can hold: nothing before 1970, and 0 is kept for "not recorded". */
function tarTime(mtimeMs: number): number {
  return Math.min(Math.max(1, Math.floor(mtimeMs / 1000)), 0o77777777777);
}

/** Runs a step that reads the input, and says E_INPUT with the path where it fails. */
export async function reading<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** As `reading`, for a step that is done at once. */
export function readingNow<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): BackroomError {
  if (cause instanceof BackroomError) return cause;
  return new BackroomError("E_INPUT", `"${path}" cannot be read`, { cause });
}
