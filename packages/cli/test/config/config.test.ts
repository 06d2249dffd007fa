import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { FakeDaemon } from "../support/fake-daemon.ts";
import { runInProcess, type InProcessOptions, type InProcessRun } from "../support/in-process.ts";
import { backroom, TestFolder } from "../support/program.ts";

let folder: TestFolder;
before(async () => (folder = await TestFolder.make()));
after(() => folder.remove());

function config(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  options: InProcessOptions = {},
): Promise<InProcessRun> {
  const places = { XDG_CONFIG_HOME: folder.join("xdg"), ...env };
  return runInProcess(["--data", folder.join("data"), ...args], { env: places, ...options });
}

function codeOf({ stderr }: InProcessRun): string | undefined {
  return /error\[(E_\w+)\]/.exec(stderr)?.[1];
}

/** A setting as a daemon tells it that goes by `file`. */
function portOf(file: string, value = 7420) {
  const entry = {
    key: "page.port",
    value,
    origin: "default" as const,
    default: 7420,
    expects: "a port",
    environment: "BACKROOM_PAGE_PORT",
    description: "the port of the page",
    takesHold: "restart" as const,
  };
  return { file, settings: [entry], problems: [{ key: "x.y", line: 3, text: "x.y is no setting" }] };
}

test("a setting is set, read with its origin, overruled and unset, and only results are on standard output", async () => {
  const file = folder.join("xdg", "backroom", "config.toml");
  assert.equal((await config(["config", "path"])).stdout, `${file}\n`);
  const set = await config(["config", "set", "page.port", "8080"]);
  assert.deepEqual([set.status, set.stdout, set.stderr], [0, "", "page.port is 8080.\n"]);
  await writeFile(file, `# mine\n${await readFile(file, "utf8")}`);
  assert.equal((await config(["config", "get", "page.port", "--origin"])).stdout, "8080\tfile\n");
  const overruled = await config(["config", "get", "page.port", "--origin"], { BACKROOM_PAGE_PORT: "81" });
  assert.equal(overruled.stdout, "81\tenvironment\n");
  const kept = await config(["config", "set", "page.port", "82"], { BACKROOM_PAGE_PORT: "81" });
  assert.match(kept.stderr, /BACKROOM_PAGE_PORT says otherwise: page\.port is 81/);
  assert.equal((await config(["config", "unset", "page.port"])).stderr, "page.port is as it comes: 7420.\n");
  assert.equal(await readFile(file, "utf8"), "# mine\n[page]\n");
});

test("a key that is none names the nearest, and a value that does not fit says what would", async () => {
  const wrong = await config(["config", "set", "page.prot", "80"]);
  assert.deepEqual([wrong.status, codeOf(wrong)], [3, "E_SETTING"]);
  assert.match(wrong.stderr, /perhaps page\.port is meant/);
  const misread = await config(["config", "get", "downloads.foldr"]);
  assert.deepEqual([misread.status, misread.stdout], [3, ""]);
  assert.match(misread.stderr, /perhaps downloads\.folder is meant/);
  const misfit = await config(["config", "set", "page.port", "many"]);
  assert.equal(codeOf(misfit), "E_SETTING");
  assert.match(misfit.stderr, /a whole number from 0 to 65535/);
});

/** Would catch: --config that only this process goes by, and a file with a mistake that cannot be mended with the program. */
test("--config names another file; what is wrong in it is told with its line, and can be set right", async () => {
  const file = folder.join("other.toml");
  await writeFile(file, '[page]\nport = "x"\nprot = 1\n');
  const list = await config(["--config", file, "--json", "config", "list"]);
  const lines = list.lines();
  const warnings = lines.filter(({ event }) => event === "warning").map(({ text }) => String(text));
  assert.deepEqual(
    warnings.map((text) => /^line \d/.exec(text)?.[0]),
    ["line 2", "line 3"],
  );
  assert.equal(lines.at(-1)?.["file"], file);
  assert.equal((await config(["--config", file, "config", "set", "page.port", "83"])).status, 0);
  assert.equal((await config(["config", "get", "page.port"], { BACKROOM_CONFIG: file })).stdout, "83\n");
});

test("the proxy is kept where it always was, its login stays off the command line and the screen", async () => {
  const bare = await config(["config", "set", "network.proxy", "socks5://ann:secret@127.0.0.1:9050"]);
  assert.deepEqual([bare.status, codeOf(bare)], [2, "E_USAGE"]);
  await writeFile(folder.join("proxy"), "socks5://ann:secret@127.0.0.1:9050\n");
  const set = await config(["config", "set", "network.proxy", `@${folder.join("proxy")}`]);
  assert.equal(set.status, 0);
  assert.equal((await config(["proxy"])).stdout, "127.0.0.1:9050\n");
  const get = await config(["config", "get", "network.proxy", "--origin"]);
  assert.equal(get.stdout, "socks5://127.0.0.1:9050\tfile\n");
  // Options are read from the environment of a process.
  const fromEnvironment = await backroom(
    ["--data", folder.join("data"), "config", "get", "network.proxy", "--origin"],
    { env: { XDG_CONFIG_HOME: folder.join("xdg"), BACKROOM_PROXY: `@${folder.join("proxy")}` } },
  );
  assert.equal(fromEnvironment.stdout, "socks5://127.0.0.1:9050\tenvironment\n");
  const flag = await config([
    "--proxy",
    "socks5://127.0.0.1:1",
    "config",
    "get",
    "network.proxy",
    "--origin",
  ]);
  assert.equal(flag.stdout, "socks5://127.0.0.1:1\tflag\n");
  for (const run of [set, get, fromEnvironment]) assert.ok(!`${run.stdout}${run.stderr}`.includes("secret"));
});

/** Would catch: a change in the file of which the daemon that runs learns nothing, and one in a file that it does not go by. */
test("while a daemon runs it is asked, and a change is its own", async () => {
  const daemon = new FakeDaemon();
  const file = folder.join("config.toml");
  daemon.instead.listSettings = () => portOf(file);
  daemon.instead.setSetting = ({ value }) =>
    ({ ...portOf(file, Number(value)).settings[0], origin: "file" }) as never;
  const set = await config(["config", "set", "page.port", "8080"], {}, { daemon });
  assert.equal(set.stderr, "page.port is 8080, from the daemon's next start.\n");
  assert.deepEqual(daemon.asked.at(-1), { name: "setSetting", input: { key: "page.port", value: "8080" } });
  await config(["config", "unset", "page.port"], {}, { daemon });
  assert.deepEqual(daemon.asked.at(-1)?.input, { key: "page.port", value: null });
  const list = await config(["config", "list"], {}, { daemon, columns: 80 });
  assert.match(list.stdout, /page\.port/);
  assert.match(list.stderr, /line 3 of the settings file: x\.y is no setting/);
  for (const line of list.stdout.split("\n")) assert.ok(stripVTControlCharacters(line).length < 80, line);
  const other = await config(["--config", folder.join("other.toml"), "config", "list"], {}, { daemon });
  assert.deepEqual([other.status, codeOf(other)], [3, "E_SETTING"]);
});
