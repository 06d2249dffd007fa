import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { acquireLock } from "../../src/store/lock.ts";
import { raises } from "./piece-store-suite.ts";
import { withFolder } from "./temporary.ts";

const LOCK = new URL("../../src/store/lock.ts", import.meta.url).href;

/** A process that takes the lock, says so, and waits. */
const HOLDER = `
import { acquireLock } from ${JSON.stringify(LOCK)};
try {
  await acquireLock(process.argv[1]);
  process.stdout.write("held");
  setInterval(() => {}, 1000);
} catch (error) {
  process.stdout.write(error.code);
}
`;

function holder(file: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, ["--input-type=module", "-e", HOLDER, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function says(child: ReturnType<typeof spawn>): Promise<string> {
  assert.ok(child.stdout !== null);
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  return chunk.toString();
}

test("one holder at a time in this process, and the folder is clean afterwards", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "lock");
    const lock = await acquireLock(file);
    await assert.rejects(acquireLock(file), raises("E_LOCKED"));
    await lock.release();
    await lock.release();
    assert.deepEqual(await readdir(folder), []);
    await (await acquireLock(file)).release();
  });
});

test("another process that lives keeps the lock, and one that was killed loses it", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "lock");
    const child = holder(file);
    const gone = once(child, "close");
    try {
      assert.equal(await says(child), "held");
      await assert.rejects(acquireLock(file), raises("E_LOCKED"));
      await assert.rejects(
        acquireLock(file),
        raises("E_LOCKED"),
        "a refused try must leave things as they were",
      );
    } finally {
      child.kill("SIGKILL");
      await gone;
    }
    const lock = await acquireLock(file);
    assert.deepEqual(await readdir(folder), ["lock"]);
    await lock.release();
  });
});

test("of several processes that find a dead lock at once, one gets it", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "lock");
    await writeFile(file, "4194304999 1\n");
    const children = Array.from({ length: 4 }, () => holder(file));
    const gone = Promise.all(children.map((child) => once(child, "close")));
    try {
      const answers = await Promise.all(children.map(says));
      assert.deepEqual(answers.sort(), ["E_LOCKED", "E_LOCKED", "E_LOCKED", "held"]);
    } finally {
      for (const child of children) child.kill("SIGKILL");
      await gone;
    }
  });
});

test("a lock with the number of a living process that started at another time is dead: numbers are used again", async (t) => {
  if (process.platform !== "linux") return t.skip("only Linux says here when a process started");
  await withFolder(async (folder) => {
    const file = path.join(folder, "lock");
    await writeFile(file, `${process.ppid} 1\n`);
    await (await acquireLock(file)).release();
    await writeFile(file, `${process.pid} 1\n`);
    await (await acquireLock(file)).release();
  });
});

test("a lock file that holds nothing sensible does not lock the folder for ever", async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, "lock");
    for (const content of ["", "0 0\n", "-1 0\n", "words"]) {
      await writeFile(file, content);
      await (await acquireLock(file)).release();
    }
  });
});
