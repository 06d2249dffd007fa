import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import type { CommandProcess } from "../../src/demo/children.ts";
import { LabLogs } from "../support/lab-logs.ts";
import { findLeaks, type LeakKind, type Rules } from "../support/leaks.ts";
import { createLab, type Lab } from "../support/namespaces.ts";
import { TestNetwork } from "../support/network.ts";
import { TCP, UDP } from "../support/pcap.ts";
import {
  assertArrived,
  completed,
  downloaded,
  latestDone,
  makeFile,
  MIB,
  outFolder,
  share,
  startGet,
} from "../support/transfer.ts";
import { WatchedRelays } from "../support/watched-relays.ts";

const RELAYS = ["relay 1", "relay 2", "relay 3", "relay 4", "relay 5", "relay 6", "relay 7", "relay 8"];
const FILE_BYTES = 12 * MIB;
/** So slow that the download outlasts what happens to it, also where that takes its time. */
const BYTES_PER_SECOND = 160 * 1024;
/** What has to come after each thing that happens. */
const MORE_BYTES = 256 * 1024;
const PART = { timeout: 240_000 };

/**
 * Everything that a share needs, with a packet capture of it all: gates, scouts, DHT, both families of addresses, and members of every kind that are
 * killed in the middle and come back. Would catch: any direct connection, a DHT node run by a member that is no relay, an address of a member in
 * an announcement, answer or anything else that can be read on the way; a member that falls back on something when its guard or seeder dies; a
 * name that is looked up.
 */
test(
  "nothing on the wire tells of sharer and downloader, also when members die and come back",
  PART,
  async (t) => {
    if (!havePartners(t, "netns", "tcpdump")) return;
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-lab-"));
    // The relays' first addresses are IPv6 ones; the first relay's, which invites name, is IPv4. So the sharer uses both and the downloader IPv4.
    const lab = await createLab(["sharer", "downloader", ...RELAYS], folder, { without6: ["downloader"] });
    const logs = new LabLogs(folder);
    let network: TestNetwork | undefined;
    try {
      network = await TestNetwork.start(RELAYS.length, {
        prefix: (name) => lab.prefix(name),
        address: (name) => lab.address(name),
        hosts: (name) => {
          const both = [lab.address(name), lab.address6(name)];
          return name === "relay 1" ? both : both.toReversed();
        },
        options: (name) => logs.options(name),
      });
      const relays = new WatchedRelays(lab, network, RELAYS);
      const link = await carryThrough(network, lab, relays, t);

      const packets = await lab.captured();
      const rules = await relays.rules("sharer", "downloader");
      assert.deepEqual(findLeaks(packets, rules), []);
      assert.ok(
        packets.filter(({ protocol }) => protocol === UDP).length > 20,
        "the DHT was not seen at all, so nothing would be proved",
      );
      const sentBy = (address: string): number =>
        packets.filter(({ protocol, source }) => protocol === TCP && source === address).length;
      for (const end of ["sharer", "downloader"]) {
        const sent = sentBy(lab.address(end)) + sentBy(lab.address6(end));
        assert.ok(sent > 100, `the ${end} was not seen to do much`);
      }
      // More of it only where its guard is none that is dialled by IPv4.
      assert.ok(sentBy(lab.address6("sharer")) > 10, "the sharer was not seen to use IPv6");

      await logs.assertSilent(network, packets, { relays: RELAYS, sharer: "sharer", link });

      await assertDetectorsSee(lab, rules);
    } finally {
      await network?.close();
      await lab.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

/** One download during which a member of each kind is killed and started again, one after the other. */
async function carryThrough(
  network: TestNetwork,
  lab: Lab,
  relays: WatchedRelays,
  t: TestContext,
): Promise<string> {
  const source = network.path("film.mp4");
  await makeFile(source, FILE_BYTES);
  const shared = await share(network, "sharer", source);
  lab.slowDown("downloader", BYTES_PER_SECOND);
  let downloader = await startGet(network, "downloader", shared.link);
  await downloaded(downloader, MORE_BYTES);

  const survives = async (what: string, kill: () => Promise<unknown>): Promise<void> => {
    const before = latestDone(downloader);
    const startedMs = performance.now();
    await kill();
    await downloaded(downloader, before + MORE_BYTES);
    t.diagnostic(
      `${what} died; more was there after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
    );
  };
  const guard = (): CommandProcess => relays.guardOf("downloader");
  await survives("the downloader's guard", () => relays.bounce(guard()));
  await survives("a gate", () => relays.bounce(relays.gate([guard()])));
  await survives("a middle relay", () => relays.bounce(relays.middle([guard(), relays.gate([guard()])])));
  await survives("the sharer", async () => {
    shared.process.kill("SIGKILL");
    await shared.process.ended();
    await share(network, "sharer", shared.link);
  });
  await survives("the downloader", async () => {
    downloader.kill("SIGKILL");
    await downloader.ended();
    downloader = await startGet(network, "downloader", shared.link);
  });
  lab.slowDown("downloader", Infinity);
  await completed(downloader);
  await assertArrived(source, outFolder(network, "downloader"));
  return shared.link;
}

/** The control: the same detectors, and somebody who does each of the things that must not be done, on the same computers. */
async function assertDetectorsSee(lab: Lab, rules: Rules): Promise<void> {
  const [relay, downloader] = [lab.address("relay 1"), lab.address("downloader")];
  const before = (await lab.captured()).length;
  const breach = `
    const net = require("node:net"), dgram = require("node:dgram"), dns = require("node:dns");
    net.connect(9, "${downloader}").on("error", () => {});
    const s = dgram.createSocket("udp4");
    s.send("d1:x6:${downloader}e", 9, "${relay}");
    s.send(Buffer.from([100, ${downloader.split(".").join(",")}, 26, 225]), 9, "${relay}");
    dns.lookup("relay.example", () => {});
    dns.resolve4("relay.example", () => {});
    setTimeout(() => process.exit(), 1500);`;
  const teller = `require("node:net").createServer((s) => s.end("for ${downloader}")).listen(7777, "${relay}"); setTimeout(() => process.exit(), 4000);`;
  const listener = lab.runScript("relay 1", teller);
  await new Promise((resolve) => setTimeout(resolve, 400));
  await Promise.all([
    lab.runScript("sharer", breach),
    lab.runScript("relay 2", `require("node:net").connect(7777, "${relay}").on("error", () => {}).resume();`),
  ]);
  await listener;
  const seen = new Set(findLeaks((await lab.captured()).slice(before), rules).map(({ kind }) => kind));
  const wanted: LeakKind[] = [
    "between ends",
    "stranger",
    "datagram of no relay",
    "address in datagram",
    "address in the clear",
    "not TLS",
    "name look-up",
  ];
  assert.deepEqual(
    wanted.filter((kind) => !seen.has(kind)),
    [],
    "a detector did not see what was done",
  );
}
