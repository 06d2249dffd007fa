import { BackroomError } from "../base/errors.ts";
import { throwIfAborted } from "../base/abort.ts";
import type { PackEntry } from "./entry.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { InputFile, InputFiles } from "./input-files.ts";
import { TAR_BLOCK, TAR_END, encodeTarHeader, tarPadding } from "./tar.ts";
import { EventLoopTurns } from "./event-loop-turns.ts";
import { diskPathOf, reading, readingNow, type InputRoot } from "./walk.ts";

/** Files up to this size are read at once, many in one turn, since opening them costs more than reading them. */
const SMALL_FILE = 64 * 1024;
/** Small entries are collected here; it holds the longest of them, with a header for the longest path. */
const BATCH = 1024 * 1024;
/** One read of a large file; the signal is looked at in between. */
const READ = 1024 * 1024;

export interface TarInput {
  readonly roots: readonly InputRoot[];
  readonly files: InputFiles;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of contents read since the last call. */
  readonly onBytes: (bytes: number) => void;
}

/** Writes the tar stream of `entries`, reading their contents. Raises E_FILE_CHANGED where a file is not what the walk saw. */
export async function writeTar(
  writer: FrameWriter,
  entries: Iterable<PackEntry>,
  input: TarInput,
): Promise<void> {
  const batch = new Batch(input);
  const turns = new EventLoopTurns();
  for (const entry of entries) {
    const header = encodeTarHeader(entry);
    const large = entry.size > SMALL_FILE;
    if (large || turns.due || !batch.fits(header, entry)) {
      await batch.flush(writer);
      await turns.next();
      throwIfAborted(input.signal);
    }
    if (large) {
      await writer.write(header);
      await writeLarge(writer, entry, input);
      await writer.write(tarPadding(entry.size));
    } else {
      batch.add(header, entry);
    }
  }
  await batch.flush(writer);
  await writer.write(TAR_END);
}

/** Small entries as they follow each other in the tar stream. */
class Batch {
  readonly #input: TarInput;
  readonly #bytes = Buffer.allocUnsafeSlow(BATCH);
  #filled = 0;
  #contentBytes = 0;

  constructor(input: TarInput) {
    this.#input = input;
  }

  fits(header: Buffer, entry: PackEntry): boolean {
    return this.#filled + header.length + entry.size + TAR_BLOCK <= BATCH;
  }

  /** Reads the entry's content, with one byte more asked for, which shows a file that has grown. */
  add(header: Buffer, entry: PackEntry): void {
    header.copy(this.#bytes, this.#filled);
    const start = this.#filled + header.length;
    const end = start + entry.size;
    if (entry.kind !== "directory") {
      const { files, roots } = this.#input;
      const into = this.#bytes.subarray(start, end + 1);
      const read = readingNow(entry.path, () => files.readSmall(diskPathOf(entry, roots), into));
      if (read !== entry.size) throw changed(entry);
    }
    this.#filled = end + tarPadding(entry.size).length;
    this.#bytes.fill(0, end, this.#filled);
    this.#contentBytes += entry.size;
  }

  async flush(writer: FrameWriter): Promise<void> {
    await writer.write(this.#bytes.subarray(0, this.#filled));
    if (this.#contentBytes > 0) this.#input.onBytes(this.#contentBytes);
    this.#filled = 0;
    this.#contentBytes = 0;
  }
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
