import assert from "node:assert/strict";
import { lstatSync } from "node:fs";
import { link, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { withFolder } from "../../../core/test/store/temporary.ts";
import { placedBefore } from "../../src/engine/placing.ts";

/** Would catch: a download that is for ever in its own way after a kill; a person's file taken for a download, or taken away. */
test("what a run before this one put there is known; an empty file that only kept its place goes; all else stays", async () => {
  await withFolder(async (output) => {
    const place = path.join(output, "film");
    const counts = { name: "film", fileCount: 1, fileBytes: 4 };
    const root = "ab".repeat(32);
    const staged = path.join(output, `.backroom-${root.slice(0, 16)}-${process.pid}-00112233`);
    const placed = async (fileId: string): Promise<readonly string[] | undefined> =>
      (await placedBefore({ output, root }, { path: place, fileId, ...counts }))?.files.paths;
    assert.equal(await placed("1"), undefined);
    await writeFile(place, "");
    assert.equal(await placed("1"), undefined);
    assert.deepEqual(await readdir(output), []);
    await writeFile(place, "film");
    assert.equal(await placed("1"), undefined);
    await mkdir(staged);
    await link(place, path.join(staged, "film"));
    assert.deepEqual(await placed(String(lstatSync(place, { bigint: true }).ino)), [place]);
    assert.deepEqual(await readdir(output), ["film"]);
  });
});
