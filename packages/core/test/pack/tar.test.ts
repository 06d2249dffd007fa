import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { PackEntry } from "../../src/pack/entry.ts";
import { IndexWriter } from "../../src/pack/index-writer.ts";
import { TAR_END, encodeTarHeader } from "../../src/pack/tar.ts";
import { tempFolder } from "../support/pack-fixtures.ts";
import { havePartners } from "../support/partners.ts";

const file = (path: string, size = 0, mtime = 1_000_000_000): Omit<PackEntry, "offset"> => ({
  path,
  kind: "file",
  size,
  mtime,
});

test("a header holds nothing of the machine: no owner, no names, two modes only", () => {
  const block = encodeTarHeader(file("a", 5));
  assert.equal(block.toString("latin1", 100, 124), "0000644\u{0}0000000\u{0}0000000\u{0}");
  assert.ok(
    block.subarray(265, 329).every((byte) => byte === 0),
    "owner and group names are empty",
  );
  assert.equal(encodeTarHeader({ ...file("a"), kind: "executable" }).toString("latin1", 100, 107), "0000755");
});

test("headers fill whole blocks, whatever the length of a name, whose record counts its own digits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4096 }), (length) => {
      const bytes = encodeTarHeader(file("n".repeat(length)));
      assert.equal(bytes.length % 512, 0);
      if (length <= 100) return;
      const record = bytes.subarray(512);
      const counted = Number(record.toString("latin1", 0, record.indexOf(" ")));
      assert.equal(record.toString("latin1", 0, counted).endsWith(`path=${"n".repeat(length)}\n`), true);
    }),
  );
});

test("GNU tar finds files beyond 8 GiB, and what follows them, at the offsets of the index", async (t) => {
  if (!havePartners(t, "tar")) return;
  const size = 9 * 1024 ** 3 + 5;
  const given = [file("b/", 0), file("b/large", size), file("b/ünïcode and behind", 3)] as const;
  const writer = new IndexWriter("b", "");
  for (const [index, entry] of given.entries())
    writer.add(index === 0 ? { ...entry, kind: "directory" } : entry);
  const { tarLength } = writer.finish();
  const place = join(await tempFolder(t), "sparse.tar");
  const tar = await open(place, "wx");
  for (const entry of writer.entries()) {
    const header = encodeTarHeader(entry);
    await tar.write(header, 0, header.length, entry.offset - header.length);
    if (entry.size === 3) await tar.write(Buffer.from("abc"), 0, 3, entry.offset);
  }
  await tar.write(TAR_END, 0, TAR_END.length, tarLength - TAR_END.length);
  await tar.close();
  const list = spawnSync("tar", ["-tvf", place, "--numeric-owner", "--quoting-style=literal", "--utc"], {
    encoding: "utf8",
  });
  assert.equal(list.stderr, "");
  assert.deepEqual(
    list.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.replaceAll(/ +/g, " ")),
    [
      "drwxr-xr-x 0/0 0 2001-09-09 01:46 b/",
      `-rw-r--r-- 0/0 ${size} 2001-09-09 01:46 b/large`,
      "-rw-r--r-- 0/0 3 2001-09-09 01:46 b/ünïcode and behind",
    ],
  );
  const content = spawnSync("tar", ["-xOf", place, "b/ünïcode and behind"]);
  assert.equal(content.stdout.toString(), "abc");
});
