import assert from "node:assert/strict";
import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { runInProcess } from "../support/in-process.ts";

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "backroom-logs-"));
  file = path.join(folder, "daemon.log");
});
after(() => rm(folder, { recursive: true, force: true }));

const args = (...more: string[]): string[] => ["--data", folder, "daemon", "logs", ...more];

/** Would catch: a log that can be seen only while the daemon runs, which is when it is of least use. */
test("logs shows the last lines without a daemon", async () => {
  assert.deepEqual((await runInProcess(args())).stdout, "");
  await writeFile(file, "one\ntwo\nthree\n");
  const run = await runInProcess(args("-n", "2"));
  assert.deepEqual([run.status, run.stdout], [0, "two\nthree\n"]);
});

/** Would catch: lines lost where the file is begun anew, shown twice, or cut where they were read half written. */
test(
  "logs -f goes on with what is written, also into a file that was begun anew",
  { timeout: 60_000 },
  async () => {
    await writeFile(file, "one\ntwo\n");
    const control = new AbortController();
    let seen = "";
    let wake = (): void => {};
    const until = async (text: string): Promise<void> => {
      while (!seen.endsWith(text)) await new Promise<void>((resolve) => (wake = resolve));
    };
    const following = runInProcess(args("-f", "-n", "1"), {
      signal: control.signal,
      onStdout(text) {
        seen = text;
        wake();
      },
    });
    await until("two\n");
    await appendFile(file, "three\nfo");
    await until("three\n");
    await appendFile(file, "ur\nfive\n");
    await until("five\n");
    await appendFile(file, "six\n");
    await rename(file, `${file}.1`);
    await writeFile(file, "seven\n");
    await until("seven\n");
    control.abort();
    const run = await following;
    assert.deepEqual([run.status, run.stdout], [0, "two\nthree\nfour\nfive\nsix\nseven\n"]);
  },
);
