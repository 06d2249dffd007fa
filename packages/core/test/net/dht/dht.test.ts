import assert from "node:assert/strict";
import { ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { encodeBencode, type Bencoded } from "../../../src/base/bencode.ts";
import { isBackroomError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { silentLog, type Log } from "../../../src/base/log.ts";
import { startDht, type Dht, type DhtOptions } from "../../../src/net/dht/dht.ts";
import { searchDht } from "../../../src/net/dht/search-dht.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { dhtSuite, lookupUntil } from "./dht-suite.ts";

const HOST = "127.0.0.1";
const HASH = Buffer.alloc(20, 0xd3);
const settle = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function start(more: Partial<DhtOptions> = {}): Promise<Dht> {
  const common = {
    port: 0,
    host: HOST,
    bootstrap: [],
    testNetwork: true,
    clock: systemClock,
    log: silentLog,
  };
  return startDht({ ...common, ...more });
}

const contactsOf = (...nodes: Dht[]): { host: string; port: number }[] =>
  nodes.map(({ port }) => ({ host: HOST, port }));

dhtSuite("process", async () => {
  const first = await start();
  const announcer = await start({ announcePort: 4444, bootstrap: contactsOf(first) });
  const seeker = await start({ bootstrap: contactsOf(first) });
  return {
    nodes: [announcer, seeker],
    announced: { host: HOST, port: 4444 },
    async close() {
      await Promise.all([first, announcer, seeker].map((node) => node.close()));
    },
  };
});

/** Would catch: a node that finds only what it was told of itself, or whose process ends with the first answer of another one. */
test("whoever comes later is told by others, and its process goes on", { timeout: 60_000 }, async () => {
  const first = await start();
  const announcer = await start({ announcePort: 4444, bootstrap: contactsOf(first) });
  const warnings: string[] = [];
  const log: Log = (level, event) => void (level === "warn" && warnings.push(event));
  try {
    announcer.announce(HASH);
    await lookupUntil(first, HASH, 1);
    const search = { hash: HASH, nodes: contactsOf(first), testNetwork: true };
    assert.deepEqual(await searchDht(search, { clock: systemClock, log }), [{ host: HOST, port: 4444 }]);
    assert.deepEqual(warnings, []);
  } finally {
    await Promise.all([first.close(), announcer.close()]);
  }
});

test(
  "announcements are repeated, because nodes forget and the library does not repeat",
  { timeout: 60_000 },
  async () => {
    const clock = new ManualClock();
    let first = await start();
    const announcer = await start({ clock, bootstrap: contactsOf(first) });
    const announced = { host: HOST, port: announcer.port };
    try {
      announcer.announce(HASH);
      assert.deepEqual(await lookupUntil(first, HASH, 1), [announced]);
      const { port } = first;
      await first.close();
      first = await start({ port });
      await settle(100);
      clock.advance(LIMITS.dhtAnnounceAgainMs);
      await settle(100);
      assert.deepEqual(await first.lookup(HASH), []);
      clock.advance(LIMITS.dhtAnnounceMs);
      // The first round finds out that the node it knew is gone.
      const again = (): void => clock.advance(LIMITS.dhtAnnounceAgainMs);
      assert.deepEqual(await lookupUntil(first, HASH, 1, again), [announced]);
    } finally {
      await Promise.all([first.close(), announcer.close()]);
    }
  },
);

test("an announcement that nobody took is tried again soon", { timeout: 60_000 }, async () => {
  const clock = new ManualClock();
  const announcer = await start({ clock });
  const first = await start();
  try {
    announcer.announce(HASH);
    await settle(200);
    announcer.addNodes(contactsOf(first));
    await settle(200);
    assert.deepEqual(await first.lookup(HASH), []);
    clock.advance(LIMITS.dhtAnnounceAgainMs);
    await lookupUntil(first, HASH, 1);
  } finally {
    await Promise.all([first.close(), announcer.close()]);
  }
});

/** The child processes that are started from now on. */
function watchChildren(t: TestContext): ChildProcess[] {
  const started: ChildProcess[] = [];
  const prototype = ChildProcess.prototype as unknown as {
    spawn: (this: ChildProcess, ...args: unknown[]) => unknown;
  };
  const { spawn } = prototype;
  t.mock.method(prototype, "spawn", function (this: ChildProcess, ...args: unknown[]) {
    started.push(this);
    return spawn.apply(this, args);
  });
  return started;
}

test(
  "a process that dies is started again on its port, ever later, and announces again",
  { timeout: 60_000 },
  async (t) => {
    const children = watchChildren(t);
    const clock = new ManualClock();
    const announcer = await start({ clock });
    const first = await start({ bootstrap: contactsOf(announcer) });
    const alive = async (count: number): Promise<void> => {
      while (children.length < count) await settle(10);
    };
    // Its end has to be known before the clock is moved: the restart is timed from then.
    const killed = async (index: number): Promise<void> => {
      const child = children[index];
      assert.ok(child !== undefined);
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    };
    try {
      announcer.announce(HASH);
      announcer.addNodes(contactsOf(first));
      await killed(0);
      assert.deepEqual(await announcer.lookup(HASH), [], "a lookup hangs while the process is down");
      clock.advance(LIMITS.dhtRestartMs);
      await alive(3);
      assert.deepEqual(await lookupUntil(first, HASH, 1), [{ host: HOST, port: announcer.port }]);
      await killed(2);
      clock.advance(LIMITS.dhtRestartMs);
      await settle(100);
      assert.equal(children.length, 3, "the second restart came as soon as the first");
      clock.advance(LIMITS.dhtRestartMs);
      await alive(4);
    } finally {
      await Promise.all([first.close(), announcer.close()]);
    }
    assert.ok(children.every((child) => child.exitCode !== null || child.signalCode !== null));
  },
);

test("the child ends with the node that started it", { timeout: 60_000 }, async (t) => {
  const children = watchChildren(t);
  const dht = await start();
  const gone = new Promise((resolve) => children[0]?.once("exit", resolve));
  children[0]?.disconnect();
  await gone;
  await dht.close();
});

test("a port in use and an address that is not ours are said so", { timeout: 60_000 }, async () => {
  const first = await start();
  try {
    const taken = start({ port: first.port });
    await assert.rejects(taken, (error) => isBackroomError(error, "E_PORT_IN_USE"));
    await assert.rejects(start({ host: "192.0.2.1" }), (error) => isBackroomError(error, "E_LISTEN"));
  } finally {
    await first.close();
  }
});

test("too many lookups are refused, and the others end", { timeout: 60_000 }, async () => {
  const dht = await start();
  try {
    const count = LIMITS.dhtJobs + LIMITS.dhtWaitingLookups;
    const lookups = Array.from({ length: count }, (_, index) => dht.lookup(Buffer.alloc(20, index)));
    await assert.rejects(dht.lookup(HASH), (error) => isBackroomError(error, "E_DHT"));
    assert.ok((await Promise.all(lookups)).every((found) => found.length === 0));
  } finally {
    await dht.close();
  }
});

test(
  "thousands of malformed packets leave the child alive, and it answers",
  { timeout: 60_000 },
  async (t) => {
    const children = watchChildren(t);
    const dht = await start();
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
    const id = Buffer.alloc(20, 7);
    const query = (name: string, more: { [key: string]: Bencoded }): Buffer =>
      encodeBencode({ t: Buffer.from("zz"), y: Buffer.from("q"), q: Buffer.from(name), a: { id, ...more } });
    const killers = ["info_hash", "target", "token"].flatMap((field) =>
      ["find_node", "get_peers", "announce_peer", "get", "put"].map((name) =>
        query(name, { info_hash: id, target: id, token: id, port: 1, [field]: 5 }),
      ),
    );
    try {
      for (let round = 0; round < 3; round++) {
        // Below the bound of packets a second, so that the validator gets to see them all.
        for (let count = 0; count < LIMITS.dhtAllPackets - 100; count++) {
          const packet = Buffer.from(killers[count % killers.length] as Buffer);
          if (round === 1) packet[(count * 31) % packet.length] = count;
          socket.send(round === 2 ? packet.subarray(0, count % packet.length) : packet, dht.port, HOST);
        }
        // oxlint-disable-next-line no-await-in-loop
        await settle(1050);
      }
      const pong = new Promise<Buffer>((resolve) => socket.on("message", resolve));
      socket.send(query("ping", {}), dht.port, HOST);
      assert.match((await pong).toString("latin1"), /1:t2:zz1:y1:r/);
      assert.deepEqual([children.length, children[0]?.exitCode], [1, null]);
    } finally {
      socket.close();
      await dht.close();
    }
  },
);
