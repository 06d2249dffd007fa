import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { havePartners } from "../../../core/test/support/partners.ts";
import { addHomeRouter, HOME_ADDRESS, HOME_GATEWAY, type HomeRouter } from "../support/home-router.ts";
import { LabLogs } from "../support/lab-logs.ts";
import { createLab, type Lab } from "../support/namespaces.ts";
import { TestNetwork } from "../support/network.ts";
import { TCP, UDP, type Packet } from "../support/pcap.ts";
import { startPortForwarder, type Manner } from "../support/port-forwarder.ts";
import { notesIn, whileWatching } from "../support/socket-notes.ts";

const RELAYS = ["relay 1", "relay 2", "relay 3"];
const PORT = 4430;
/** Each at a home of its own, and at once: most of the time goes to waiting for answers that do not come. */
const MANNERS: readonly Manner[] = ["NAT-PMP", "UPnP"];
const helperOf = (manner: Manner): string => `helper by ${manner}`;
const SUPPORT = path.join(import.meta.dirname, "../support");
const MAPPING_CHILD = "/core/src/net/port-mapping/child.ts";
const DHT_CHILD = "/core/src/net/dht/child.ts";

const connects = (host: string): string =>
  [
    `const socket = require("node:net").connect(${PORT}, "${host}");`,
    `socket.on("connect", () => process.exit(0)).on("error", () => process.exit(2));`,
    `setTimeout(() => process.exit(1), 5000);`,
  ].join("");

/** Who tried to open a connection to that place. */
function callers(packets: readonly Packet[], host: string): Set<string> {
  const calls = packets.filter(
    ({ isSyn, target, targetPort }) => isSyn && target === host && targetPort === PORT,
  );
  return new Set(calls.map(({ source }) => source));
}

/**
 * Would catch: a relay that is taken for reachable at an address where nobody was; one that looks at IPv4 alone; a router's port that is not asked for, renewed or told to others; a library's socket outside the process that is there for it; a port
 * that stays open after the relay went.
 */
test("a computer finds out that it can be reached: by both families, and behind a router that hands on ports", async (t) => {
  if (!havePartners(t, "netns", "nft", "tcpdump", "miniupnpd")) return;
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-forward-"));
  const homes = MANNERS.map(helperOf);
  const lab = await createLab([...homes, "server", ...RELAYS], folder, { without6: homes });
  const logs = new LabLogs(folder);
  const made: HomeRouter[] = [];
  const homeOf = (manner: Manner): HomeRouter => {
    const router = addHomeRouter(lab, helperOf(manner));
    made.push(router);
    return router;
  };
  let started: TestNetwork | undefined;
  try {
    const routers = { "NAT-PMP": homeOf("NAT-PMP"), UPnP: homeOf("UPnP") };
    await whileWatching(async (notes) => {
      const options = {
        ...lab,
        hosts: (name: string) => lab.addresses(name),
        options: (name: string) => logs.options(name),
      };
      const network = (started = await TestNetwork.start(RELAYS.length, options));
      const server = await network.run("server", ["relay", "auto", "--no-gate", "--port", String(PORT)]);
      const open = await server.line((line) => line.event === "ready");
      assert.deepEqual([open["reachable"], open["hosts"], open["gate"]], [true, 0, false]);
      for (const place of ["address", "address6"] as const) {
        const relays = new Set(RELAYS.map((name) => lab[place](name)));
        // The capture lags behind on a busy machine.
        let called: string[] = [];
        for (let looks = 0; looks < 30 && called.length < 2; looks++) {
          const callersSeen = callers(await lab.captured(), lab[place]("server"));
          called = [...callersSeen].filter((source) => relays.has(source));
        }
        assert.ok(called.length >= 2, `asked about its ${place}`);
      }
      const helpers = await Promise.all(
        MANNERS.map(async (manner) => {
          const name = helperOf(manner);
          const forwarder = await startPortForwarder(routers[manner], folder, manner);
          const sinceMs = performance.now();
          const helper = await network.run(name, ["relay", "auto", "--gate", "--port", String(PORT)]);
          const ready = await helper.line((line) => line.event === "ready");
          assert.deepEqual([ready["reachable"], ready["hosts"], ready["gate"]], [true, 0, true], manner);
          t.diagnostic(`${manner}: ready after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s`);
          return { helper, forwarder, host: lab.address(name) };
        }),
      );
      await Promise.all(
        helpers.map(async ({ helper, forwarder, host }) => {
          await lab.runScript("relay 1", connects(host));
          helper.kill("SIGINT");
          assert.equal(await helper.ended(), 0);
          await assert.rejects(lab.runScript("relay 1", connects(host)), "the port stays open");
          await forwarder.close();
        }),
      );
      await logs.assertSilent(network, await lab.captured(), {
        relays: RELAYS,
        addresses: [HOME_ADDRESS, HOME_GATEWAY],
      });
      const seen = await notesIn(notes);
      const programOf = (ending: string) =>
        seen.filter(({ program }) => program[0]?.endsWith(ending) === true);
      const kinds = new Set(programOf(MAPPING_CHILD).map(({ what }) => what));
      assert.deepEqual([...kinds].toSorted(), ["connect", "datagram"]);
      const others = seen.filter((one) => !programOf(MAPPING_CHILD).includes(one));
      assert.ok(others.every(({ what, program }) => what !== "datagram" || program[0]?.endsWith(DHT_CHILD)));
      assert.ok(seen.every(({ what }) => what !== "resolve"));
    });
  } finally {
    await started?.close();
    for (const router of made) router.close();
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  }
});

async function askRouter(lab: Lab): Promise<{ mapping: unknown; tookMs: number }> {
  const [program, ...args] = [...lab.prefix("helper"), process.execPath, path.join(SUPPORT, "ask-router.ts")];
  const { stdout } = await promisify(execFile)(program, args, { timeout: 60_000 });
  return JSON.parse(stdout) as { mapping: unknown; tookMs: number };
}

/**
 * Would catch: a description that makes this computer call somebody else, or resolve a name; an answer without end that fills memory; one that never
 * comes; a library that throws where nobody catches.
 */
test("whatever a hostile router answers, nobody else is called, and it is over in time", async (t) => {
  if (!havePartners(t, "netns", "nft", "tcpdump")) return;
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-hostile-"));
  const names = ["helper", "victim"];
  const lab = await createLab(names, folder, { without6: names });
  const router = addHomeRouter(lab, "helper");
  try {
    const manners = ["leads elsewhere", "names a name", "never answers", "never ends", "sends others on"];
    for (const manner of manners) {
      const script = [path.join(SUPPORT, "hostile-router.ts"), manner, lab.address("victim")];
      const [program = "", ...args] = [...router.prefix, process.execPath, ...script];
      const hostile = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
      try {
        await once(hostile.stdout, "data");
        const { mapping, tookMs } = await askRouter(lab);
        assert.equal(mapping, null, manner);
        assert.ok(tookMs < LIMITS.portMappingMs + 20_000, `${manner} took ${tookMs} ms`);
      } finally {
        const ended = once(hostile, "exit");
        hostile.kill("SIGKILL");
        await ended;
      }
    }
    // The control: a call to the victim at another port, and what comes after it in the capture comes after all of the above.
    await assert.rejects(lab.runScript("helper", connects(lab.address("victim"))));
    let seen: Packet[] = [];
    for (let looks = 0; looks < 30 && !seen.some(({ targetPort }) => targetPort === PORT); looks++) {
      seen = (await lab.captured()).filter(({ protocol }) => protocol === TCP || protocol === UDP);
    }
    assert.ok(seen.length > 0, "nothing would have been seen");
    // Neither a call to the victim nor a question for a name went through the router between the two.
    assert.deepEqual(
      seen.filter(({ sourcePort, targetPort }) => ![sourcePort, targetPort].includes(PORT)),
      [],
    );
    const atHome = [HOME_ADDRESS, HOME_GATEWAY];
    assert.ok(seen.every(({ source, target }) => ![source, target].some((at) => atHome.includes(at))));
  } finally {
    router.close();
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  }
});
