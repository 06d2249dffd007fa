import { BackroomError } from "../base/errors.ts";
import { throwIfAborted } from "./abort.ts";
import type { PackEntry } from "./entry.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { InputFile, InputFiles } from "./input-files.ts";
import { TAR_END, encodeTarHeader, tarPadding } from "./tar.ts";
import { diskPathOf, reading, type InputRoot } from "./walk.ts";

/** Files up to this size are read ahead, several at a time, since opening them costs more than reading them. */
const SMALL_FILE = 64 * 1024;
/** Entries looked at ahead: at most 2 MiB of contents. */
const READ_AHEAD = 32;
/** One read of a large file; the signal is looked at in between. */
const READ = 1024 * 1024;

export interface TarInput {
  readonly roots: readonly InputRoot[];
  readonly files: InputFiles;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of contents read since the last call. */
  readonly onBytes: (bytes: number) => void;
}

interface Ahead {
  readonly entry: PackEntry;
  /** The whole content of a small file. */
  readonly content: Promise<Buffer> | undefined;
}

/** Writes the tar stream of `entries`, reading their contents. Raises E_FILE_CHANGED where a file is not what the walk saw. */
export async function writeTar(
  writer: FrameWriter,
  entries: Iterable<PackEntry>,
  input: TarInput,
): Promise<void> {
  const ahead: Ahead[] = [];
  const iterator = entries[Symbol.iterator]();
  try {
    for (;;) {
      while (ahead.length < READ_AHEAD) {
        const next = iterator.next();
        if (next.done === true) break;
        ahead.push(start(next.value, input));
      }
      const current = ahead.shift();
      if (current === undefined) break;
      throwIfAborted(input.signal);
      await writeEntry(writer, current, input);
    }
  } finally {
    await Promise.allSettled(ahead.flatMap((item) => item.content ?? []));
  }
  await writer.write(TAR_END);
}

function start(entry: PackEntry, input: TarInput): Ahead {
  const small = entry.kind !== "directory" && entry.size <= SMALL_FILE;
  const content = small ? readSmall(entry, input) : undefined;
  // A failure counts when its turn comes.
  content?.catch(() => {});
  return { entry, content };
}

async function writeEntry(writer: FrameWriter, { entry, content }: Ahead, input: TarInput): Promise<void> {
  await writer.write(encodeTarHeader(entry));
  if (entry.kind === "directory") return;
  if (content === undefined) {
    await writeLarge(writer, entry, input);
  } else {
    await writer.write(await content);
    input.onBytes(entry.size);
  }
  await writer.write(tarPadding(entry.size));
}

/** One byte more is asked for, which shows a file that has grown. */
async function readSmall(entry: PackEntry, input: TarInput): Promise<Buffer> {
  const into = Buffer.allocUnsafe(entry.size + 1);
  return await withFile(entry, input, async (file) => {
    let filled = 0;
    for (let read = 1; read > 0 && filled <= entry.size; filled += read)
      read = await file.read(into.subarray(filled), filled);
    if (filled !== entry.size) throw changed(entry);
    return into.subarray(0, entry.size);
  });
}

/** Reads straight into the writer's buffer. */
async function writeLarge(writer: FrameWriter, entry: PackEntry, input: TarInput): Promise<void> {
  await withFile(entry, input, async (file) => {
    const before = await file.stat();
    if (before.kind !== "file" || before.size !== entry.size) throw changed(entry);
    for (let position = 0; position < entry.size;) {
      throwIfAborted(input.signal);
      const room = writer.room();
      const read = await file.read(
        room.subarray(0, Math.min(room.length, READ, entry.size - position)),
        position,
      );
      if (read === 0) throw changed(entry);
      position += read;
      input.onBytes(read);
      await writer.advance(read);
    }
    const after = await file.stat();
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw changed(entry);
  });
}

/** Gives `use` the open file, whose failures are E_INPUT; those of anything else that `use` does are not. */
async function withFile<T>(
  entry: PackEntry,
  input: TarInput,
  use: (file: InputFile) => Promise<T>,
): Promise<T> {
  const { path } = entry;
  const file = await reading(path, () => input.files.open(diskPathOf(entry, input.roots)));
  try {
    return await use({
      stat: () => reading(path, () => file.stat()),
      read: (into, position) => reading(path, () => file.read(into, position)),
      close: () => file.close(),
    });
  } finally {
    await file.close();
  }
}

function changed(entry: PackEntry): BackroomError {
  return new BackroomError("E_FILE_CHANGED", `"${entry.path}" changed while it was read`);
}
