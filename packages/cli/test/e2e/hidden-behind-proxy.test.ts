import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { LabLogs } from "../support/lab-logs.ts";
import { findLeaks, type LeakKind } from "../support/leaks.ts";
import { createLab, type Lab } from "../support/namespaces.ts";
import { TestNetwork } from "../support/network.ts";
import { TCP, type Packet } from "../support/pcap.ts";
import {
  assertArrived,
  completed,
  downloaded,
  makeFile,
  MIB,
  outFolder,
  share,
  startGet,
} from "../support/transfer.ts";
import { WatchedRelays } from "../support/watched-relays.ts";

const RELAYS = ["relay 1", "relay 2", "relay 3", "relay 4", "relay 5", "relay 6"];
const [HIDDEN, SEARCHERS] = [
  ["sharer", "downloader"],
  ["joiner", "relay 6"],
];
const PROXY_PROGRAM = path.join(import.meta.dirname, "../support/socks-program.ts");
const PROXY_PORT = 41_080;
const BYTES_PER_SECOND = 160 * 1024;
const LAN_PORT = 5353;

/**
 * Members that hide from their guards as well, and one that looks for relays on its own link. Would catch: a packet past the proxy, also while it is
 * dead, to a relay or to somebody who knows names; a local network that is asked without having been told to, or by somebody behind a proxy; anything
 * that says more there than the protocol does.
 */
test(
  "behind a proxy members speak with it alone, and only who was told to asks the local network",
  { timeout: 240_000 },
  async (t) => {
    if (!havePartners(t, "netns", "tcpdump")) return;
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-lab-"));
    const names = [...HIDDEN, "joiner", "proxy", ...RELAYS];
    const lab = await createLab(names, folder, { without6: names, neighbours: [...SEARCHERS, "downloader"] });
    // The local network is asked by both families.
    const atHome = (name: string): string[] => [lab.address(name), lab.linkLocal(name)];
    let proxy: ChildProcess | undefined;
    let network: TestNetwork | undefined;
    try {
      const logs = new LabLogs(folder);
      const url = `socks5://${lab.address("proxy")}:${PROXY_PORT}`;
      const choices = (name: string): string[] =>
        HIDDEN.includes(name) ? ["--proxy", url, "--lan"] : name === "relay 6" ? ["--lan"] : [];
      network = await TestNetwork.start(RELAYS.length, {
        prefix: (name) => lab.prefix(name),
        address: (name) => lab.address(name),
        options: (name) => [...logs.options(name), ...choices(name)],
      });
      proxy = await startProxy(lab);
      const source = network.path("film.mp4");
      await makeFile(source, 4 * MIB);
      const { link } = await share(network, "sharer", source);

      await network.nameTo("joiner");
      const get = ["get", "-o", outFolder(network, "joiner"), link];
      const alone = network.runStranger("joiner", get);
      assert.equal(await alone.ended(), 4);
      assert.equal(alone.latest("error")?.["code"], "E_NO_RELAYS");
      const asked = (await lab.captured()).filter(isOfLanSearch).map((packet) => packet.source);
      const ofRelay = atHome("relay 6");
      assert.deepEqual(
        asked.filter((address) => !ofRelay.includes(address)),
        [],
        "the local network was asked by somebody who was not told to",
      );
      await completed(network.runStranger("joiner", ["--lan", ...get]));

      lab.slowDown("downloader", BYTES_PER_SECOND);
      const first = await startGet(network, "downloader", link);
      await downloaded(first, MIB / 4);
      proxy.kill("SIGKILL");
      // Long enough for whoever would go another way.
      await Promise.race([first.ended(), new Promise((resolve) => setTimeout(resolve, 4000))]);
      first.kill("SIGKILL");
      await first.ended();
      proxy = await startProxy(lab);
      lab.slowDown("downloader", Infinity);
      await completed(await startGet(network, "downloader", link));
      for (const name of ["joiner", "downloader"]) await assertArrived(source, outFolder(network, name));

      const packets = await lab.captured();
      const relays = new WatchedRelays(lab, network, RELAYS);
      const found = await relays.rules("joiner");
      await logs.assertSilent(network, packets, { relays: RELAYS, sharer: "sharer", link });
      const proxies = new Set([lab.address("proxy")]);
      const rules = {
        ...found,
        ends: [...found.ends, ...HIDDEN.map((name) => lab.addresses(name))],
        neighbours: (end: string) =>
          end === lab.address("joiner")
            ? new Set([...found.neighbours(end), lab.address("relay 6")])
            : proxies,
        proxies,
        lanSearchers: new Set(SEARCHERS.flatMap(atHome)),
      };
      assert.deepEqual(findLeaks(packets, rules), []);
      assert.deepEqual(
        new Set(packets.filter(isOfLanSearch).map((packet) => packet.source)),
        rules.lanSearchers,
        "a question and an answer were to be seen",
      );
      for (const name of HIDDEN) {
        const own = packets.filter(
          ({ protocol, source }) => protocol === TCP && source === lab.address(name),
        );
        assert.ok(own.length > 100, `${name} was not seen to do much`);
      }

      // The control: past the proxy, by name, and an unasked word to everybody on the link.
      const breach = `
      require("node:net").connect(443, "${lab.address("relay 1")}").on("error", () => {});
      require("node:dns").lookup("relay.example", () => {});
      require("node:dgram").createSocket("udp4").send("here is ${lab.address("downloader")}", ${LAN_PORT}, "224.0.0.251");
      setTimeout(() => process.exit(), 1500);`;
      await lab.runScript("downloader", breach);
      const seen = new Set(
        findLeaks((await lab.captured()).slice(packets.length), rules).map(({ kind }) => kind),
      );
      const wanted: LeakKind[] = ["stranger", "name look-up", "datagram of no relay", "address in datagram"];
      assert.deepEqual(
        wanted.filter((kind) => !seen.has(kind)),
        [],
        "a detector did not see what was done",
      );
    } finally {
      proxy?.kill("SIGKILL");
      await network?.close();
      await lab.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

async function startProxy(lab: Lab): Promise<ChildProcess> {
  const args = [process.execPath, PROXY_PROGRAM, lab.address("proxy"), String(PROXY_PORT)];
  const child = spawn("ip", [...lab.prefix("proxy").slice(1), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

function isOfLanSearch({ sourcePort, targetPort }: Packet): boolean {
  return sourcePort === LAN_PORT || targetPort === LAN_PORT;
}
