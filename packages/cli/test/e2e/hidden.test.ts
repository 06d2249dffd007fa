import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { createLab } from "../support/namespaces.ts";
import { TestNetwork } from "../support/network.ts";
import type { Packet } from "../support/pcap.ts";

const RELAYS = ["relay 1", "relay 2", "relay 3", "relay 4", "relay 5", "relay 6", "relay 7", "relay 8"];
const UDP = 17;

/** Packets between two addresses, in either direction. */
function between(packets: readonly Packet[], a: string, b: string): Packet[] {
  return packets.filter(
    ({ source, target }) => (source === a && target === b) || (source === b && target === a),
  );
}

function holds(packet: Packet, address: string): boolean {
  return (
    packet.payload.includes(Buffer.from(address.split(".").map(Number))) || packet.payload.includes(address)
  );
}

/** A capture lags behind on a busy machine; what it must show may take a while to be there. */
async function until(shown: () => Promise<boolean>): Promise<boolean> {
  for (let look = 0; look < 20; look++) if (await shown()) return true;
  return false;
}

/**
 * Would catch: any direct connection, a DHT node run by a member that is no relay, an address of a member in an announcement or answer,
 * a relay that connects where it should not.
 */
test("sharer and downloader never exchange a packet, and the DHT never hears of them", async (t) => {
  if (!havePartners(t, "netns", "tcpdump")) return;
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-lab-"));
  const names = ["sharer", "downloader", ...RELAYS];
  const lab = await createLab(names, folder);
  let network: TestNetwork | undefined;
  try {
    network = await TestNetwork.start(RELAYS.length, lab);
    const [sharerAt, downloaderAt] = [lab.address("sharer"), lab.address("downloader")];
    const content = randomBytes(6 * 1024 * 1024);
    await writeFile(network.path("film.mp4"), content);
    await mkdir(network.path("out"));
    const sharer = await network.run("sharer", ["share", network.path("film.mp4")]);
    const { link } = await sharer.line((line) => line.event === "result");
    const downloader = await network.run("downloader", ["get", "-o", network.path("out"), String(link)]);
    await downloader.line((line) => line.event === "result");
    assert.equal(await downloader.ended(), 0);
    assert.deepEqual(await readFile(network.path("out", "film.mp4")), content);

    const captured = new Map<string, Packet[]>();
    for (const name of names) captured.set(name, await lab.captured(name));
    const all = [...captured.values()].flat();
    const datagrams = all.filter((packet) => packet.protocol === UDP);
    assert.ok(datagrams.length > 20, "the DHT was not seen at all, so nothing would be proved");
    for (const [name, packets] of captured) {
      assert.equal(between(packets, sharerAt, downloaderAt).length, 0, `seen on the link of ${name}`);
    }
    for (const address of [sharerAt, downloaderAt]) {
      const told = datagrams.filter(
        (packet) => holds(packet, address) || [packet.source, packet.target].includes(address),
      );
      assert.equal(told.length, 0, "a datagram has to do with an end of the transfer");
    }
    for (const end of ["sharer", "downloader"]) {
      const peers = new Set(
        (captured.get(end) ?? []).map(({ source, target }) =>
          source === lab.address(end) ? target : source,
        ),
      );
      const relays = new Set(RELAYS.map((name) => lab.address(name)));
      assert.ok(
        peers.size > 0 && [...peers].every((peer) => relays.has(peer)),
        `${end} spoke with others than relays`,
      );
    }

    // The negative control: the same detectors, and somebody who does what must not be done.
    const breach = [
      `require("node:net").connect(9, "${downloaderAt}").on("error", () => {});`,
      `const s = require("node:dgram").createSocket("udp4");`,
      `s.send("d1:x6:${downloaderAt}e", 9, "${lab.address("relay 1")}", () => s.close());`,
    ].join("");
    const [program, ...args] = [...lab.prefix("sharer"), process.execPath, "-e", breach];
    execFileSync(program, args, { timeout: 10_000 });
    const seen = await until(
      async () => between(await lab.captured("downloader"), sharerAt, downloaderAt).length > 0,
    );
    assert.ok(seen, "the detector did not see a connection");
    const told = await until(async () =>
      (await lab.captured("relay 1")).some(
        (packet) => packet.protocol === UDP && holds(packet, downloaderAt),
      ),
    );
    assert.ok(told, "the detector did not see an address in a datagram");
  } finally {
    await network?.close();
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  }
});
