import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { SocksServer } from "../../../core/test/support/socks-server.ts";
import { TorNetwork } from "../../../core/test/support/tor-network.ts";
import { DaemonMember } from "../support/daemon-member.ts";
import { TestNetwork } from "../support/network.ts";
import { backroom, TestFolder } from "../support/program.ts";
import { notesIn, whileWatching } from "../support/socket-notes.ts";
import type { SocketNote } from "../support/socket-watch.ts";
import { assertArrived, completed, makeFolders, outFolder, share } from "../support/transfer.ts";

const RELAYS = 4;
const TOR_END_MS = 120_000;

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
      const file = network.path("film.mp4");
      await writeFile(file, randomBytes(300_000));
      await makeFolders(network, "downloader");
      const shared = await share(network, "sharer", file);
      const out = outFolder(network, "downloader");
      await completed(await network.run("downloader", ["--proxy", url, "get", "-o", out, shared.link]));
      await assertArrived(file, out);
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

/**
 * Would catch: a part of the daemon that has a way of its own past the proxy: a relay that was agreed to before, the doctor, a download; or a transfer that goes on without the proxy once that is gone.
 */
test(
  "a daemon goes through its proxy alone, relays nothing, and waits where the proxy is gone",
  { timeout: 180_000 },
  async () => {
    await whileWatching(async (folder) => {
      const network = await TestNetwork.start(RELAYS);
      const server = await SocksServer.start();
      const member = new DaemonMember(network.dataFolder("downloader"), {
        BACKROOM_PROXY: `socks5://127.0.0.1:${server.port}`,
      });
      const isDaemons = ({ program }: SocketNote): boolean =>
        program.includes("daemon") && program.includes("run") && program.includes(member.dataFolder);
      try {
        const links = await Promise.all(
          ["one", "another"].map(async (name) => {
            const file = network.path(`${name}.mp4`);
            await writeFile(file, randomBytes(300_000));
            return { file, link: (await share(network, `sharer of ${name}`, file)).link };
          }),
        );
        const [first, second] = links as [(typeof links)[0], (typeof links)[0]];
        await makeFolders(network, "downloader");
        await network.join("downloader");
        await member.start();
        const client = await member.client();
        await client.call("setRelay", { mode: "on", gate: true });
        const output = outFolder(network, "downloader");
        await client.call("addGet", { link: first.link, output, wait: true });
        await member.transfer(({ state }) => state === "done");
        await assertArrived(first.file, output);
        await client.call("doctor");
        const { state, failure } = await client.call("relay");
        assert.deepEqual([state, failure?.code], ["failed", "E_PROXY"]);

        await server.close();
        const { id } = await client.call("addGet", { link: second.link, output, wait: true });
        const calledAt = server.requests.length;
        for (let looks = 0; ; looks++) {
          const now = await client.call("getTransfer", { id });
          if (now.waits?.code === "E_PROXY" || now.failure?.code === "E_PROXY") break;
          assert.ok(looks < 300, JSON.stringify(now));
          await sleep(100);
        }
        assert.equal(server.requests.length, calledAt);
        const notes = (await notesIn(folder)).filter(isDaemons);
        assert.ok(notes.some(({ what }) => what === "connect"));
        for (const { what, by } of notes) {
          if (what === "connect") assert.match(by, /\/net\/proxy-socket\.ts|\/doctor\/proxy-row\.ts/);
          else assert.match(by, /\/daemon\/src\/(http\/listener|doctor\/port-rows)\.ts/, what);
        }
      } finally {
        await member.end();
        await server.close();
        await network.close();
      }
    });
  },
);

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

/** Would catch a login that Tor does not tell apart, so that one exit sees that a member's channels belong together. */
test("a share is handed out and fetched through a real Tor, each channel on a circuit of its own", async (t) => {
  if (!havePartners(t, "tor")) return;
  const [network, tor] = await Promise.all([
    TestNetwork.start(RELAYS),
    TorNetwork.start({ relayCount: 3, hardEndMs: TOR_END_MS }),
  ]);
  try {
    const proxy = `socks5://127.0.0.1:${tor.socksPort}`;
    const file = network.path("film.mp4");
    await writeFile(file, randomBytes(300_000));
    await makeFolders(network, "downloader");
    const sharer = await network.run("sharer", ["--proxy", proxy, "share", file]);
    const { link } = await sharer.line((line) => line.event === "result");
    const streams = await tor.streams();
    const [targets, circuits] = [
      new Set(streams.map(({ target }) => target)),
      new Set(streams.map(({ circuit }) => circuit)),
    ];
    assert.ok(targets.size > 1, "the sharer called on one relay only, so nothing is shown");
    assert.equal(circuits.size, targets.size);
    const folder = outFolder(network, "downloader");
    await completed(await network.run("downloader", ["--proxy", proxy, "get", "-o", folder, String(link)]));
    await assertArrived(file, folder);
  } finally {
    await tor.close();
    await network.close();
  }
});
