import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import { decodeChunk, encodeChunk, type IndexChunk, type IndexRecord } from "../../src/pack/index-chunk.ts";
import { readIndex } from "../../src/pack/index-reader.ts";
import { IndexWriter } from "../../src/pack/index-writer.ts";
import { INDEX_MAGIC, encodeSkippableHeader } from "../../src/pack/zstd-format.ts";
import { encodeSmallFrame } from "../../src/pack/zstd-frame.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { bufferSource, collect } from "../support/pack-fixtures.ts";

const refused = (error: unknown): boolean => isBackroomError(error, "E_PACK");
const share: IndexRecord = { type: "share", name: "Photos – été", comment: "" };
const entry = (path: string, offset: number, size = 0): IndexRecord => {
  const kind = path.endsWith("/") ? "directory" : "file";
  return { type: "entry", entry: { path, kind, size, mtime: 5, offset } };
};
const totals = (
  fileCount: number,
  directoryCount: number,
  fileBytes: number,
  tarLength: number,
): IndexRecord => ({
  type: "totals",
  fileCount,
  directoryCount,
  fileBytes,
  tarLength,
});
const honest = [share, entry("a/", 512), entry("a/b", 1024, 513), entry("c", 2560), totals(2, 1, 513, 3584)];

function frameOf(chunk: IndexChunk): Buffer {
  const packed = encodeSmallFrame(encodeChunk(chunk));
  return Buffer.concat([encodeSkippableHeader(INDEX_MAGIC, packed.length), packed]);
}

async function readAll(...chunks: IndexChunk[]): Promise<IndexRecord[]> {
  return await collect(readIndex(bufferSource(Buffer.concat(chunks.map((chunk) => frameOf(chunk))))));
}

decoderSuite({
  name: "index chunk",
  decode: decodeChunk,
  encode: encodeChunk,
  samples: [
    encodeChunk({ last: true, records: honest }),
    encodeChunk({ last: false, records: [share, entry("ж/", 512)] }),
  ],
  // Records follow one another to the end, so a chunk cut between two is a chunk.
  validPrefix: (length, sample) => isBoundary(sample.subarray(0, length)),
});

function isBoundary(bytes: Buffer): boolean {
  if (bytes.length < 2) return false;
  const whole = [honest, [share, entry("ж/", 512)]];
  return whole.some((records, which) =>
    records.some((_, count) =>
      encodeChunk({ last: which === 0, records: records.slice(0, count) }).equals(bytes),
    ),
  );
}

test("a well-formed index reads as it was written, in one chunk or several", async () => {
  assert.deepEqual(await readAll({ last: true, records: honest }), honest);
  const split = await readAll(
    { last: false, records: honest.slice(0, 2) },
    { last: true, records: honest.slice(2) },
  );
  assert.deepEqual(split, honest);
});

const forgeries: [string, IndexRecord[]][] = [
  ["paths out of order", [share, entry("c", 512), entry("b", 1024), totals(2, 0, 0, 2048)]],
  ["the same path twice", [share, entry("c", 512), entry("c", 1024), totals(2, 0, 0, 2048)]],
  ["a file before its folder", [share, entry("a/b", 512), totals(1, 0, 0, 1536)]],
  ["contents that overlap", [share, entry("a", 512, 600), entry("b", 1536, 5), totals(2, 0, 605, 3072)]],
  ["contents that are not at a block", [share, entry("a", 600, 5), totals(1, 0, 5, 2136)]],
  ["a count of files that is wrong", [share, entry("a", 512), totals(2, 0, 0, 1536)]],
  ["a sum of sizes that is wrong", [share, entry("a", 512, 7), totals(1, 0, 8, 2048)]],
  ["a tar length that is wrong", [share, entry("a", 512), totals(1, 0, 0, 1024)]],
  ["no totals", [share, entry("a", 512)]],
  ["two totals", [share, totals(0, 0, 0, 1024), totals(0, 0, 0, 1024)]],
  ["no share record", [entry("a", 512), totals(1, 0, 0, 1536)]],
  ["two share records", [share, share, totals(0, 0, 0, 1024)]],
  ["an empty path", [share, entry("", 512), totals(1, 0, 0, 1536)]],
];
for (const [what, records] of forgeries) {
  test(`an index with ${what} is refused`, async () => {
    await assert.rejects(readAll({ last: true, records }), refused);
  });
}

test("an index that never ends is refused where the pack ends", async () => {
  await assert.rejects(readAll({ last: false, records: honest.slice(0, 3) }), refused);
});

test("empty chunks are refused: they would make an endless index out of nothing", async () => {
  await assert.rejects(readAll({ last: false, records: [] }, { last: true, records: honest }), refused);
});

test("a chunk that unpacks to more than a chunk may is refused", async () => {
  const packed = encodeSmallFrame(Buffer.alloc(300 * 1024));
  const bytes = Buffer.concat([encodeSkippableHeader(INDEX_MAGIC, packed.length), packed]);
  await assert.rejects(collect(readIndex(bufferSource(bytes))), refused);
});

test("any sorted set of paths goes through writer and reader unchanged, with offsets that fit the headers", async () => {
  const name = fc
    .string({ unit: "binary", minLength: 1, maxLength: 150 })
    .filter((text) => !text.includes("/") && text.isWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 30 }), fc.nat(2 ** 40), async (names, size) => {
      const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const writer = new IndexWriter("n", "c");
      const given = sorted.map((path, index) => ({
        path,
        kind: "file" as const,
        size: (size * index) % 2 ** 36,
        mtime: index,
      }));
      for (const item of given) writer.add(item);
      writer.finish();
      const read = await collect(readIndex(bufferSource(Buffer.concat(writer.frames))));
      const entries = read.flatMap((record) => (record.type === "entry" ? [record.entry] : []));
      assert.deepEqual(entries, [...writer.entries()]);
      const expected = given.map((item, index) => ({ ...item, offset: entries[index]?.offset }));
      assert.deepEqual(entries, expected);
    }),
  );
});

test("a hundred thousand entries cost a few bytes each, on either side", async () => {
  const writer = new IndexWriter("many", "");
  for (let index = 0; index < 100_000; index++) {
    writer.add({
      path: `file ${String(index).padStart(7, "0")}.jpg`,
      kind: "file",
      size: index * 7,
      mtime: 1_700_000_000 + index,
    });
  }
  writer.finish();
  const bytes = Buffer.concat(writer.frames);
  assert.ok(bytes.length < 100_000 * 20, `${bytes.length} bytes`);
  assert.ok(writer.frames.length > 10, "it is cut into chunks");
  let count = 0;
  for await (const record of readIndex(bufferSource(bytes))) if (record.type === "entry") count++;
  assert.equal(count, 100_000);
});

test("a share's comment is bounded, whoever wrote the index", async () => {
  const commented = (length: number): IndexChunk => ({
    last: true,
    records: [{ type: "share", name: "x", comment: "c".repeat(length) }, totals(0, 0, 0, 1024)],
  });
  assert.equal((await readAll(commented(LIMITS.packCommentBytes))).length, 2);
  await assert.rejects(readAll(commented(LIMITS.packCommentBytes + 1)), refused);
});
