import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { DaemonMember } from "../support/daemon-member.ts";
import { TestNetwork } from "../support/network.ts";
import { notesIn, watchInto, whileWatching } from "../support/socket-notes.ts";
import type { SocketNote } from "../support/socket-watch.ts";

const DHT_CHILD = "/core/src/net/dht/child.ts";

/** Where a daemon listens: for its clients, as a relay, and for a moment where the doctor tries whether a port is free. */
const DOORS =
  /\/(daemon\/src\/http\/listener|daemon\/src\/doctor\/port-rows|core\/src\/net\/tls-listener)\.ts/;

const inDht = (one: SocketNote): boolean => one.program[0]?.endsWith(DHT_CHILD) === true;
const of = (notes: readonly SocketNote[], command: string): SocketNote[] =>
  notes.filter(({ program }) => program.includes(command));

/**
 * Would catch: a library, or a module of ours other than `net`, that opens a socket; a member that is no relay and speaks UDP; anything at
 * all that resolves a name. (A relay that asks its router for a port speaks UDP and HTTP in one more process: port-forwarding.test.ts.) What the linter forbids in our own source it cannot see in others'.
 */
test("while a share travels, only net/ opens sockets, only the DHT process speaks UDP, and nobody resolves a name", async () => {
  await whileWatching(async (folder) => {
    const network = await TestNetwork.start(5);
    try {
      const content = randomBytes(300_000);
      await writeFile(network.path("film.mp4"), content);
      await mkdir(network.path("out"));
      const sharer = await network.run("sharer", ["share", network.path("film.mp4")]);
      const { link } = await sharer.line((line) => line.event === "result");
      const downloader = await network.run("downloader", ["get", "-o", network.path("out"), String(link)]);
      await downloader.line((line) => line.event === "result");
      assert.deepEqual(await readFile(network.path("out", "film.mp4")), content);

      const notes = await notesIn(folder);
      for (const command of ["share", "get", "relay"]) {
        assert.ok(
          of(notes, command).some(({ what }) => what === "connect"),
          `${command} was not watched`,
        );
      }
      assert.ok(notes.some(({ what }) => what === "listen") && notes.some(inDht), "too little was watched");
      for (const one of notes) {
        assert.notEqual(one.what, "resolve", one.by);
        if (one.what === "datagram") assert.ok(inDht(one), one.by);
        else assert.match(one.by, /\/core\/src\/net\/[a-z-]+\.ts/);
        if (one.what === "listen")
          assert.ok(one.program.includes("relay"), "a member that is no relay listens");
      }
    } finally {
      await network.close();
    }
  });
});

/**
 * The same of daemons with all that they have: page, relay, a folder that is watched, the doctor. Would catch: a part of the daemon that calls somebody by itself, or by name, or listens where
 * it need not; a member of the daemon's that asks the DHT though it is no relay.
 */
test(
  "daemons open nothing but their doors and what net/ opens, and resolve no name",
  { timeout: 180_000 },
  async () => {
    await whileWatching(async (folder) => {
      const network = await TestNetwork.start(5);
      const page = {
        BACKROOM_PAGE_ENABLED: "true",
        BACKROOM_PAGE_PORT: "0",
        BACKROOM_RELAY_HOSTS: "127.0.0.1",
      };
      const sharer = new DaemonMember(network.dataFolder("sharer"), page);
      const downloader = new DaemonMember(network.dataFolder("downloader"));
      try {
        for (const name of ["sharer", "downloader"]) await network.join(name);
        await Promise.all([sharer.start(), downloader.start()]);
        const client = await sharer.client();
        await client.call("setRelay", { mode: "on", gate: true, port: 0 });
        await mkdir(network.path("watched"));
        await client.call("addWatch", { folder: network.path("watched") });
        await writeFile(network.path("film.mp4"), randomBytes(300_000));
        await client.call("addShare", { paths: [network.path("film.mp4")] });
        const shared = await sharer.transfer(({ state, gateCount }) => state === "seeding" && gateCount > 0);
        const { link } = await client.call("links", { id: shared.id });
        await client.call("openPage");
        const fetching = await downloader.client();
        await fetching.call("addGet", { link, output: network.path("out"), wait: true });
        await downloader.transfer(({ state }) => state === "done");
        await Promise.all([client.call("doctor"), fetching.call("doctor")]);

        const notes = of(await notesIn(folder), "daemon");
        const [ofSharer, ofDownloader] = [sharer, downloader].map(({ dataFolder }) => of(notes, dataFolder));
        for (const own of [ofSharer ?? [], ofDownloader ?? []]) {
          assert.ok(
            own.some(({ what }) => what === "connect"),
            "a daemon was not watched",
          );
        }
        for (const one of notes) {
          assert.notEqual(one.what, "resolve", one.by);
          assert.notEqual(one.what, "datagram", one.by);
          if (one.what === "listen") assert.match(one.by, DOORS);
          else assert.match(one.by, /\/(core\/src\/net|api\/src\/client)\/[a-z-]+\.ts/);
        }
      } finally {
        await Promise.all([sharer.end(), downloader.end()]);
        await network.close();
      }
    });
  },
);

/** The control of the tests above: each of the things that it says nobody does is seen when somebody does it. */
test("what must not be done is noted when it is done", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-sockets-"));
  try {
    const breach = [
      `import { connect, createServer } from "node:net"; import { createSocket } from "node:dgram";`,
      `import { lookup } from "node:dns/promises"; import dns from "node:dns";`,
      `connect(9, "127.0.0.1").on("error", () => {}); const server = createServer().listen(0, () => server.close());`,
      `const udp = createSocket("udp4"); udp.send("x", 9, "127.0.0.1", () => udp.close());`,
      `await lookup("localhost"); dns.lookup("127.0.0.1", () => {}); await fetch("http://127.0.0.1:65000").catch(() => {});`,
    ].join("\n");
    const args = [watchInto(folder), "--input-type=module", "-e", breach];
    execFileSync(process.execPath, args, { timeout: 20_000 });
    const counts = new Map<string, number>();
    for (const { what } of await notesIn(folder)) counts.set(what, (counts.get(what) ?? 0) + 1);
    assert.ok((counts.get("connect") ?? 0) >= 2, "a connection, or that of fetch, was not seen");
    assert.deepEqual([counts.get("listen"), counts.get("resolve")], [1, 1]);
    assert.ok((counts.get("datagram") ?? 0) > 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
