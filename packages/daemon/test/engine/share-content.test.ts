import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { ContentFile } from "../../src/engine/content.ts";
import { CONTEXT, newEngineWorld } from "../support/engine-world.ts";

const KIB = 1024;
const { signal } = CONTEXT;

async function bytesOf(file: ContentFile, start: number, end: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of file.read(start, end)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** Would catch: a preview that waits for the whole download, a path out of the share, and a listing that lies about what is there. */
test("files of a share are read from wherever they are: the sharer's pack, a download under way, the files of one that is over", async () => {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      await world.makeFile("album/first.bin", 20 * KIB);
      const film = await world.makeFile("album/film.bin", 4 * 1024 * KIB);
      const content = await readFile(film);
      const sharer = await world.newEngine("sharer");
      const { id, link } = await sharer.share([path.join(folder, "album")]);
      const listing = await sharer.handlers.files({ id, limit: 10 }, CONTEXT);
      assert.deepEqual(
        listing.files.map(({ path: name, size, doneBytes }) => [name, size, doneBytes]),
        [
          ["album/film.bin", 4 * 1024 * KIB, 4 * 1024 * KIB],
          ["album/first.bin", 20 * KIB, 20 * KIB],
        ],
      );
      assert.deepEqual([listing.total, listing.next], [2, null]);
      const one = await sharer.handlers.files({ id, limit: 1 }, CONTEXT);
      const two = await sharer.handlers.files({ id, limit: 1, after: one.next ?? "" }, CONTEXT);
      assert.deepEqual(
        [one.files[0]?.path, two.files[0]?.path, two.next],
        ["album/film.bin", "album/first.bin", null],
      );
      const shared = await sharer.content.open(id, "album/film.bin", signal);
      assert.ok((await bytesOf(shared, 100_000, 200_000)).equals(content.subarray(100_000, 200_000)));
      await assert.rejects(sharer.content.open(id, "album/../../film.bin", signal), { code: "E_NO_FILE" });

      const getter = await world.newEngine("getter");
      getter.limits.download.rate = 600 * KIB;
      const { id: getId } = await getter.get(link);
      const arriving = await getter.content.open(getId, "album/film.bin", signal);
      const end = arriving.size;
      assert.ok((await bytesOf(arriving, end - 500, end)).equals(content.subarray(end - 500, end)));
      const during = await getter.handlers.getTransfer({ id: getId }, CONTEXT);
      assert.ok(during.doneBytes < during.totalBytes, "the end was there long before the rest");
      const stop = new AbortController();
      const stopped = await getter.content.open(getId, "album/film.bin", stop.signal);
      const reading = bytesOf(stopped, 0, end);
      stop.abort();
      await assert.rejects(reading, { code: "E_INTERRUPTED" });
      getter.limits.download.rate = null;
      await getter.reach(getId, "done");

      const opened = await getter.content.open(getId, "album/film.bin", signal);
      assert.ok((await bytesOf(opened, 5, 70_000)).equals(content.subarray(5, 70_000)));
      for (const bad of ["../getter/proxy", "album/../first.bin", "/etc/passwd", "album", "album/none"]) {
        await assert.rejects(getter.content.open(getId, bad, signal), { code: "E_NO_FILE" });
      }
    } finally {
      await world.close();
    }
  });
});
