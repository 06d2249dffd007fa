import assert from "node:assert/strict";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { backroom, TestFolder, type Run } from "../support/program.ts";

let folder: TestFolder;
before(async () => {
  folder = await TestFolder.make();
  await mkdir(folder.join("bin"));
  await manager("exit 0");
});
after(() => folder.remove());

/** In the place of the system's own: notes what it is asked, and does as `then` says. */
async function manager(then: string): Promise<void> {
  const file = folder.join("bin", "systemctl");
  await writeFile(file, `#!/bin/sh\necho "$@" >> ${folder.join("asked")}\n${then}\n`);
  await chmod(file, 0o755);
}

function service(...args: readonly string[]): Promise<Run> {
  const env = {
    PATH: `${folder.join("bin")}:${process.env["PATH"] ?? ""}`,
    XDG_CONFIG_HOME: folder.join("config"),
  };
  return backroom(["--json", "--data", folder.join("data"), "service", ...args], { env });
}

const asked = async (): Promise<string[]> =>
  (await readFile(folder.join("asked"), "utf8")).trim().split("\n");
const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** Would catch: a file that --print writes, a service that is written and not started, one that removing leaves behind. */
test("a service is shown, installed and removed", async (t) => {
  if (process.platform !== "linux") return t.skip("asks systemctl");
  const unit = folder.join("config/systemd/user/backroom.service");
  const shown = await service("install", "--print");
  const { text, file, installed } = shown.lines().at(-1) ?? {};
  assert.deepEqual([shown.status, file, installed], [0, unit, false]);
  assert.equal(await isThere(unit), false);

  const done = await service("install");
  assert.equal(done.status, 0, done.stdout);
  assert.equal(await readFile(unit, "utf8"), text);
  assert.deepEqual(await asked(), [
    "--user daemon-reload",
    "--user enable backroom.service",
    "--user restart backroom.service",
  ]);

  const removed = await service("remove");
  assert.deepEqual([removed.status, removed.lines().at(-1)?.["removed"]], [0, true]);
  assert.equal(await isThere(unit), false);
  assert.deepEqual((await asked()).slice(3), [
    "--user disable --now backroom.service",
    "--user daemon-reload",
  ]);
  assert.equal((await service("remove")).lines().at(-1)?.["removed"], false);
});

/** Would catch: a success that is told where the system refused. */
test("a manager that refuses is an error that says what was asked of it", async (t) => {
  if (process.platform !== "linux") return t.skip("asks systemctl");
  await manager("exit 1");
  const run = await service("install");
  assert.deepEqual([run.status, run.code], [5, "E_SERVICE"]);
  assert.match(run.stdout, /systemctl --user daemon-reload/);
});

/** Would catch: a service that can never start since a daemon has its folder, or a folder that need not be writable left out or in. */
test("the unit names further folders that may be written", async (t) => {
  if (process.platform !== "linux") return t.skip("asks systemctl");
  const further = path.join(folder.path, "disk");
  const text = String(
    (await service("install", "--print", "--allow-write", further)).lines().at(-1)?.["text"],
  );
  assert.ok(text.includes(`ReadWritePaths="-${further}"`));
});
