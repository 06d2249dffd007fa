import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { CommandProcess } from "../../src/demo/children.ts";
import { havePartners } from "../../../core/test/support/partners.ts";
import { addHomeRouter, HOME_ADDRESS, type HomeRouter } from "../support/home-router.ts";
import { LabLogs } from "../support/lab-logs.ts";
import { createLab } from "../support/namespaces.ts";
import { TestNetwork } from "../support/network.ts";
import { TCP, type Packet } from "../support/pcap.ts";

/** As many as a path needs, so that each of them keeps a channel of the guest. */
const RELAYS = ["relay 1", "relay 2", "relay 3"];
const AT_HOME = ["sharer", "downloader", "helper"];
const PORT = 4430;
/** A path leads through the guest in one case of two: none of so many does in one run of a thousand. */
const MOST_DOWNLOADS = 10;

/** Bytes that a computer, as others see it, took part in. */
function bytesOf(packets: readonly Packet[], address: string): number {
  const own = packets.filter(({ source, target }) => source === address || target === address);
  return own.reduce((sum, { payload }) => sum + payload.length, 0);
}

/** Fails where the connection gets an answer, be it a refusal. */
const noAnswer = (host: string): string =>
  [
    `const socket = require("node:net").connect(${PORT}, "${host}");`,
    `socket.on("connect", () => process.exit(1)).on("error", () => process.exit(2));`,
    `setTimeout(() => process.exit(0), 1500);`,
  ].join("");

/**
 * Would catch: anything that needs somebody to be dialled who cannot be: a share that cannot be found or fetched, a relay behind a router that says
 * it can be reached, a host that dials its guest, a gate behind a router; and an address of a home network in what others are told, or any in a log.
 */
test("three homes whose routers let nothing in share, download and relay", async (t) => {
  if (!havePartners(t, "netns", "nft", "tcpdump")) return;
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-homes-"));
  const names = [...AT_HOME, ...RELAYS];
  const lab = await createLab(names, folder, { without6: names });
  const logs = new LabLogs(folder);
  const routers: HomeRouter[] = [];
  let network: TestNetwork | undefined;
  try {
    for (const name of AT_HOME) routers.push(addHomeRouter(lab, name));
    network = await TestNetwork.start(RELAYS.length, { ...lab, options: (name) => logs.options(name) });
    const helper = await network.run("helper", ["relay", "auto", "--gate", "--port", String(PORT)]);
    const ready = await helper.line((line) => line.event === "ready");
    assert.equal(ready["reachable"], false);
    await helper.line((line) => line.event === "standing" && line["hosts"] === RELAYS.length);
    await lab.runScript("relay 1", noAnswer(lab.address("helper")));

    const content = randomBytes(2 * 1024 * 1024);
    await writeFile(network.path("film.mp4"), content);
    const sharer = await network.run("sharer", ["share", network.path("film.mp4")]);
    const { link } = await sharer.line((line) => line.event === "result");
    for (let count = 1, before = 0, seen = 0; seen - before < content.length; count++) {
      assert.ok(count <= MOST_DOWNLOADS, "no download came through the guest");
      before = bytesOf(lab.soFar(), lab.address("helper"));
      const out: string = network.path(`out ${count}`);
      await mkdir(out);
      const downloader: CommandProcess = await network.run("downloader", ["get", "-o", out, String(link)]);
      await downloader.line((line) => line.event === "result");
      assert.equal(await downloader.ended(), 0);
      assert.deepEqual(await readFile(path.join(out, "film.mp4")), content);
      seen = bytesOf(lab.soFar(), lab.address("helper"));
    }
    helper.kill("SIGINT");
    assert.equal(await helper.ended(), 0);
    const carriedBytes = Number(helper.latest("relaying")?.["carriedBytes"]);
    assert.ok(carriedBytes > content.length, `the helper carried ${carriedBytes} bytes`);

    const packets = await lab.captured();
    const homes = new Set(AT_HOME.map((name) => lab.address(name)));
    const relays = new Set(RELAYS.map((name) => lab.address(name)));
    const ofHomes = packets.filter(({ source, target }) => homes.has(source) || homes.has(target));
    for (const home of homes) assert.ok(bytesOf(ofHomes, home) > 0, "a home was not seen at all");
    assert.ok(ofHomes.every(({ source, target }) => relays.has(source) || relays.has(target)));
    assert.ok(
      ofHomes.every(({ protocol }) => protocol === TCP),
      "a home spoke with the DHT",
    );
    assert.ok(packets.every(({ payload }) => !payload.includes(HOME_ADDRESS)));
    await logs.assertSilent(network, packets, {
      relays: RELAYS,
      sharer: "sharer",
      link: String(link),
      addresses: [HOME_ADDRESS],
    });
    // What knocked at a home's door: each of the relays that was asked to dial back, and the script above, at that one port.
    const syns = ofHomes.filter(({ isSyn }) => isSyn);
    const opened = new Set(syns.map(({ source, sourcePort }) => `${source} ${sourcePort}`));
    const knocks = syns.filter(
      ({ target, targetPort }) => homes.has(target) && !opened.has(`${target} ${targetPort}`),
    );
    assert.ok(knocks.length > 0 && knocks.every(({ targetPort }) => targetPort === PORT));
    assert.deepEqual([...new Set(knocks.map(({ target }) => target))], [lab.address("helper")]);
  } finally {
    await network?.close();
    for (const router of routers) router.close();
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  }
});
