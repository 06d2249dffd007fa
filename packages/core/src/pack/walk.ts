import { isUtf8 } from "node:buffer";
import { basename, resolve } from "node:path";
import { BackroomError } from "../base/errors.ts";
import { throwIfAborted } from "./abort.ts";
import type { PackEntry } from "./entry.ts";
import type { InputFiles, InputKind, InputStat } from "./input-files.ts";

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

/** How many files are looked at together: the disk's latency is shared, and memory stays small. */
const STAT_BATCH = 32;

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
      return { diskPath, stat: await files.stat(diskPath) };
    });
    if (found.stat.kind !== "file" && found.stat.kind !== "directory") {
      throw new BackroomError("E_INPUT", `"${path}" is neither a file nor a folder`);
    }
    roots.push({ name, ...found });
  }
  return roots.sort((a, b) => Buffer.compare(sortKey(a.name, a.stat.kind), sortKey(b.name, b.stat.kind)));
}

/** Where the entry lies on the disk. */
export function diskPathOf(entry: Pick<PackEntry, "path">, roots: readonly InputRoot[]): string {
  const slash = entry.path.indexOf("/");
  const name = slash < 0 ? entry.path : entry.path.slice(0, slash);
  const root = roots.find((candidate) => candidate.name === name);
  if (root === undefined) throw new BackroomError("E_INTERNAL", "an entry belongs to no input");
  return slash < 0 ? root.diskPath : root.diskPath + entry.path.slice(slash);
}

/**
 * Walks the roots in the pack's order: bytewise by path, where a directory's path ends in "/", which is also the order of a walk from the
 * top. What cannot be in a pack goes to `leaveOut`. Raises E_INPUT for what cannot be read, E_INPUT_NAMES for names that are not Unicode.
 */
export async function* walkInputs(
  roots: readonly InputRoot[],
  context: {
    files: InputFiles;
    leaveOut: (item: LeftOut) => void;
    recordTimes: boolean;
    signal?: AbortSignal | undefined;
  },
): AsyncGenerator<Omit<PackEntry, "offset">> {
  for (const root of roots) {
    yield* walk(root.name, root.diskPath, root.stat);
  }

  async function* walk(
    path: string,
    diskPath: string,
    stat: InputStat,
  ): AsyncGenerator<Omit<PackEntry, "offset">> {
    throwIfAborted(context.signal);
    const mtime = context.recordTimes ? tarTime(stat.mtimeMs) : 0;
    if (stat.kind === "file") {
      yield {
        path,
        kind: stat.executable ? "executable" : "file",
        size: stat.size,
        mtime,
      };
      return;
    }
    yield { path: `${path}/`, kind: "directory", size: 0, mtime };
    const names = await listSorted(path, diskPath);
    for (let start = 0; start < names.length; start += STAT_BATCH) {
      const batch = names.slice(start, start + STAT_BATCH);
      const stats = await Promise.all(
        batch.map((item) =>
          reading(`${path}/${item.name}`, () => context.files.stat(`${diskPath}/${item.name}`)),
        ),
      );
      for (const [index, item] of batch.entries()) {
        const found = stats[index] as InputStat;
        if (found.kind !== item.kind)
          throw new BackroomError("E_FILE_CHANGED", `"${path}/${item.name}" was replaced meanwhile`);
        yield* walk(`${path}/${item.name}`, `${diskPath}/${item.name}`, found);
      }
    }
  }

  async function listSorted(path: string, diskPath: string): Promise<{ name: string; kind: InputKind }[]> {
    const kept: { key: Buffer; name: string; kind: InputKind }[] = [];
    for (const { name, kind } of await reading(path, () => context.files.list(diskPath))) {
      const text = name.toString();
      if (kind === "link" || kind === "special") context.leaveOut({ path: `${path}/${text}`, reason: kind });
      else if (!isUtf8(name)) throw new BackroomError("E_INPUT_NAMES", `a name in "${path}" is not Unicode`);
      else kept.push({ key: sortKey(text, kind), name: text, kind });
    }
    return kept.sort((a, b) => Buffer.compare(a.key, b.key));
  }
}

function sortKey(name: string, kind: InputKind): Buffer {
  return Buffer.from(kind === "directory" ? `${name}/` : name);
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
    if (error instanceof BackroomError) throw error;
    throw new BackroomError("E_INPUT", `"${path}" cannot be read`, { cause: error });
  }
}
