import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { SocksServer } from "../../../core/test/support/socks-server.ts";
import { TorNetwork } from "../../../core/test/support/tor-network.ts";
import { TestNetwork } from "../support/network.ts";
import { backroom, TestFolder } from "../support/program.ts";
import { notesIn, whileWatching } from "../support/socket-notes.ts";
import { assertArrived, completed, makeFolders, outFolder, share } from "../support/transfer.ts";

const RELAYS = 4;
const TOR_END_MS = 120_000;

/** Shares a file and has a member fetch it through the proxy. */
async function fetchThrough(network: TestNetwork, name: string, proxy: string): Promise<void> {
  const file = network.path("film.mp4");
  await writeFile(file, randomBytes(300_000));
  await makeFolders(network, name);
  const { link } = await share(network, "sharer", file);
  const folder = outFolder(network, name);
  await completed(await network.run(name, ["--proxy", proxy, "get", "-o", folder, link]));
  await assertArrived(file, folder);
}

/**
 * Would catch: a connection past the proxy, by name, or with one user name for two relays; a member that goes on without its proxy when that
 * is gone; a kept proxy that a command forgets; a relay that shows its address although the person wants it hidden.
 */
test("with a proxy everything goes through it, and nothing goes at all without it", async () => {
  await whileWatching(async (folder) => {
    const network = await TestNetwork.start(RELAYS);
    const server = await SocksServer.start();
    const url = `socks5://127.0.0.1:${server.port}`;
    const connections = async () =>
      (await notesIn(folder)).filter(({ what, program }) => what === "connect" && program.includes("get"));
    try {
      await fetchThrough(network, "downloader", url);
      const before = await connections();
      assert.ok(before.length > 0 && server.requests.length > 0);
      for (const { by } of before) assert.match(by, /\/net\/proxy-socket\.ts/);
      const [users, ports] = [
        new Set(server.requests.map((one) => one.username)),
        new Set(server.requests.map((one) => one.port)),
      ];
      assert.equal(users.size, ports.size);
      for (const { type } of server.requests) assert.equal(type, 1);

      await server.close();
      await network.join("late");
      const late = ["--json", "--data", network.dataFolder("late")];
      assert.equal((await backroom([...late, "proxy", url])).status, 0);
      const { link } = await share(network, "sharer 2", network.path("film.mp4"));
      for (const command of [
        ["get", link],
        ["share", network.path("film.mp4")],
        ["relay", "on", "--no-gate"],
      ]) {
        const run = await backroom([...late, ...command]);
        assert.deepEqual([run.code, run.status], ["E_PROXY", 4], command[0]);
      }
      for (const { by } of await connections()) assert.match(by, /\/net\/proxy-socket\.ts/);
      assert.equal((await backroom([...late, "proxy", "off"])).lines().at(-1)?.["place"], null);
    } finally {
      await server.close();
      await network.close();
    }
  });
});

test("a login is taken from a file or the environment, never from the command line, and shown to nobody", async () => {
  const folder = await TestFolder.make();
  try {
    const url = "socks5://ann:open-sesame@127.0.0.1:9";
    const start = ["--json", "--data", folder.join("data")];
    for (const args of [
      ["--proxy", url, "proxy"],
      ["proxy", url],
    ]) {
      const run = await backroom([...start, ...args]);
      assert.equal(run.code, "E_USAGE");
      assert.ok(!run.stdout.includes("sesame"));
    }
    await writeFile(folder.join("url"), `${url}\n`);
    const runs = [
      await backroom([...start, "--proxy", `@${folder.join("url")}`, "proxy"]),
      await backroom([...start, "proxy"], { env: { BACKROOM_PROXY: url } }),
      await backroom([...start, "proxy", "-"], { input: url }),
      await backroom([...start, "proxy"]),
    ];
    for (const run of runs) {
      assert.partialDeepStrictEqual(run.lines().at(-1), { place: "127.0.0.1:9", hasLogin: true });
      assert.ok(!run.stdout.includes("sesame"));
    }
    assert.equal(
      (await backroom([...start, "--proxy", "socks5://relay.example:1", "proxy"])).code,
      "E_PROXY",
    );
  } finally {
    await folder.remove();
  }
});

test("a download goes through a real Tor", async (t) => {
  if (!havePartners(t, "tor")) return;
  const [network, tor] = await Promise.all([
    TestNetwork.start(RELAYS),
    TorNetwork.start({ relayCount: 3, hardEndMs: TOR_END_MS }),
  ]);
  try {
    await fetchThrough(network, "downloader", `socks5://127.0.0.1:${tor.socksPort}`);
  } finally {
    await tor.close();
    await network.close();
  }
});
