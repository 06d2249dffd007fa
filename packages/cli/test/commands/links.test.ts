import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import { after, before, describe, test } from "node:test";
import { createNetwork } from "@backroom/core/node/networks.ts";
import { formatInvite, parseInvite } from "@backroom/core/link/invite.ts";
import { formatLink, lockedLink, parseLink, type ReadLink } from "@backroom/core/link/link.ts";
import { TestNetwork } from "../support/network.ts";
import { backroom, listing, TestFolder, type Run } from "../support/program.ts";

let network: TestNetwork;
let folder: TestFolder;
/** A share that is handed out as long as this runs, and its link. */
let link: string;
/** Takes connections and never says anything. */
let silent: Server;

before(async () => {
  folder = await TestFolder.make();
  network = await TestNetwork.start(5);
  await writeFile(folder.join("film.mp4"), randomBytes(2_000_000));
  const sharer = await network.run("sharer", ["share", folder.join("film.mp4")]);
  link = String((await sharer.line((line) => line.event === "result"))["link"]);
  silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  await network.join("member");
});
after(async () => {
  silent.close();
  await network.close();
  await folder.remove();
});

/**
 * Fetches as a member of the network, or with a fresh data folder; expects that code within that time, and that folders hold what they held
 * before: no output folder, no network that could not be joined, no pack of which nothing came.
 */
async function refused(
  code: string,
  args: readonly string[],
  { data = network.dataFolder("member"), seconds = 60, input = "", cwd = folder.path } = {},
): Promise<Run> {
  const [own, members] = await Promise.all([listing(cwd), dataListing(data)]);
  const run = await backroom(["--data", data, ...args], { cwd, input });
  assert.equal(run.code, code, `${args[0]}: ${run.stdout}${run.stderr}`);
  assert.equal(run.stdout, "");
  assert.ok(run.seconds < seconds, `took ${run.seconds} s`);
  assert.deepEqual(await listing(cwd), own);
  assert.deepEqual(await dataListing(data), members);
  return run;
}

/** What a member keeps, its table of relays and what it keeps of paths aside: those change whenever it joins. */
async function dataListing(data: string): Promise<string[]> {
  const all = await listing(data).catch(() => []);
  const emptyFolders = ["networks/", "packs/", "relay/", "shares/"];
  return all.filter((name) => !/^networks\/\w+\.(table|paths) /.test(name) && !emptyFolders.includes(name));
}

const mistyped = (text: string): string =>
  text.slice(0, 80) + (text[80] === "a" ? "b" : "a") + text.slice(81);

function get(text: string, ...more: string[]): string[] {
  return ["get", text, "--accept-link-relays", "-o", "out", ...more];
}

test("what is no link is refused by what is wrong with it, before anything is asked or made", async () => {
  await refused("E_LINK_CHECKSUM", get(mistyped(link)));
  await refused("E_LINK", get("https://example.org/film.mp4"));
  await refused("E_LINK", get("-"), { input: "" });
  const invite = await refused("E_LINK", get(network.invite));
  assert.match(invite.stderr, /invite, not a link/);
  const asInvite = await refused("E_INVITE", ["network", "join", link]);
  assert.match(asInvite.stderr, /link, not an invite/);
  await refused("E_LINK_CHECKSUM", ["network", "join", mistyped(network.invite)]);
});

test("a link of seal names no network; one of an unknown network without relays leads nowhere", async () => {
  const sealed = formatLink({ ...parseLink(link), networkId: 0 });
  await refused("E_LINK", get(sealed));
  const stranger = formatLink({ ...parseLink(link), networkId: 0x1234_5678, relays: [] });
  await refused("E_OTHER_NETWORK", get(stranger));
  // Its relays answer, and belong to another network than it says.
  const lying = formatLink({ ...parseLink(link), networkId: 0x1234_5678 });
  await refused("E_OTHER_NETWORK", get(lying), { data: folder.join("../lied-to") });
});

/** Both wait and hardly work, so they do it at once, in folders of their own. */
describe("patience that ends", { concurrency: true }, () => {
  test("relays that do not answer, or never say anything, end in E_NO_RELAYS within bounded time", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port: deadPort } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { port: silentPort } = silent.address() as AddressInfo;
    await Promise.all(
      [deadPort, silentPort].map(async (port) => {
        const relays = [{ nodeKey: randomBytes(32), host: "127.0.0.1", port }];
        const data = network.dataFolder(`to ${port}`);
        const lost = formatLink({ ...parseLink(link), networkId: 0x8765_4321, relays });
        const before = await listing(folder.path);
        const run = await backroom(["--data", data, ...get(lost)], { cwd: folder.path });
        assert.equal(run.code, "E_NO_RELAYS", run.stderr);
        assert.ok(run.seconds < 60, `took ${run.seconds} s`);
        assert.deepEqual([await listing(folder.path), await dataListing(data)], [before, []]);
      }),
    );
    const relays = [{ nodeKey: randomBytes(32), host: "127.0.0.1", port: deadPort }];
    const invite = formatInvite({ ...parseInvite(network.invite), networkId: 77, relays });
    const data = network.dataFolder("invited");
    assert.equal((await backroom(["--data", data, "network", "join", invite])).status, 0);
    await refused("E_NO_RELAYS", ["share", folder.join("film.mp4")], { data });
  });

  test("a share that nobody hands out ends in E_NO_SEEDERS and leaves neither pack nor folder", async () => {
    await network.join("patient");
    const data = network.dataFolder("patient");
    const cwd = network.path("patient's");
    await mkdir(cwd);
    const nobody = formatLink({ ...parseLink(link), piecesRoot: randomBytes(32) });
    await refused("E_NO_SEEDERS", get(nobody, "-o", "deep/down"), { data, cwd, seconds: 120 });
  });
});

test("without a network, or with one that has no relay, that is what is said", async () => {
  const data = network.dataFolder("newcomer");
  for (const args of [["share", "film.mp4"], ["invite"], ["relay", "--host", "127.0.0.1"]])
    await refused("E_NO_NETWORK", args, { data });
  await createNetwork({ dataFolder: network.dataFolder("founder"), name: "empty" });
  await refused("E_NO_RELAYS", ["share", "film.mp4"], { data: network.dataFolder("founder") });
  await refused("E_NO_RELAYS", ["invite"], { data: network.dataFolder("founder") });
  await refused("E_NO_NETWORK", ["network", "use", "00000000"]);
});

test("a locked link without a key says what would open it, and a wrong key is not taken for damage", async () => {
  const locked = formatLink(lockedLink(parseLink(link) as ReadLink));
  const run = await refused("E_USAGE", get(locked));
  for (const option of ["--mirror", "-i", "--password-file"]) assert.ok(run.stderr.includes(option), option);
  const data = network.dataFolder("guesser");
  await writeFile(folder.join("password"), "correct horse battery staple\n");
  await network.join("guesser");
  const guess = await backroom(["--data", data, ...get(locked, "--password-file", "password")], {
    cwd: folder.path,
  });
  assert.equal(guess.code, "E_NO_KEY", guess.stderr);
  assert.ok(!(await listing(folder.path)).includes("out/"));
});

test("a target that exists is found out before the share is fetched, and is not touched", async () => {
  // Long enough that all of it cannot have come before its index was read.
  await mkdir(folder.join("long"));
  await writeFile(folder.join("long/film.mp4"), randomBytes(64 * 1024 * 1024));
  const sharer = await network.run("long sharer", ["share", folder.join("long/film.mp4")]);
  const { link: long } = await sharer.line((line) => line.event === "result");
  await writeFile(network.path("film.mp4"), "mine");
  const run = await backroom(["--json", "--data", network.dataFolder("member"), "get", String(long)], {
    cwd: network.folder,
  });
  assert.equal(run.code, "E_TARGET_EXISTS", run.stdout);
  assert.match(String(run.lines().at(-1)?.["what"]), /film\.mp4/);
  const fetched = run
    .lines()
    .filter((line) => line["event"] === "progress" && line["done"] === line["total"]);
  assert.deepEqual(fetched, []);
  sharer.kill("SIGTERM");
});

test("the same share is handed out once from one data folder, and fetching it there keeps it", async () => {
  const data = network.dataFolder("sharer");
  const shares = (await dataListing(data)).filter((name) => name.startsWith("shares/"));
  for (const args of [["share", link], get(link)]) {
    const run = await backroom(["--data", data, ...args], { cwd: folder.path });
    assert.equal(run.code, "E_LOCKED", run.stderr);
    assert.match(run.stderr, /already/);
  }
  assert.deepEqual(
    (await dataListing(data)).filter((name) => name.startsWith("shares/")),
    shares,
  );
});
