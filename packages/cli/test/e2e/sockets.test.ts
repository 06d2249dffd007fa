import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { TestNetwork } from "../support/network.ts";
import { notesIn, watchInto, whileWatching } from "../support/socket-notes.ts";
import type { SocketNote } from "../support/socket-watch.ts";

const DHT_CHILD = "/core/src/net/dht/child.ts";

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

/** The control of the test above: each of the things that it says nobody does is seen when somebody does it. */
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
