import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { havePartners } from "../../../core/test/support/partners.ts";
import { planService, type Person, type ServicePlan } from "../../src/service/service-plan.ts";

let folder: string;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), "backroom-service-"))));
after(() => rm(folder, { recursive: true, force: true }));

const ANN: Person = { platform: "linux", env: {}, home: "/home/ann", userName: "ann", uid: 1000 };

/** Names that each format has to quote in its own way. */
const NASTY = `/home/ann/a b/100% "of" $HOME\\ & <that> ü`;

function plan(
  person: Partial<Person>,
  program = ["/usr/bin/node", "--opt=1", "/opt/main.js"],
  dataFolder = "/home/ann/data",
): ServicePlan {
  return planService({ ...ANN, ...person }, program, {
    dataFolder,
    writableFolders: ["/home/ann/Downloads"],
  });
}

/** Would catch: a unit in a place where systemd does not look, steps in the wrong order. */
test("on Linux it is a user unit, which starts now and at login", () => {
  const { file, install, remove } = plan({});
  assert.equal(file, "/home/ann/.config/systemd/user/backroom.service");
  assert.equal(
    plan({ env: { XDG_CONFIG_HOME: "/cfg" } }).file,
    "/cfg/systemd/user/backroom.service",
    "XDG_CONFIG_HOME",
  );
  assert.deepEqual(
    install.map(({ command }) => command.slice(2).join(" ")),
    ["daemon-reload", "enable backroom.service", "restart backroom.service"],
  );
  assert.deepEqual(remove[0]?.command.slice(2), ["disable", "--now", "backroom.service"]);
});

/** Would catch: a hardening line that goes, a data folder that cannot be written, a switch that V8 does not survive. */
test("the unit lets the daemon write where it has to, and nothing else", () => {
  const { text } = plan({});
  assert.match(
    text,
    /^ExecStart="\/usr\/bin\/node" "--opt=1" "\/opt\/main.js" "--data" "\/home\/ann\/data" "daemon" "run"$/m,
  );
  for (const line of [
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    'ReadWritePaths="-/home/ann/data"',
    'ReadWritePaths="-/home/ann/Downloads"',
    "CacheDirectory=backroom",
    "PrivateTmp=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "UMask=0077",
  ]) {
    assert.ok(text.split("\n").includes(line), line);
  }
  assert.doesNotMatch(text, /^MemoryDenyWriteExecute/m);
});

/** Would catch: a key that systemd does not know, and a path that its quoting takes apart. */
test("systemd takes the unit, also with names that have to be quoted", async (t) => {
  if (!havePartners(t, "systemdAnalyze")) return;
  const program = path.join(folder, "pro g $1 100% räm");
  await writeFile(program, "#!/bin/sh\n");
  await chmod(program, 0o755);
  const { text } = plan({}, [program, NASTY], NASTY);
  const unit = path.join(folder, "backroom.service");
  await writeFile(unit, text);
  const seen = spawnSync("systemd-analyze", ["--user", "verify", unit], {
    encoding: "utf8",
    env: { ...process.env, XDG_RUNTIME_DIR: folder },
  });
  assert.deepEqual([seen.status, seen.stderr], [0, ""]);
});

/** Would catch: a path that systemd would silently read as another one. */
test("a folder whose name a unit cannot hold is refused", () => {
  const refused = (error: unknown): boolean => isBackroomError(error, "E_SERVICE");
  for (const name of [`/a"b'c`, "/a\nb"]) assert.throws(() => plan({}, ["/usr/bin/node"], name), refused);
  for (const name of [`/a"b`, "/a\\b", "/a\nb"]) assert.throws(() => plan({}, [name]), refused);
});

/** Would catch: XML that macOS cannot read, arguments that differ from those meant. */
test("on macOS it is a launch agent", (t) => {
  const { file, text, install } = plan(
    { platform: "darwin", home: "/Users/ann", uid: 501 },
    ["/n ode"],
    NASTY,
  );
  assert.equal(file, "/Users/ann/Library/LaunchAgents/backroom.daemon.plist");
  assert.deepEqual(install.at(-1)?.command, ["launchctl", "bootstrap", "gui/501", file]);
  assert.deepEqual([install[0]?.mayFail, install[1]?.mayFail], [true, false]);
  if (!havePartners(t, "python3")) return;
  const read = python(
    "import json,plistlib,sys;print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))",
    text,
  );
  const agent = JSON.parse(read) as Record<string, unknown>;
  assert.deepEqual(agent["ProgramArguments"], ["/n ode", "--data", NASTY, "daemon", "run"]);
  assert.deepEqual(
    [agent["RunAtLoad"], agent["KeepAlive"], agent["Umask"]],
    [true, { SuccessfulExit: false }, 0o077],
  );
});

/** Would catch: an encoding that schtasks refuses, quotes that Windows takes apart in another way, a program that is started with a window of its own. */
test("on Windows it is a task at login", (t) => {
  const dataFolder = "C:\\Users\\Ann B\\AppData\\Local\\Backroom\\";
  const program = ["C:\\Program Files\\nodejs\\node.exe", 'say "hi"\\', ""];
  const person: Partial<Person> = { platform: "win32", env: { USERDOMAIN: "PC" }, userName: "Ann & B" };
  const { file, bytes, text, install } = plan(person, program, dataFolder);
  assert.equal(file, "C:\\Users\\Ann B\\AppData\\Local\\Backroom\\service-task.xml");
  assert.deepEqual(install[0]?.command, ["schtasks", "/Create", "/TN", "Backroom", "/XML", file, "/F"]);
  assert.deepEqual([...bytes.subarray(0, 2)], [0xff, 0xfe], "the mark of UTF-16");
  if (!havePartners(t, "python3")) return;
  const read = python(
    `import json,sys,xml.etree.ElementTree as E
t=E.fromstring(sys.stdin.buffer.read().decode().split("?>",1)[1]);n="{http://schemas.microsoft.com/windows/2004/02/mit/task}"
print(json.dumps([t.find(f".//{n}{k}").text for k in ("Command","Arguments","UserId","RunLevel")]))`,
    text,
  );
  assert.deepEqual(JSON.parse(read), [
    "%SystemRoot%\\System32\\conhost.exe",
    `--headless "C:\\Program Files\\nodejs\\node.exe" "say \\"hi\\"\\\\" "" --data "C:\\Users\\Ann B\\AppData\\Local\\Backroom\\\\" daemon start`,
    "PC\\Ann & B",
    "LeastPrivilege",
  ]);
});

/** Would catch: a file written for a manager that is not there. */
test("elsewhere it is refused", () => {
  assert.throws(
    () => plan({ platform: "freebsd" }),
    (error) => isBackroomError(error, "E_SERVICE"),
  );
});

function python(code: string, input: string): string {
  const seen = spawnSync("python3", ["-c", code], { input, encoding: "utf8" });
  assert.equal(seen.status, 0, seen.stderr);
  return seen.stdout;
}
