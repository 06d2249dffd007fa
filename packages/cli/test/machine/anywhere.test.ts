import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { COMMANDS } from "../../src/commands/table.ts";
import { runInProcess } from "../support/in-process.ts";
import { TestFolder } from "../support/program.ts";

const GiB = 1024 ** 3;

let folder: TestFolder;
before(async () => (folder = await TestFolder.make()));
after(() => folder.remove());

/** Would catch: a command that was added and is not checked, and one that is needed to find out or to get out. */
test("below the minimum everything is refused but what helps", async () => {
  const anywhere = COMMANDS.filter((entry) => entry.anywhere === true).map(({ names }) => names[0]);
  assert.deepEqual(anywhere.toSorted(), ["completion", "config", "daemon", "doctor", "service"]);
  const options = { memoryBytes: GiB, env: { XDG_CONFIG_HOME: folder.path } };
  const data = ["--data", folder.join("data")];
  for (const args of [
    ["ls"],
    ["seal", "x", "-o", "y"],
    ["net", "list"],
    ["daemon", "start"],
    ["daemon", "run"],
  ]) {
    const { status, stderr } = await runInProcess([...data, ...args], options);
    assert.equal(status, 7, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /error\[E_MACHINE\]: this computer has 1 GiB of memory/);
  }
  for (const args of [
    ["config", "path"],
    ["completion", "bash"],
    ["ls", "--help"],
  ]) {
    assert.equal((await runInProcess([...data, ...args], options)).status, 0, args.join(" "));
  }
});
