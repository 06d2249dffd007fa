import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { assertContract } from "../support/json-contract.ts";
import { TestNetwork } from "../support/network.ts";
import { backroom, type Run } from "../support/program.ts";

let network: TestNetwork;
before(async () => {
  network = await TestNetwork.start(5);
});
after(async () => {
  for (const name of ["sharer", "downloader"]) await as(name, "daemon", "stop");
  await network.close();
});

/** Runs a command as that member, who leaves work to a daemon and has settings of its own. */
function as(name: string, ...args: string[]): Promise<Run> {
  return backroom(["--data", network.dataFolder(name), ...args], {
    env: {
      BACKROOM_FOREGROUND: undefined,
      BACKROOM_PAGE_PORT: "0",
      BACKROOM_RISK_ACCEPTED: "true",
      XDG_CONFIG_HOME: network.path("config", name),
    },
    cwd: network.folder,
  });
}

/** Would catch: a command that does not end, a daemon that ends with it, shares that are gone after a restart, results that are not where scripts look. */
test("what is shared through one daemon is fetched through another, and outlasts both commands", async () => {
  const film = randomBytes(3_000_000);
  await writeFile(network.path("film.mp4"), film);
  await network.join("sharer");
  const shared = await as("sharer", "share", "film.mp4");
  assert.equal(shared.status, 0, shared.stderr);
  assert.match(shared.stdout, /^backroom:[a-z2-7]+\n$/);
  assert.match(shared.stderr, /Started the daemon/);

  await writeFile(network.path("link.txt"), shared.stdout);
  const got = await as("downloader", "--json", "get", "@link.txt", "-o", "out", "--accept-link-relays");
  assert.deepEqual([got.status, got.stderr], [0, ""], got.stdout);
  assertContract(got.lines(), "get");
  assert.deepEqual(got.lines().at(-1)?.["paths"], [network.path("out", "film.mp4")]);
  assert.deepEqual(await readFile(network.path("out", "film.mp4")), film);

  const listed = await as("sharer", "--json", "ls");
  assertContract(listed.lines(), "ls");
  assert.deepEqual(
    listed.lines().map(({ event, name, state }) => [event, name, state]),
    [
      ["transfer", "film.mp4", "seeding"],
      ["result", undefined, undefined],
    ],
  );
  const status = await as("sharer", "--json", "net");
  assertContract(status.lines(), "net status");
  assert.equal(status.lines()[0]?.["state"], "joined");

  assert.equal((await as("sharer", "daemon", "stop")).status, 0);
  assert.equal((await as("sharer", "ls")).code, "E_NO_DAEMON", "a list brings nothing back");
  assert.equal((await as("sharer", "daemon", "start")).status, 0);
  const again = await as("sharer", "link", "film.mp4");
  assert.equal(again.stdout, shared.stdout);
});

/** Would catch: a choice that is lost between the command line and the pieces: more that comes than was chosen, or a later choice that fetches nothing. */
test("some files of a share are fetched by pattern, and others later", async () => {
  const files = ["a.jpg", "b.jpg", "c.raw"].map((name) => ({ name, bytes: randomBytes(1_200_000) }));
  await mkdir(network.path("album"));
  for (const { name, bytes } of files) await writeFile(network.path("album", name), bytes);
  const shared = await as("sharer", "share", "album");
  assert.equal(shared.status, 0, shared.stderr);
  const got = await as(
    "downloader",
    "--json",
    "get",
    shared.stdout.trim(),
    "-o",
    "out",
    "--only",
    "*.raw",
    "--accept-link-relays",
  );
  assert.equal(got.status, 0, got.stdout + got.stderr);
  const { id, fileCount, fetchedBytes } = got.lines().at(-1) ?? {};
  assert.equal(fileCount, 1);
  assert.ok(Number(fetchedBytes) < 3_000_000, `${String(fetchedBytes)} bytes came`);
  assert.deepEqual(await readdir(network.path("out", "album")), ["c.raw"]);

  const more = await as("downloader", "--json", "files", String(id), "--high", "album/a.jpg");
  assertContract(more.lines(), "files");
  assert.deepEqual(
    more
      .lines()
      .slice(0, -1)
      .map(({ path, priority }) => [path, priority]),
    [
      ["album/a.jpg", "high"],
      ["album/b.jpg", "skip"],
      ["album/c.raw", "normal"],
    ],
  );
  for (let state = ""; state !== "done";) {
    state = String((await as("downloader", "--json", "info", String(id))).lines().at(-1)?.["state"]);
    assert.notEqual(state, "failed");
  }
  for (const at of [0, 2]) {
    const { name, bytes } = files[at] as (typeof files)[number];
    assert.deepEqual(await readFile(network.path("out", "album", name)), bytes);
  }
  assert.deepEqual((await readdir(network.path("out", "album"))).sort(), ["a.jpg", "c.raw"]);
});
