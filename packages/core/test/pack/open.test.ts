import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { identityFromSecret } from "../../src/pack/age-keys.ts";
import { encodeChunk, type IndexRecord } from "../../src/pack/index-chunk.ts";
import { listPack, openPack } from "../../src/pack/open.ts";
import { PackWriter } from "../../src/pack/pack-writer.ts";
import type { PackSource } from "../../src/pack/source.ts";
import { INDEX_MAGIC, encodeSkippableHeader, encodeStoredFrame } from "../../src/pack/zstd-format.ts";
import { encodeSmallFrame } from "../../src/pack/zstd-frame.ts";
import {
  ageTree,
  bufferSource,
  collect,
  keys,
  lock,
  makeTree,
  noise,
  openBuffer,
  sealToBuffer,
  snapshot,
  tempFolder,
  text,
} from "../support/pack-fixtures.ts";

const MiB = 1024 * 1024;
const raises = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);

test("a tree of everything comes back as it was, times and modes and all", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, {
    "r/empty": "",
    "r/empty folder/": "",
    "r/program": "#!/bin/sh\n",
    "r/noise": noise(9 * MiB + 7),
    "r/text": text(17 * MiB + 5),
    "r/deep/er/日本語 Ω🎉": "x",
    [`r/${"long/".repeat(100)}end`]: "y",
  });
  await ageTree(join(folder, "r"), "program");
  const { pack } = await sealToBuffer([join(folder, "r")], { comment: "für dich" });
  const result = await openBuffer(pack, join(folder, "out"));
  assert.deepEqual(await snapshot(join(folder, "out")), await snapshot(join(folder, "r")));
  assert.equal(result.name, "r");
  assert.equal(result.comment, "für dich");
  assert.deepEqual((await readdir(folder)).sort(), ["out", "r"], "no staging folder is left");
});

test("any small tree of several roots round-trips", async (t) => {
  const folder = await tempFolder(t);
  const name = fc.stringMatching(/^[a-z0-9äж]{1,6}$/);
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.nat(200_000).map((length) => text(length)),
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.tuple(name, name).map((parts) => parts.join("/")),
        content,
        { minKeys: 1, maxKeys: 12 },
      ),
      async (tree) => {
        const place = join(folder, `run ${run++}`);
        await makeTree(
          join(place, "in"),
          Object.fromEntries(Object.entries(tree).map(([path, bytes]) => [path, Buffer.from(bytes)])),
        );
        const roots = await readdir(join(place, "in"));
        const { pack } = await sealToBuffer(
          roots.map((root) => join(place, "in", root)),
          { name: "several" },
        );
        const out = join(place, "out");
        await openBuffer(pack, out);
        const inside = roots.length === 1 ? join(place, "in", roots[0] as string) : join(place, "in");
        assert.deepEqual(await snapshot(out), await snapshot(inside));
      },
    ),
    { numRuns: 40 },
  );
});

test("the result is named by its only root, or by the share where there are several", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "in/one.txt": "1", "in/two.txt": "2", "out/": "" });
  const one = await sealToBuffer([join(folder, "in/one.txt")], { name: "ignored for one" });
  const two = await sealToBuffer([join(folder, "in/one.txt"), join(folder, "in/two.txt")], {
    name: "Two texts",
  });
  const into = { place: { into: join(folder, "out") } };
  assert.equal((await openBuffer(one.pack, "", into)).path, join(folder, "out/one.txt"));
  assert.equal((await openBuffer(two.pack, "", into)).path, join(folder, "out/Two texts"));
  assert.deepEqual((await readdir(join(folder, "out/Two texts"))).sort(), ["one.txt", "two.txt"]);
});

test("a share of several that is named like no folder is not sealed, and a forged one writes nothing", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "one.txt": "1", "two.txt": "2" });
  const paths = [join(folder, "one.txt"), join(folder, "two.txt")];
  for (const name of ["../escape", "a/b", "..", "nul"]) {
    await assert.rejects(sealToBuffer(paths, { name }), raises("E_INPUT_NAMES"), name);
    const { records, tar } = recordsFor("one", "two");
    const forged = await forge([{ type: "share", name, comment: "" }, ...records.slice(1)], tar);
    await assert.rejects(openBuffer(forged, "", { place: { into: folder } }), raises("E_UNSAFE_PATH"), name);
  }
  assert.deepEqual((await readdir(folder)).sort(), ["one.txt", "two.txt"]);
});

test("a target that exists is refused and untouched", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "in/f": "new", out: "old" });
  const { pack } = await sealToBuffer([join(folder, "in")]);
  await assert.rejects(openBuffer(pack, join(folder, "out")), raises("E_TARGET_EXISTS"));
  assert.equal(await readFile(join(folder, "out"), "utf8"), "old");
});

test("another key, and a signal, leave nothing behind", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "in/f": noise(10 * MiB) });
  const { pack } = await sealToBuffer([join(folder, "in")]);
  const out = join(folder, "out");
  const other = { identities: [identityFromSecret(Buffer.alloc(32, 9)).identity] };
  await assert.rejects(openBuffer(pack, out, { keys: other }), raises("E_NO_KEY"));
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  await makeTree(folder, { "many/a": text(20 * MiB), "many/b": text(20 * MiB), "many/c": text(20 * MiB) });
  const many = await sealToBuffer([join(folder, "many")]);
  await assert.rejects(
    openBuffer(many.pack, out, { signal: controller.signal, onProgress }),
    raises("E_INTERRUPTED"),
  );
  assert.deepEqual((await readdir(folder)).sort(), ["in", "many"]);
});

test("a source that fails in the middle leaves nothing behind", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "in/f": noise(10 * MiB) });
  const { pack } = await sealToBuffer([join(folder, "in")]);
  const inner = bufferSource(pack);
  const source: PackSource = {
    length: pack.length,
    read: (offset, length) =>
      offset > 4 * MiB && offset < 6 * MiB
        ? Promise.reject(new Error("the swarm is gone"))
        : inner.read(offset, length),
  };
  const options = { keys, place: { target: join(folder, "out") }, root: Buffer.alloc(32) };
  await assert.rejects(openPack(options, { source, random: systemRandom }), /the swarm is gone/);
  assert.deepEqual(await readdir(folder), ["in"]);
});

test("a pack with any byte changed opens to nothing: never to other files", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "in/a": text(200_000), "in/b": noise(150_000), "in/c": "small" });
  const { pack } = await sealToBuffer([join(folder, "in")]);
  const out = join(folder, "out");
  await fc.assert(
    fc.asyncProperty(fc.nat(pack.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const damaged = Buffer.from(pack);
      damaged[at] = (damaged[at] as number) ^ mask;
      await assert.rejects(openBuffer(damaged, out), (error) => isBackroomError(error));
    }),
    { numRuns: 100 },
  );
  for (const length of [0, 10, 200, 65_000, pack.length - 1]) {
    await assert.rejects(openBuffer(pack.subarray(0, length), out), (error) => isBackroomError(error));
  }
  assert.deepEqual(await readdir(folder), ["in"]);
});

test("listing reads names from the front alone", async (t) => {
  const folder = await tempFolder(t);
  await makeTree(folder, { "in/a": noise(5 * MiB), "in/b/": "" });
  const { pack } = await sealToBuffer([join(folder, "in")], { name: "Shown", comment: "And said" });
  let largest = 0;
  const inner = bufferSource(pack);
  const source: PackSource = {
    length: pack.length,
    read: (offset, length) => {
      if (offset < pack.length - 65_552) largest = Math.max(largest, offset + length);
      return inner.read(offset, length);
    },
  };
  const listing = await listPack(source, keys);
  assert.equal(listing.name, "Shown");
  assert.equal(listing.comment, "And said");
  const entries = await collect(listing.entries());
  assert.deepEqual(
    entries.map((entry) => entry.path),
    ["in/", "in/a", "in/b/"],
  );
  assert.ok(largest < 200_000, `it read up to ${largest}`);
});

/** A pack made by somebody who holds the recipient but not our sealer: it authenticates whatever it says. */
async function forge(
  records: IndexRecord[],
  tar: Buffer,
  change?: (table: { contentLength: number }) => void,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  const write = async (bytes: Buffer): Promise<void> => void parts.push(Buffer.from(bytes));
  const writer = await PackWriter.start(lock, systemRandom, { write });
  const packed = encodeSmallFrame(encodeChunk({ last: true, records }));
  await writer.frame([encodeSkippableHeader(INDEX_MAGIC, packed.length), packed], 0);
  const said = { contentLength: tar.length };
  change?.(said);
  await writer.frame(encodeStoredFrame(tar), said.contentLength);
  await writer.finish();
  return Buffer.concat(parts);
}

function recordsFor(...paths: string[]): { records: IndexRecord[]; tar: Buffer } {
  const records: IndexRecord[] = [{ type: "share", name: "forged", comment: "" }];
  let offset = 0;
  let directoryCount = 0;
  for (const path of paths) {
    const kind = path.endsWith("/") ? "directory" : "file";
    if (kind === "directory") directoryCount++;
    const size = kind === "directory" ? 0 : 5;
    records.push({ type: "entry", entry: { path, kind, size, mtime: 0, offset: offset + 512 } });
    offset += 512 + (size === 0 ? 0 : 512);
  }
  const fileCount = paths.length - directoryCount;
  const tarLength = offset + 1024;
  records.push({ type: "totals", fileCount, directoryCount, fileBytes: fileCount * 5, tarLength });
  return { records, tar: Buffer.alloc(tarLength, "Z") };
}

test("the index says what is written; what the tar headers say is not looked at", async (t) => {
  const folder = await tempFolder(t);
  const { records, tar } = recordsFor("good");
  tar.write("../../evil", 0);
  tar.write("hello", 512);
  await openBuffer(await forge(records, tar), join(folder, "out"));
  assert.equal(await readFile(join(folder, "out"), "utf8"), "hello");
  assert.deepEqual(await readdir(folder), ["out"]);
});

for (const path of ["../", "/", "..", "a\u{0}b", "C:", "nul.txt", "\u{202e}gpj.exe"]) {
  test(`a forged index with ${JSON.stringify(path)} writes nothing`, async (t) => {
    const folder = await tempFolder(t);
    const { records, tar } = recordsFor(path);
    await assert.rejects(openBuffer(await forge(records, tar), join(folder, "out")), raises("E_UNSAFE_PATH"));
    assert.deepEqual(await readdir(folder), []);
  });
}

test("two names that are one file on other systems write nothing, however far down the list", async (t) => {
  const folder = await tempFolder(t);
  const { records, tar } = recordsFor("README", "readme");
  await assert.rejects(openBuffer(await forge(records, tar), join(folder, "out")), raises("E_UNSAFE_PATH"));
  assert.deepEqual(await readdir(folder), []);
});

test("an index and frames that disagree about the tar stream are refused", async (t) => {
  const folder = await tempFolder(t);
  const { records, tar } = recordsFor("a");
  const out = join(folder, "out");
  await assert.rejects(openBuffer(await forge(records, Buffer.concat([tar, tar])), out), raises("E_PACK"));
  const lying = await forge(records, tar.subarray(0, 1024), (said) => {
    said.contentLength = tar.length;
  });
  await assert.rejects(openBuffer(lying, out), raises("E_PACK"));
  await writeFile(join(folder, "proof"), "");
  assert.deepEqual(await readdir(folder), ["proof"]);
});
