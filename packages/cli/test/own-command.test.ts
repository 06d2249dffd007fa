import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HEAP_OPTIONS, ownCommand } from "../src/own-command.ts";

/** Would catch: a daemon that runs with other options than a command does. */
test("the options of V8 are those of the program's first line", () => {
  const first = readFileSync(new URL("../src/main.js", import.meta.url), "utf8").split("\n")[0] ?? "";
  assert.deepEqual(
    first.split(" ").filter((word) => word.startsWith("--")),
    HEAP_OPTIONS,
  );
});

/** Would catch: options given twice, of which Node takes some and refuses others, or left out where this process has none. */
test("the program is started again with them, once", () => {
  const command = ownCommand();
  for (const option of HEAP_OPTIONS) assert.equal(command.filter((one) => one === option).length, 1, option);
  assert.equal(command[0], process.execPath);
  assert.equal(command.at(-1), process.argv[1]);
});

const GARBAGE = `
const live = Array.from({ length: 250_000 }, (_, n) => ({ n, text: "row " + n, more: [n] }));
let most = 0;
for (let round = 0; round < 120; round++) {
  live[round] = Array.from({ length: 20_000 }, (_, n) => ({ n, text: n + " of " + round, more: [n, round] }))[0];
  most = Math.max(most, process.memoryUsage().heapTotal);
}
console.log(most);`;

/** Would catch: a daemon that keeps three times what it needs, as garbage, after each long list. */
test("garbage does not take more room than what is in use", () => {
  // Marking goes on beside the program, and takes longer where others have the cores: of some runs one is left alone enough.
  const runs = Array.from({ length: 4 }, () =>
    Number(execFileSync(process.execPath, [...HEAP_OPTIONS, "-e", GARBAGE], { encoding: "utf8" })),
  );
  // About 40 MiB are in use; 96 MiB with the options, 180 without the last one.
  assert.ok(Math.min(...runs) < 140 * 2 ** 20, runs.join(", "));
});
