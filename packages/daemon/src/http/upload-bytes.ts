import type { FileHandle } from "node:fs/promises";
import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";

/** How much may be written before the free space is looked at again. */
const CHECK_BYTES = 64 * 1024 * 1024;

/** Writes all, and asks every now and then for room for what comes next. Returns how many bytes that were. */
export async function writeAll(
  handle: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  checkRoom: (more: number, written: number) => Promise<void>,
): Promise<number> {
  let written = 0;
  let checkedBytes = 0;
  for await (const chunk of bytes) {
    if (written + chunk.length > checkedBytes) {
      await checkRoom(CHECK_BYTES, written);
      checkedBytes = written + CHECK_BYTES;
    }
    await handle.writeFile(chunk);
    written += chunk.length;
  }
  return written;
}

/** The same bytes, as long as they keep coming. Raises E_REQUEST where nothing comes for too long, E_INTERRUPTED when the client is gone. */
export async function* patient(
  bytes: AsyncIterable<Uint8Array>,
  clock: Pick<Clock, "after">,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      if (signal.aborted) throw new BackroomError("E_INTERRUPTED", "the upload was given up");
      const { done, value } = await inTime(iterator.next(), clock);
      if (done === true) return;
      yield value;
    }
  } finally {
    // Not waited for: it may be stuck in what never comes.
    void iterator.return?.()?.catch(() => {});
  }
}

function inTime<T>(work: Promise<T>, clock: Pick<Clock, "after">): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(LIMITS.uploadStallMs, () =>
      reject(new BackroomError("E_REQUEST", "nothing more came of the file")),
    );
    void work.then(resolve, reject).finally(cancel);
  });
}
