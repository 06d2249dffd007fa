import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { formatProxy, parseProxy } from "@backroom/core/net/proxy.ts";
import { readStateFile, writeStateFile } from "@backroom/core/store/state-file.ts";
import { runtimeFile } from "./daemon-files.ts";

const MOST_BYTES = 4096;

/** What a running daemon says of itself in its data folder, for whoever cannot ask it, or may not be told by it. */
export interface RuntimeFile {
  readonly pid: number;
  readonly version: string;
  readonly startedMs: number;
  /** The page's address, with its port; null where it is not served. */
  readonly page: string | null;
  /** Of the proxy in use: whether it is the one that a command names. Null where there is none. */
  readonly proxyHash: string | null;
  /** Whether relays are looked for on the local network. */
  readonly lan: boolean;
}

/** Tells one proxy from another without naming it, or the password in its URL. Raises E_PROXY for what is none. */
export function proxyHash(url: string): string {
  return createHash("sha256")
    .update(`backroom proxy\n${formatProxy(parseProxy(url))}`)
    .digest("hex");
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
    const given = JSON.parse(text.toString("utf8")) as Record<string, unknown>;
    const { pid, version, startedMs, page, proxyHash: hash, lan } = given;
    if (!Number.isSafeInteger(pid) || typeof version !== "string" || !Number.isSafeInteger(startedMs))
      return undefined;
    return {
      pid: Number(pid),
      version,
      startedMs: Number(startedMs),
      page: typeof page === "string" ? page : null,
      proxyHash: typeof hash === "string" ? hash : null,
      lan: lan === true,
    };
  } catch {
    return undefined;
  }
}

export async function removeRuntimeFile(root: string): Promise<void> {
  await rm(runtimeFile(root), { force: true });
}
