import { open, type FileHandle } from "node:fs/promises";
import { systemCode } from "@backroom/core/base/system-code.ts";
import { storeError } from "@backroom/core/store/store-error.ts";

const BLOCK_BYTES = 64 * 1024;
const LINE_END = 0x0a;

/** The last `count` whole lines of a log, oldest first: of `FILE.1`, too, where the file was begun anew lately. None where there is no file. Raises E_STORE. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  const now = await linesOf(file, count);
  if (now.length >= count) return now;
  return [...(await linesOf(`${file}.1`, count - now.length)), ...now];
}

async function linesOf(file: string, count: number): Promise<string[]> {
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw storeError(error, "the log could not be read");
  }
  try {
    return await fromEnd(handle, count);
  } finally {
    await handle.close();
  }
}

/** From the end backwards, so that a few lines of a long log cost a few blocks. */
async function fromEnd(handle: FileHandle, count: number): Promise<string[]> {
  const blocks: Buffer[] = [];
  let ends = 0;
  // One more end than lines: what stands before it is no whole line.
  for (let start = (await handle.stat()).size; start > 0 && ends <= count;) {
    const length = Math.min(BLOCK_BYTES, start);
    start -= length;
    const block = Buffer.alloc(length);
    await handle.read(block, 0, length, start);
    ends += block.filter((byte) => byte === LINE_END).length;
    blocks.unshift(block);
  }
  const text = Buffer.concat(blocks).toString("utf8");
  // What follows the last end is still being written.
  return text.split("\n").slice(0, -1).slice(-count);
}
