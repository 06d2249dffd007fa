import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { describeFault } from "../../src/fault.ts";
import { backroom, TestFolder } from "../support/program.ts";

let folder: TestFolder;
before(async () => (folder = await TestFolder.make()));
after(() => folder.remove());

/** Would catch: a log that nobody asked for, one that gets into what programs read, and options that do not do what they say. */
test("a log is written where and how much of it was asked for, and otherwise not at all", async () => {
  const file = folder.join("log");
  const list = (...options: string[]) => [
    "--json",
    "--data",
    folder.join("data"),
    ...options,
    "network",
    "list",
  ];
  const silent = await backroom(list());
  assert.deepEqual([silent.status, silent.stderr], [0, ""]);
  const runs = [
    await backroom(list("--log-level", "info")),
    await backroom(list(), { env: { BACKROOM_LOG: "debug" } }),
  ];
  for (const run of runs) {
    assert.deepEqual([run.status, run.stdout], [0, silent.stdout]);
    const events = run.stderr
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    assert.deepEqual(events, ["the command begins", "the command ends"]);
  }
  assert.equal((await backroom(list("--log-level", "warn"))).stderr, "");
  assert.equal((await backroom(list("--log-file", file))).stderr, "");
  assert.match(
    await readFile(file, "utf8"),
    /"event":"the command begins".*\n.*"event":"the command ends"}\n$/,
  );
  const nowhere = await backroom(list("--log-file", folder.join("not", "there")));
  assert.deepEqual([nowhere.status, nowhere.code], [5, "E_FILE"]);
  const wrong = await backroom(list(), { env: { BACKROOM_LOG: "loud" } });
  assert.deepEqual([wrong.status, wrong.code], [2, "E_USAGE"]);
});

/** Would catch: a message or path in what people paste into a bug report; a report that says nothing any more. */
test("a fault is told by its kind and its places in the program, and by nothing that came from outside", () => {
  const error = Object.assign(
    new TypeError("connect ECONNREFUSED 192.0.2.7:443\n    at /home/alice/links.txt:1:2"),
    {
      code: "ECONNREFUSED",
    },
  );
  const report = describeFault(error);
  assert.match(report, /^TypeError ECONNREFUSED\n {2}at /);
  assert.match(report, /\(cli\/test\/commands\/logging\.test\.ts:\d+:\d+\)/);
  assert.match(report, /\(node:internal\/test_runner\/[a-z]+:\d+:\d+\)/);
  assert.doesNotMatch(report, /192|alice|links/);
  assert.ok(!report.includes(path.join(import.meta.dirname, "../../..")), "where the program lies");
  assert.equal(describeFault("192.0.2.7"), "a value of type string was thrown");
});
