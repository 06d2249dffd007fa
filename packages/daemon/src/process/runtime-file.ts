import { rm } from "node:fs/promises";
import path from "node:path";
import { readStateFile, writeStateFile } from "@backroom/core/store/state-file.ts";

const MOST_BYTES = 4096;

/** What a running daemon says of itself in its data folder, for whoever cannot ask it. */
export interface RuntimeFile {
  readonly pid: number;
  readonly version: string;
  readonly startedMs: number;
  /** The page's address, with its port; null where it is not served. */
  readonly page: string | null;
}

/** Readable by its owner alone. Raises E_STORE, E_DISK_FULL. */
export async function writeRuntimeFile(root: string, content: RuntimeFile): Promise<void> {
  await writeStateFile(runtimeFile(root), Buffer.from(`${JSON.stringify(content)}\n`));
}

/** Undefined where there is none, and for one that is not whole. A daemon that was killed leaves its file behind. Raises E_STORE. */
export async function readRuntimeFile(root: string): Promise<RuntimeFile | undefined> {
  const text = await readStateFile(runtimeFile(root), MOST_BYTES);
  if (text === undefined) return undefined;
  try {
    const { pid, version, startedMs, page } = JSON.parse(text.toString("utf8")) as Record<string, unknown>;
    if (!Number.isSafeInteger(pid) || typeof version !== "string" || !Number.isSafeInteger(startedMs))
      return undefined;
    return {
      pid: Number(pid),
      version,
      startedMs: Number(startedMs),
      page: typeof page === "string" ? page : null,
    };
  } catch {
    return undefined;
  }
}

export async function removeRuntimeFile(root: string): Promise<void> {
  await rm(runtimeFile(root), { force: true });
}

function runtimeFile(root: string): string {
  return path.join(root, "daemon.json");
}
