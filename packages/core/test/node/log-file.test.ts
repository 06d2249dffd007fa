import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openLogFile } from "../../src/node/log-file.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-log-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("lines are appended, to those of an earlier run too, for the owner alone to read", () =>
  inFolder(async (folder) => {
    const file = path.join(folder, "log");
    for (const line of ["one\n", "two\n"]) {
      const log = openLogFile(file, 1000);
      log.write(line);
      log.close();
      log.write("after the end\n");
    }
    assert.equal(await readFile(file, "utf8"), "one\ntwo\n");
    if (process.platform !== "win32") assert.equal((await stat(file)).mode & 0o777, 0o600);
  }));

/** Would catch: a disk that a long-lived relay's log fills; a size that is forgotten over a restart; lines torn in two. */
test("a log and the one before it never take more than twice the bound, and the newest lines are there", () =>
  inFolder(async (folder) => {
    const file = path.join(folder, "log");
    const line = (number: number): string => `line ${String(number).padStart(4, "0")}\n`;
    let log = openLogFile(file, 100);
    for (let number = 0; number < 500; number++) {
      if (number % 7 === 0) {
        log.close();
        log = openLogFile(file, 100);
      }
      log.write(line(number));
      for (const name of await readdir(folder)) assert.ok((await stat(path.join(folder, name))).size <= 100);
    }
    log.close();
    assert.deepEqual((await readdir(folder)).toSorted(), ["log", "log.1"]);
    const kept = `${await readFile(`${file}.1`, "utf8")}${await readFile(file, "utf8")}`;
    assert.ok(kept.length > 100);
    assert.ok(kept.endsWith(Array.from({ length: 10 }, (_, at) => line(490 + at)).join("")));
    assert.ok(kept.split("\n").every((one) => one === "" || /^line \d{4}$/.test(one)));
  }));

test("a log that cannot be opened says so, one that cannot be written any more is silent", () =>
  inFolder(async (folder) => {
    assert.throws(() => openLogFile(path.join(folder, "not", "there"), 100), { code: "E_FILE" });
    const file = path.join(folder, "log");
    const log = openLogFile(file, 20);
    log.write("as long as it may be\n");
    // In the way of the rotation, as root, too.
    await mkdir(path.join(folder, "log.1", "full"), { recursive: true });
    log.write("this one is lost\n");
    log.write("and this one\n");
    log.close();
  }));
