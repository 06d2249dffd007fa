import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { decodeFrameShape, encodeStoredFrame, storedFrameLength } from "../../src/pack/zstd-format.ts";
import {
  COMPRESS_CHUNK,
  compressFrame,
  decodeFrame,
  decodeSmallFrame,
  encodeSmallFrame,
  seemsCompressible,
} from "../../src/pack/zstd-frame.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { noise, text } from "../support/pack-fixtures.ts";
import { havePartners } from "../support/partners.ts";

const refused = (error: unknown): boolean => isBackroomError(error, "E_PACK");
const packed = (content: Buffer): Buffer => zstdCompressSync(content, { pledgedSrcSize: content.length });

test("a stored frame is these bytes and no others, whatever zstd is installed", () => {
  // Magic, one segment with 4 bytes of size, size 3, last raw block of 3 (3 << 3 | 1), content.
  assert.equal(
    Buffer.concat(encodeStoredFrame(Buffer.from("abc"))).toString("hex"),
    "28b52ffda003000000190000616263",
  );
  const two = Buffer.concat(encodeStoredFrame(Buffer.alloc(131_073)));
  assert.equal(two.length, storedFrameLength(131_073));
  assert.equal(two.toString("hex", 9, 12), "000010", "the first block is full and not the last");
  assert.equal(two.toString("hex", two.length - 4), "09000000", "the last block holds one byte");
});

test("zstd -d unpacks stored frames of any length", (t) => {
  if (!havePartners(t, "zstd")) return;
  for (const length of [1, 255, 131_072, 131_073, 1_048_576]) {
    const content = noise(length);
    const { stdout } = spawnSync("zstd", ["-dc"], {
      input: Buffer.concat(encodeStoredFrame(content)),
      maxBuffer: 2 ** 24,
    });
    assert.ok(stdout.equals(content), `of ${length}`);
  }
});

test("frames round-trip, packed or stored", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 5000 }),
      fc.nat(400),
      async (bytes, repeats) => {
        const content = Buffer.concat([Buffer.from(bytes), text(repeats * 10)]);
        const frame = (await compressFrame(content, 3)) ?? Buffer.concat(encodeStoredFrame(content));
        assert.ok((await decodeFrame(frame, content.length)).equals(content));
        assert.ok(decodeSmallFrame(encodeSmallFrame(content), content.length).equals(content));
      },
    ),
    { numRuns: 100 },
  );
});

test("what does not shrink is not packed, and the probe knows it without packing", async () => {
  assert.equal(await compressFrame(noise(300_000), 3), undefined);
  assert.equal(seemsCompressible(noise(1_048_576)), false);
  assert.equal(seemsCompressible(text(1_048_576)), true);
  // A probe of only the beginning would take the whole for noise.
  assert.equal(seemsCompressible(Buffer.concat([noise(500_000), text(548_576)])), true);
});

test("a frame that ends exactly with a chunk of node:zlib's output has no empty frame behind it", async () => {
  // Noise is kept as it is, in blocks of its own, so its length moves the packed length byte by byte.
  const contentOf = (length: number): Buffer => Buffer.concat([text(524_288), noise(length)]);
  const lengthOf = (content: Buffer): number =>
    decodeFrameShape(zstdCompressSync(content, { pledgedSrcSize: content.length, chunkSize: COMPRESS_CHUNK }))
      .frameLength;
  let length = 1_000_000;
  for (let round = 0; round < 6; round++) length += COMPRESS_CHUNK - lengthOf(contentOf(length));
  const content = contentOf(length);
  const frame = await compressFrame(content, 3);
  assert.ok(frame !== undefined);
  assert.equal(frame.length, COMPRESS_CHUNK);
  assert.ok((await decodeFrame(frame, content.length)).equals(content));
});

decoderSuite({
  name: "zstd frame",
  decode: (bytes) => {
    const content = decodeSmallFrame(bytes, 100_000);
    assert.ok(content.length <= 100_000);
    return content;
  },
  samples: [
    packed(text(4000)),
    Buffer.concat(encodeStoredFrame(noise(300))),
    packed(Buffer.from("x")),
    packed(noise(900)),
  ],
  encode: (content) => (content.length === 300 ? Buffer.concat(encodeStoredFrame(content)) : packed(content)),
});

test("a bomb that says how large it is is refused by its header", async () => {
  const bomb = packed(Buffer.alloc(16 * 1024 * 1024));
  assert.ok(bomb.length < 2000);
  await assert.rejects(decodeFrame(bomb, 1000), refused);
  assert.throws(() => decodeFrameShape(bomb), refused);
});

test("a bomb that lies about its size stops at what it was allowed", async () => {
  const bomb = packed(Buffer.alloc(8 * 1024 * 1024));
  // The descriptor says one segment and a size of 4 bytes, which we make 1000; its blocks still hold 8 MiB.
  const sizeAt = (bomb.readUInt8(4) & 0x20) === 0 ? 6 : 5;
  assert.equal(bomb.readUInt8(4) >> 6, 2);
  bomb.writeUInt32LE(1000, sizeAt);
  const before = process.memoryUsage().rss;
  await assert.rejects(decodeFrame(bomb, 1000), refused);
  assert.throws(() => decodeSmallFrame(bomb, 1000), refused);
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});

test("a second frame behind the first is refused, since node:zlib would drop or append it", async () => {
  const frame = packed(text(1000));
  await assert.rejects(decodeFrame(Buffer.concat([frame, frame]), 1000), refused);
});

test("frames that hide their size, ask for a large window or carry a wrong one are refused", async () => {
  const content = text(3000);
  const hidden = zstdCompressSync(content, {
    params: { [constants.ZSTD_c_contentSizeFlag]: 0 },
    pledgedSrcSize: 3000,
  });
  await assert.rejects(decodeFrame(hidden, 3000), refused);
  await assert.rejects(decodeFrame(packed(content), 2999), refused);
  // Not one segment, so a window follows: 2^(10 + 14) = 16 MiB.
  const window = Buffer.from("28b52ffd807003000000190000616263", "hex");
  await assert.rejects(decodeFrame(window, 3), refused);
  window.writeUInt8(0x68, 5);
  assert.equal((await decodeFrame(window, 3)).toString(), "abc", "8 MiB is allowed");
});
