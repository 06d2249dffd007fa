import assert from "node:assert/strict";
import { appendFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { readFile, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { openAgeSource } from "../../src/pack/age-source.ts";
import { readSeekTable } from "../../src/pack/frame-reader.ts";
import { diskFiles, type InputFiles, type InputStat } from "../../src/pack/input-files.ts";
import { padmeLength } from "../../src/pack/padme.ts";
import type { SealProgress } from "../../src/pack/seal.ts";
import {
  bufferSource,
  keys,
  makeTree,
  noise,
  openBuffer,
  sealToBuffer,
  tempFolder,
  text,
} from "../support/pack-fixtures.ts";

const MiB = 1024 * 1024;
const raises = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);

async function plaintext(pack: Buffer): Promise<Buffer> {
  const plain = await openAgeSource(bufferSource(pack), keys);
  return await plain.read(0, plain.length);
}

test("sealing twice gives the same plaintext, a Padmé length, and nothing equal outside", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/noise": noise(3 * MiB), "r/text": text(10 * MiB), "r/empty/": "" });
  const first = await sealToBuffer([join(folder, "r")]);
  const second = await sealToBuffer([join(folder, "r")]);
  const plain = await plaintext(first.pack);
  assert.ok(plain.equals(await plaintext(second.pack)));
  assert.equal(padmeLength(plain.length), plain.length);
  assert.ok(!first.pack.subarray(-1000).equals(second.pack.subarray(-1000)), "the keys are fresh");
  assert.equal(first.pack.length, first.result.length);
});

test("the hasher sees exactly what is written, in the same order", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/noise": noise(3 * MiB), "r/text": text(MiB) });
  const seen: Buffer[] = [];
  const { pack } = await sealToBuffer(
    [join(folder, "r")],
    {},
    { hasher: { update: (bytes) => seen.push(Buffer.from(bytes)) } },
  );
  assert.ok(Buffer.concat(seen).equals(pack));
});

test("what compresses shares frames of up to 8 MiB; what does not is stored, 1 MiB a frame, and costs next to nothing", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/a": noise(8 * MiB - 2048), "r/b": text(20 * MiB) });
  const { pack } = await sealToBuffer([join(folder, "r")]);
  const table = await readSeekTable(await openAgeSource(bufferSource(pack), keys));
  const lengths = Array.from({ length: table.count }, (_, frame) => table.contentLength(frame)).filter(
    (length) => length > 0,
  );
  assert.deepEqual(
    lengths.slice(0, 8),
    Array.from({ length: 8 }, () => MiB),
  );
  assert.equal(lengths[8], 8 * MiB);
  assert.equal(table.packedLength(1), MiB + 33);
});

test("sealed bytes do not change when the writer's memory is used again", async (t) => {
  // A stored frame ends in bytes that the encryption holds on to until the next frame, which takes a while where that one is packed.
  const folder = await tempFolder(t);
  const group = (index: number): Buffer => (index % 2 === 0 ? noise(8 * MiB, index) : text(8 * MiB));
  const content = Buffer.concat(Array.from({ length: 8 }, (_, index) => group(index)));
  await makeTree(folder, { in: content });
  const { pack } = await sealToBuffer([join(folder, "in")]);
  await openBuffer(pack, join(folder, "out"));
  assert.ok((await readFile(join(folder, "out"))).equals(content));
});

test("files that grow, shrink or are rewritten while they are sealed stop it", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/small": text(1000), "r/large": text(3 * MiB) });
  const after = (suffix: string, change: (path: string) => void): InputFiles => ({
    ...diskFiles,
    readSmall: (path, into) => {
      if (path.endsWith(suffix)) change(path);
      return diskFiles.readSmall(path, into);
    },
    open: async (path) => {
      if (path.endsWith(suffix)) change(path);
      return await diskFiles.open(path);
    },
  });
  const during: InputFiles = {
    ...diskFiles,
    open: async (path) => {
      const file = await diskFiles.open(path);
      return {
        ...file,
        read: async (into, position) => {
          if (position >= MiB) await utimes(path, 5, 5);
          return await file.read(into, position);
        },
      };
    },
  };
  const seal = (files: InputFiles): Promise<unknown> => sealToBuffer([join(folder, "r")], {}, { files });
  const cut = (path: string): void => truncateSync(path, statSync(path).size - 1);
  for (const name of ["small", "large"]) {
    await assert.rejects(seal(after(name, (path) => appendFileSync(path, "x"))), raises("E_FILE_CHANGED"));
    await assert.rejects(seal(after(name, cut)), raises("E_FILE_CHANGED"));
    await assert.rejects(seal(after(name, rmSync)), raises("E_INPUT"));
    await makeTree(folder, { "r/small": text(1000), "r/large": text(3 * MiB) });
  }
  await assert.rejects(seal(during), raises("E_FILE_CHANGED"));
  const shrunk = (stat: InputStat): InputStat => ({ ...stat, size: stat.size + 1 });
  const lied: InputFiles = { ...diskFiles, stat: (path) => shrunk(diskFiles.stat(path)) };
  await assert.rejects(seal(lied), raises("E_FILE_CHANGED"));
});

test("an output that fails stops the sealing with its own error, and is not written to again", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/noise": noise(30 * MiB) });
  let writes = 0;
  const write = async (): Promise<void> => {
    if (++writes === 3) throw new Error("the output broke");
  };
  await assert.rejects(sealToBuffer([join(folder, "r")], {}, { write }), /the output broke/);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(writes, 3);
});

test("a signal stops it, while walking and while sealing", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/noise": noise(20 * MiB) });
  await assert.rejects(
    sealToBuffer([join(folder, "r")], { signal: AbortSignal.abort() }),
    raises("E_INTERRUPTED"),
  );
  const controller = new AbortController();
  const onProgress = ({ doneBytes }: SealProgress): void => {
    if (doneBytes > 5 * MiB) controller.abort();
  };
  await assert.rejects(
    sealToBuffer([join(folder, "r")], { signal: controller.signal, onProgress }),
    raises("E_INTERRUPTED"),
  );
});

test("progress rises to all bytes, and the result counts what is there", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/a": text(100), "r/b": text(2 * MiB), "r/c/": "" });
  const seen: SealProgress[] = [];
  const { result } = await sealToBuffer([join(folder, "r")], {
    onProgress: (progress) => seen.push(progress),
    name: "A name",
  });
  const { fileCount, directoryCount, fileBytes, name } = result;
  assert.deepEqual(
    { fileCount, directoryCount, fileBytes, name },
    { fileCount: 2, directoryCount: 2, fileBytes: 2 * MiB + 100, name: "A name" },
  );
  assert.equal(seen.at(-1)?.doneBytes, 2 * MiB + 100);
  assert.ok(seen.every((progress, index) => progress.doneBytes >= (seen[index - 1]?.doneBytes ?? 0)));
});

test("names that could not be created elsewhere are refused when sealing, with the path", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/Straße": "", "r/STRASSE": "" });
  await assert.rejects(
    sealToBuffer([join(folder, "r")]),
    (error) => isBackroomError(error, "E_INPUT_NAMES") && error.message.includes("r/"),
  );
  await assert.rejects(
    sealToBuffer([join(folder, "r/Straße")], { name: "n".repeat(256) }),
    raises("E_INPUT_NAMES"),
  );
});

test("what is left out is counted to the end, and listed only so far", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "r/file": text(10) });
  const count = LIMITS.packLeftOutListed + 3;
  for (let link = 0; link < count; link++) await symlink("file", join(folder, "r", `link ${link}`));
  const { result } = await sealToBuffer([join(folder, "r")]);
  assert.deepEqual([result.leftOut.length, result.leftOutCount], [LIMITS.packLeftOutListed, count]);
});
