import assert from "node:assert/strict";
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
