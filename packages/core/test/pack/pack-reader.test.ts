import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import type { PackEntry } from "../../src/pack/entry.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { PackReader } from "../../src/pack/pack-reader.ts";
import type { PackSource } from "../../src/pack/source.ts";
import { MemorySource } from "../support/memory-source.ts";
import { collect, keys, makeTree, noise, sealToBuffer, tempFolder, text } from "../support/pack-fixtures.ts";

const MIB = 1024 * 1024;

/** Small files that share a frame, one that shrinks and spans several, one that does not, and one with nothing in it. */
const FILES = {
  "a/one.txt": Buffer.from("one"),
  "a/two.txt": Buffer.from("two and more"),
  "empty.bin": Buffer.alloc(0),
  "long.txt": text(17 * MIB + 5),
  "noise.bin": noise(3 * MIB + 77),
};

async function packed(
  t: TestContext,
): Promise<{ pack: Buffer; entries: Map<string, PackEntry>; source: MemorySource }> {
  const folder = await tempFolder(t);
  await makeTree(join(folder, "in"), FILES);
  const { pack } = await sealToBuffer([join(folder, "in")]);
  const source = new MemorySource(pack);
  const reader = await PackReader.open(source, keys);
  const entries = new Map(
    (await collect(reader.entries())).map((entry) => [entry.path.replace(/^in\//, ""), entry]),
  );
  return { pack, entries, source };
}

test("any part of any file is what it is on the disk", async (t) => {
  const { pack, entries } = await packed(t);
  const reader = await PackReader.open(new MemorySource(pack), keys);
  assert.equal(reader.name, "in");
  const check = async (name: string, start: number, end: number): Promise<void> => {
    const parts = await collect(reader.read(entries.get(name) as PackEntry, start, end));
    assert.ok(
      Buffer.concat(parts).equals(FILES[name as keyof typeof FILES].subarray(start, end)),
      `${name} ${start} ${end}`,
    );
  };
  for (const [name, bytes] of Object.entries(FILES)) await check(name, 0, bytes.length);
  const range = fc.record({
    name: fc.constantFrom("a/one.txt", "a/two.txt", "empty.bin", "noise.bin", "long.txt"),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat({ max: 200_000 }),
  });
  await fc.assert(
    fc.asyncProperty(range, async ({ name, at, length }) => {
      const start = Math.floor(at * FILES[name].length);
      await check(name, start, start + length);
    }),
    { numRuns: 40 },
  );
});

/** Would catch: a player that seeks in a film and waits until all before it has arrived. */
test("a short part of a long file reads no more than the frames that it is in", async (t) => {
  const { entries, source, pack } = await packed(t);
  const reader = await PackReader.open(source, keys);
  const entry = entries.get("noise.bin") as PackEntry;
  await collect(reader.read(entry, 0, 1));
  source.reads.length = 0;
  const parts = await collect(reader.read(entry, 2 * MIB + 9, 2 * MIB + 19));
  assert.equal(Buffer.concat(parts).length, 10);
  const read = source.reads.reduce((sum, { length }) => sum + length, 0);
  assert.ok(read < 1.3 * MIB, `${read} of ${pack.length} were read`);
});

test("what can be read of a file follows from the parts of the pack that are there", async (t) => {
  const { entries, pack } = await packed(t);
  const reader = await PackReader.open(new MemorySource(pack), keys);
  const entry = entries.get("noise.bin") as PackEntry;
  assert.equal(await reader.readableBytes(entry, () => true), entry.size);
  assert.equal(await reader.readableBytes(entry, () => false), 0);
  const there = pack.length - 2 * MIB;
  const part = await reader.readableBytes(entry, ({ offset, length }) => offset + length <= there);
  assert.ok(part > 0 && part < entry.size);
  // That much can really be read, from a source that ends there.
  const cut = new MemorySource(pack);
  const limited = {
    length: pack.length,
    read: (offset: number, length: number) =>
      offset + length <= there || offset > pack.length - 200_000
        ? cut.read(offset, length)
        : Promise.reject(new RangeError("not there")),
  };
  const parts = await collect((await PackReader.open(limited, keys)).read(entry, 0, part));
  assert.ok(Buffer.concat(parts).equals(FILES["noise.bin"].subarray(0, part)));
  assert.equal(await reader.readableBytes(entries.get("empty.bin") as PackEntry, () => false), 0);
});

test("without the key nothing is read", async (t) => {
  const { pack } = await packed(t);
  await assert.rejects(PackReader.open(new MemorySource(pack), { password: "wrong" }), { code: "E_NO_KEY" });
});

/** Would catch: a read that goes on for somebody who has gone away, which keeps a download looking for what nobody has. */
test("whoever goes away is not read for any more, and keeps nobody else from being", async (t) => {
  const { pack, entries } = await packed(t);
  const memory = new MemorySource(pack);
  let isThere = false;
  let onWait = (): void => {};
  const source: PackSource = {
    length: pack.length,
    read(offset, length, signal) {
      if (isThere) return memory.read(offset, length);
      onWait();
      return new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(new BackroomError("E_INTERRUPTED", "stopped")));
      });
    },
  };
  const isGivenUp = async (read: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    const stop = new AbortController();
    onWait = () => setImmediate(() => stop.abort());
    await assert.rejects(read(stop.signal), { code: "E_INTERRUPTED" });
  };
  await isGivenUp((signal) => PackReader.open(source, keys, signal));
  isThere = true;
  const reader = await PackReader.open(source, keys);
  const entry = entries.get("noise.bin") as PackEntry;
  isThere = false;
  await isGivenUp((signal) => collect(reader.read(entry, 0, 1, signal)));
  await assert.rejects(collect(reader.entries({ signal: AbortSignal.abort() })), { code: "E_INTERRUPTED" });
  isThere = true;
  assert.equal((await collect(reader.read(entry, 0, 1))).length, 1);
  isThere = false;
  await isGivenUp((signal) => collect(reader.read(entry, 2 * MIB, 2 * MIB + 1, signal)));
});
