import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { CommandProcess } from "../../src/demo/children.ts";
import type { CommandPath } from "../../src/contract.ts";
import { assertContract } from "../support/json-contract.ts";
import { BACKROOM, TestNetwork } from "../support/network.ts";
import { backroom, TestFolder, type Run } from "../support/program.ts";

let network: TestNetwork;
let folder: TestFolder;
before(async () => {
  folder = await TestFolder.make();
  network = await TestNetwork.start(5);
  await writeFile(folder.join("film.mp4"), randomBytes(3_000_000));
});
after(async () => {
  await network.close();
  await folder.remove();
});

function assertRun(run: Run, command: CommandPath): Record<string, unknown> {
  assert.deepEqual([run.status, run.stderr], [0, ""], run.stdout);
  const lines = run.lines();
  assertContract(lines, command);
  const last = lines.at(-1) ?? {};
  assert.equal(last["event"], "result", command);
  return last;
}

test("commands without a network write what docs/CLI.md says and nothing else", async () => {
  const at = (name: string, ...args: string[]): Promise<Run> =>
    backroom(["--json", "--data", folder.join(name), ...args]);
  const pack = folder.join("pack");
  const sealed = assertRun(await at("a", "seal", folder.join("film.mp4"), "-o", pack), "seal");
  assert.equal(sealed["kind"], "read");
  const opened = assertRun(
    await at("a", "open", pack, String(sealed["link"]), "-o", folder.join("opened")),
    "open",
  );
  assert.deepEqual(opened["paths"], [folder.join("opened", "film.mp4")]);
  const joined = assertRun(await at("b", "network", "join", network.invite), "net join");
  assertRun(await at("b", "network", "use", String(joined["id"])), "net use");
  const listed = assertRun(await at("b", "network", "list"), "net list");
  assert.equal((listed["networks"] as unknown[]).length, 1);
  assertRun(await at("b", "invite"), "invite");
  assertRun(await at("c", "network", "create", "--no-run"), "net create");
});

test("share and get write what docs/CLI.md says; share goes on after its result and ends with 0", async () => {
  const sharer = await network.run("sharer", ["share", folder.join("film.mp4")]);
  const shared = await sharer.line((line) => line.event === "result");
  await sharer.line((line) => line.event === "seeding" && Number(line["gates"]) > 0);
  const got = await backroom(
    [
      "--json",
      "--data",
      folder.join("downloader"),
      "get",
      "-",
      "--accept-link-relays",
      "-o",
      folder.join("got"),
    ],
    { input: `${String(shared["link"])}\n` },
  );
  const result = assertRun(got, "get");
  assert.ok(Number(result["fetchedBytes"]) >= 3_000_000);
  sharer.kill("SIGINT");
  assert.equal(await sharer.ended(), 0);
  assertContract(sharer.lines(), "share");
});

test("a relay and a network say when they are ready, and end with 0 when they are stopped", async () => {
  const relay = await network.run("extra relay", ["relay", "--host", "127.0.0.1"]);
  await relay.line((line) => line.event === "ready");
  await relay.line((line) => line.event === "relays");
  const here = await network.run("host", ["network", "create", "--host", "127.0.0.1", "--relays", "3"]);
  const { invite } = await here.line((line) => line.event === "result");
  const joined = await backroom(["--data", folder.join("guest"), "network", "join", "@-"], {
    cwd: folder.path,
  });
  assert.equal(joined.code, "E_FILE", "@ is followed by a file's name");
  await writeFile(folder.join("invite.txt"), `${String(invite).slice(0, 60)}\n${String(invite).slice(60)}\n`);
  const again = await backroom(["--data", folder.join("guest"), "network", "join", "@invite.txt"], {
    cwd: folder.path,
  });
  assert.equal(again.status, 0, again.stderr);
  for (const [one, command] of [
    [relay, "relay run"],
    [here, "net create"],
  ] as const) {
    one.kill("SIGTERM");
    assert.equal(await one.ended(), 0);
    assertContract(one.lines(), command);
  }
  // The same network at the same ports: links and invites that are out there hold.
  const args = ["network", "run", "--host", "127.0.0.1", "--relays", "3"];
  const later = new CommandProcess("host again", BACKROOM, args, network.dataFolder("host"));
  try {
    await later.line((line) => line.event === "result");
    const sharing = ["--json", "--data", folder.join("guest"), "share", folder.join("film.mp4")];
    const shared = await backroom(sharing, { prefix: ["timeout", "-s", "INT", "10"] });
    assert.ok(
      shared.lines().some((line) => line["event"] === "result"),
      shared.stdout,
    );
    later.kill("SIGTERM");
    assert.equal(await later.ended(), 0);
    assertContract(later.lines(), "net run");
  } finally {
    later.kill("SIGKILL");
  }
});

test("an error is the last line, with its code and exit status", async () => {
  const run = await backroom(["--json", "open", folder.join("nothing-there"), "backroom:x"]);
  const last = run.lines().at(-1) ?? {};
  assertContract(run.lines(), "open");
  assert.deepEqual([last["event"], last["exit"], run.status, run.stderr], ["error", run.status, 3, ""]);
});
