import { open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as sleep } from "node:timers/promises";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { systemCode, systemReason } from "@backroom/core/base/system-code.ts";
import { assertDataFolder } from "@backroom/core/node/data-folder.ts";
import { logFile } from "@backroom/daemon/process/daemon-files.ts";
import { lastLines } from "@backroom/daemon/process/log-tail.ts";
import { dataFolderOf } from "../daemon-client.ts";
import type { Session } from "../session.ts";

/** How often the file is looked at: notice of changes does not come from every file system. */
const LOOK_MS = 250;
const BLOCK_BYTES = 64 * 1024;

/** Reads the file itself, since the log of a daemon that does not start is of most use. */
export async function logs(session: Session, lineCount: number, isFollowing: boolean): Promise<void> {
  const { terminal, signal } = session;
  const root = dataFolderOf(session);
  await assertDataFolder(root);
  const file = logFile(root);
  const show = (line: string): void => terminal.result(line, { line });
  // First where it ends, then what is before: what is written in between is shown by the one or the other, and never lost.
  const follower = isFollowing ? await Follower.atEnd(file) : undefined;
  const before = await lastLines(file, lineCount);
  if (before.length === 0) terminal.note("Nothing is logged: no daemon has run for this data folder yet.");
  for (const line of before) show(line);
  if (follower === undefined) return;
  while (!signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    for (const line of await follower.more()) show(line);
  }
}

/** What is added to a file, also when it is moved away and begun anew. */
class Follower {
  readonly #file: string;
  #inode: number;
  #at: number;
  #decoder = new StringDecoder("utf8");
  #rest = "";

  private constructor(file: string, inode: number, at: number) {
    this.#file = file;
    this.#inode = inode;
    this.#at = at;
  }

  static async atEnd(file: string): Promise<Follower> {
    const handle = await openThere(file);
    if (handle === undefined) return new Follower(file, 0, 0);
    await using opened = handle;
    const { ino, size } = await opened.stat();
    return new Follower(file, ino, size);
  }

  /** Whole lines that came since the last call. */
  async more(): Promise<string[]> {
    const handle = await openThere(this.#file);
    if (handle === undefined) return [];
    await using opened = handle;
    const { ino, size } = await opened.stat();
    const lines: string[] = [];
    if (ino !== this.#inode || size < this.#at) {
      // The last lines of the file before lie beside it now; a daemon that logs a whole file between two looks loses some here.
      if (ino !== this.#inode && this.#inode !== 0) lines.push(...(await this.#restOfOld()));
      this.#inode = ino;
      this.#at = 0;
      this.#rest = "";
      this.#decoder = new StringDecoder("utf8");
    }
    lines.push(...(await this.#read(opened)));
    return lines;
  }

  async #restOfOld(): Promise<string[]> {
    const handle = await openThere(`${this.#file}.1`);
    if (handle === undefined) return [];
    await using opened = handle;
    return (await opened.stat()).ino === this.#inode ? await this.#read(opened) : [];
  }

  async #read(handle: Awaited<ReturnType<typeof open>>): Promise<string[]> {
    for (const buffer = Buffer.alloc(BLOCK_BYTES); ;) {
      const { bytesRead } = await handle.read(buffer, 0, BLOCK_BYTES, this.#at);
      if (bytesRead === 0) break;
      this.#at += bytesRead;
      this.#rest += this.#decoder.write(buffer.subarray(0, bytesRead));
    }
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}

async function openThere(file: string): Promise<Awaited<ReturnType<typeof open>> | undefined> {
  try {
    return await open(file, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new BackroomError("E_STORE", "the log could not be read", { why: systemReason(error) });
  }
}
