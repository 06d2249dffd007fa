import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { SeekTable, decodeSeekTable, decodeSeekTableLength } from "../../src/pack/seek-table.ts";
import { decoderSuite } from "../support/decoder-suite.ts";

function tableOf(...frames: [number, number][]): SeekTable {
  const table = new SeekTable(1);
  for (const [packed, content] of frames) table.add(packed, content);
  return table;
}

test("the bytes are those of the seekable format", () => {
  const expected = [
    "5e2a4d18 19000000", // skippable magic, 25 bytes follow
    "34120000 00100000", // a frame of 0x1234 bytes for 4096
    "10000000 00000000", // a skippable frame of 16
    "02000000 00 b1ea928f", // two frames, no checksums, magic
  ].join("");
  assert.equal(tableOf([0x1234, 4096], [16, 0]).encode().toString("hex"), expected.replaceAll(" ", ""));
});

decoderSuite({
  name: "seek table",
  decode: decodeSeekTable,
  encode: (table) => table.encode(),
  samples: [
    tableOf().encode(),
    tableOf([100, 8 * 1024 * 1024]).encode(),
    tableOf([8, 0], [1000, 70_000], [9, 1]).encode(),
  ],
});

const refusals: [string, (bytes: Buffer) => void][] = [
  ["a frame that unpacks to more than 8 MiB", (bytes) => bytes.writeUInt32LE(8 * 1024 * 1024 + 1, 12)],
  ["a frame shorter than any frame", (bytes) => bytes.writeUInt32LE(7, 8)],
  ["reserved bits", (bytes) => bytes.writeUInt8(0x04, bytes.length - 5)],
  ["checksums, whose entries are longer", (bytes) => bytes.writeUInt8(0x80, bytes.length - 5)],
  ["a count that does not fit the length", (bytes) => bytes.writeUInt32LE(2, bytes.length - 9)],
];
for (const [what, damage] of refusals) {
  test(`a table with ${what} is refused`, () => {
    const bytes = tableOf([500, 1000]).encode();
    damage(bytes);
    assert.throws(
      () => decodeSeekTable(bytes),
      (error) => isBackroomError(error, "E_PACK"),
    );
  });
}

test("a footer that announces four billion frames is refused before anything is allocated", () => {
  const bytes = tableOf([500, 1000]).encode();
  bytes.writeUInt32LE(0xffffffff, bytes.length - 9);
  assert.throws(
    () => decodeSeekTableLength(bytes),
    (error) => isBackroomError(error, "E_PACK"),
  );
});
