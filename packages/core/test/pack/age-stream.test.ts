import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { secretKey } from "../../src/crypto/keys.ts";
import { createAgeHeader } from "../../src/pack/age-header.ts";
import { generateIdentity } from "../../src/pack/age-keys.ts";
import { openAgeSource } from "../../src/pack/age-source.ts";
import {
  AgeStreamDecryptor,
  AgeStreamEncryptor,
  CHUNK_BYTES,
  plainLength,
  SEALED_CHUNK_BYTES,
  sealedLength,
} from "../../src/pack/age-stream.ts";
import { MemorySource } from "../support/memory-source.ts";

const key = secretKey(Buffer.alloc(32, 9));
const content = randomBytes(3 * CHUNK_BYTES + 50);
const share = generateIdentity(systemRandom);
const keys = { identities: [share.identity] };
/** Lengths at and around chunk edges: where a last chunk is forgotten, empty, or taken for a middle one. */
const edges = [0, 1, 2]
  .flatMap((chunks) => [-1, 0, 1].map((by) => chunks * CHUNK_BYTES + by))
  .filter((n) => n >= 0);
const lengths = fc.oneof(fc.constantFrom(...edges), fc.nat(content.length));
const cuts = fc.array(fc.oneof(fc.nat(3000), fc.constantFrom(CHUNK_BYTES, SEALED_CHUNK_BYTES, 100_000)), {
  minLength: 1,
});

/** `bytes` in parts of these lengths, over and over. */
function* inParts(bytes: Buffer, sizes: number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] as number);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function seal(plain: Buffer, sizes: number[], streamKey = key): Buffer {
  const encryptor = new AgeStreamEncryptor(streamKey);
  const parts = [...inParts(plain, sizes)].flatMap((part) => encryptor.update(part));
  return Buffer.concat([...parts, ...encryptor.final()]);
}

function open(sealed: Buffer, sizes: number[]): Buffer {
  const decryptor = new AgeStreamDecryptor(key);
  const parts = [...inParts(sealed, sizes)].flatMap((part) => [...decryptor.update(part)]);
  return Buffer.concat([...parts, decryptor.final()]);
}

const isForged = (error: unknown): boolean => isBackroomError(error, "E_CRYPTO");

test("a body does not depend on how its bytes arrive, and comes back at every chunk edge", () => {
  fc.assert(
    fc.property(lengths, cuts, cuts, (length, sealCuts, openCuts) => {
      const plain = content.subarray(0, length);
      const sealed = seal(plain, sealCuts);
      assert.ok(sealed.equals(seal(plain, [content.length])), "parts change the body");
      assert.equal(sealed.length, sealedLength(length));
      assert.equal(plainLength(sealed.length), length);
      assert.ok(open(sealed, openCuts).equals(plain));
    }),
    { numRuns: 60 },
  );
});

test("a body that was cut off, lengthened or damaged anywhere is never taken for a whole one", () => {
  const sealed = seal(content, [content.length]);
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), cuts, (length, sizes) => {
      assert.throws(() => open(sealed.subarray(0, length), sizes), isForged);
    }),
    { numRuns: 60 },
  );
  assert.throws(() => open(sealed.subarray(0, SEALED_CHUNK_BYTES), [1000]), isForged, "cut at a chunk edge");
  assert.throws(() => open(Buffer.concat([sealed, Buffer.alloc(1)]), [1000]), isForged);
  const full = seal(content.subarray(0, CHUNK_BYTES), [1000]);
  assert.throws(() => open(Buffer.concat([full, full]), [1000]), isForged, "two last chunks");
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), (at) => {
      const damaged = Buffer.from(sealed);
      damaged[at] = (damaged[at] as number) ^ 1;
      assert.throws(() => open(damaged, [damaged.length]), isForged);
    }),
    { numRuns: 60 },
  );
});

test("chunks in another order are refused, so the count is in the nonce", () => {
  const sealed = seal(content, [content.length]);
  const [first, second] = [0, 1].map((n) =>
    sealed.subarray(n * SEALED_CHUNK_BYTES, (n + 1) * SEALED_CHUNK_BYTES),
  );
  const swapped = Buffer.concat([second as Buffer, first as Buffer, sealed.subarray(2 * SEALED_CHUNK_BYTES)]);
  assert.throws(() => open(swapped, [swapped.length]), isForged);
});

async function ageFile(plain: Buffer): Promise<{ file: Buffer; bodyAt: number }> {
  const header = await createAgeHeader({ recipients: [share.recipient] }, systemRandom);
  const file = Buffer.concat([header.bytes, seal(plain, [plain.length], header.streamKey)]);
  return { file, bodyAt: header.bytes.length };
}

test("random access gives the same bytes as the whole, for any range", async () => {
  for (const length of edges) {
    const plain = content.subarray(0, length);
    const source = await openAgeSource(new MemorySource((await ageFile(plain)).file), keys);
    assert.equal(source.length, length);
    await fc.assert(
      fc.asyncProperty(fc.nat(length), fc.nat(length), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        assert.ok((await source.read(from, to - from)).equals(plain.subarray(from, to)));
      }),
      { numRuns: 15 },
    );
    await assert.rejects(source.read(length, 1), (error) => isBackroomError(error, "E_DECODE"));
  }
});

test("many reads at once do not mix up what is kept", async () => {
  const source = await openAgeSource(new MemorySource((await ageFile(content)).file), keys);
  const offsets = Array.from({ length: 40 }, (_, n) => (n * 7919) % (content.length - 5000));
  // Some over all chunks to the end: what they open besides is given back while others still read.
  const lengthOf = (n: number, at: number): number => (n % 3 === 0 ? content.length - at : 5000);
  const results = await Promise.all(offsets.map((at, n) => source.read(at, lengthOf(n, at))));
  for (const [n, at] of offsets.entries())
    assert.ok(results[n]?.equals(content.subarray(at, at + lengthOf(n, at))), `at ${at}`);
});

/** Would catch: an opening that leaves as much as the pack to the collector, and one that gives back a source's own memory. */
test("memory to read into is given back, and only that", async () => {
  const { file } = await ageFile(content);
  const lent: Buffer[] = [];
  const shared = new MemorySource(file);
  for (const uses of [true, false]) {
    const reading = {
      length: file.length,
      read: async (offset: number, length: number, _?: AbortSignal, into?: Buffer) => {
        if (into === undefined) return shared.read(offset, length);
        assert.equal(into.length, length);
        lent.push(into);
        if (!uses) return file.subarray(offset, offset + length);
        file.copy(into, 0, offset, offset + length);
        return into;
      },
    };
    const source = await openAgeSource(reading, keys);
    assert.ok((await source.read(0, content.length)).equals(content));
  }
  assert.deepEqual(
    lent.map((memory) => memory.length),
    [0, 0],
  );
  assert.ok(file.length > content.length);
});

test("opening reads the header and the last chunk, and fails there when the file was cut at a chunk edge", async () => {
  const { file, bodyAt } = await ageFile(content);
  const whole = new MemorySource(file);
  await openAgeSource(whole, keys);
  const last = bodyAt + 3 * SEALED_CHUNK_BYTES;
  assert.deepEqual(whole.reads, [
    { offset: 0, length: 4096 },
    { offset: last, length: file.length - last },
  ]);
  for (const end of [bodyAt, bodyAt + SEALED_CHUNK_BYTES, last, last + 10, last + 16, file.length - 1]) {
    await assert.rejects(
      openAgeSource(new MemorySource(file.subarray(0, end)), keys),
      isForged,
      `cut at ${end}`,
    );
  }
});

test("what is kept spares reads: small steps through a chunk read it once", async () => {
  const memory = new MemorySource((await ageFile(content)).file);
  const source = await openAgeSource(memory, keys);
  memory.reads.length = 0;
  for (let at = 0; at < CHUNK_BYTES; at += 1024) await source.read(at, 1024);
  for (let at = 3 * CHUNK_BYTES; at < content.length; at++) await source.read(at, 1);
  assert.equal(memory.reads.length, 1, "one read for the chunk, none for the last one");
});

test("a damaged chunk fails the reads that touch it and no others", async () => {
  const { file, bodyAt } = await ageFile(content);
  file[bodyAt + SEALED_CHUNK_BYTES + 5] = (file[bodyAt + SEALED_CHUNK_BYTES + 5] as number) ^ 1;
  const source = await openAgeSource(new MemorySource(file), keys);
  assert.ok((await source.read(0, CHUNK_BYTES)).equals(content.subarray(0, CHUNK_BYTES)));
  await assert.rejects(source.read(CHUNK_BYTES - 1, 2), isForged);
});
