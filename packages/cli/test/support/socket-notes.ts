import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { SocketNote } from "./socket-watch.ts";

const WATCH = pathToFileURL(path.join(import.meta.dirname, "socket-watch.ts")).href;

/** The option that makes a Node program note its sockets into `folder`. */
export function watchInto(folder: string): string {
  return `--import=${WATCH}?${encodeURIComponent(folder)}`;
}

export async function notesIn(folder: string): Promise<SocketNote[]> {
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
  return texts.flatMap((text) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as SocketNote),
  );
}

/** Runs with a folder for notes and with every Node program that is started meanwhile noting its sockets there. */
export async function whileWatching(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-sockets-"));
  const before = process.env["NODE_OPTIONS"];
  try {
    process.env["NODE_OPTIONS"] = watchInto(folder);
    await run(folder);
  } finally {
    if (before === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = before;
    await rm(folder, { recursive: true, force: true });
  }
}
