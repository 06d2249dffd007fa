import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Channel } from "../../src/net/channel.ts";
import { FRAME, makeFrame } from "../../src/net/frame.ts";
import { encodeHello, ownHello } from "../../src/net/hello.ts";
import { createTlsDialer } from "../../src/net/tls-dialer.ts";
import { listenTls } from "../../src/net/tls-listener.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeIdentity } from "./channel-suite.ts";

const HOST = "127.0.0.1";

async function newListener(channelsPerAddress?: number) {
  const clock = new ManualClock();
  const identity = makeIdentity();
  const channels: Channel[] = [];
  const common = { networkId: 1, clock, random: systemRandom };
  const listener = await listenTls(
    {
      identity,
      port: 0,
      host: HOST,
      ...common,
      ...(channelsPerAddress === undefined ? {} : { channelsPerAddress }),
    },
    (channel) => channels.push(channel),
  );
  const endpoint = { host: HOST, port: listener.port };
  const dial = () =>
    createTlsDialer(common).dial({ nodeKey: identity.nodeKeys.publicBytes, endpoints: [endpoint] });
  const sockets: Socket[] = [];
  const hold = <T extends Socket>(socket: T): T => {
    sockets.push(socket);
    socket.on("error", () => {}).resume();
    return socket;
  };
  return {
    clock,
    channels,
    dial,
    tcp: async () => {
      const socket = hold(connectTcp(listener.port, HOST));
      await once(socket, "connect");
      return socket;
    },
    tls: async () => {
      const options = {
        host: HOST,
        port: listener.port,
        rejectUnauthorized: false,
        ALPNProtocols: ["backroom/1"],
      };
      const socket = hold(connectTls(options));
      await once(socket, "secureConnect");
      return socket;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await listener.close();
    },
  };
}

/** The first bytes of a ClientHello: a record of 512 bytes of which no more ever comes than is dribbled. */
const CLIENT_HELLO = Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), systemRandom.bytes(400)]);

/** Would catch: a deadline that every byte moves on, so that somebody who sends one a second holds a place for ever. */
test("who dribbles is cut off at the same deadline, in TLS as well as in HELLO", async () => {
  const world = await newListener();
  try {
    const inTls = await world.tcp();
    const inHello = await world.tls();
    const hello = makeFrame(FRAME.hello, 0);
    const closed = [inTls, inHello].map((socket) => once(socket, "close"));
    const steps = 20;
    for (let step = 0; step < steps; step++) {
      inTls.write(CLIENT_HELLO.subarray(step * 8, step * 8 + 8));
      inHello.write(hello.subarray(step * 8, step * 8 + 8));
      await sleep(5);
      if (step < steps - 1) world.clock.advance(LIMITS.channelOpenMs / steps);
    }
    assert.deepEqual([inTls.destroyed, inHello.destroyed], [false, false]);
    world.clock.advance(LIMITS.channelOpenMs / steps);
    await Promise.all(closed);
    assert.equal(world.channels.length, 0);
  } finally {
    await world.close();
  }
});

/** Would catch: a few hundred silent sockets that keep everybody else out. */
test("while all half-open places are taken, at TCP, TLS and HELLO, a member gets in, and the oldest of them go", async () => {
  const world = await newListener(4 * LIMITS.channelsHalfOpen);
  try {
    const silent: Socket[] = [];
    for (let count = 0; count < LIMITS.channelsHalfOpen; count++) {
      silent.push(await (count % 16 === 0 ? world.tls() : world.tcp()));
      if (count % 16 === 8) silent.at(-1)?.write(CLIENT_HELLO.subarray(0, 20));
    }
    const first = silent[0] as Socket;
    const gone = once(first, "close");
    const channel = await world.dial();
    await gone;
    assert.equal(world.channels.length, 1);
    assert.ok(silent.filter((socket) => socket.destroyed).length <= 2);
    channel.close();
  } finally {
    await world.close();
  }
});

test("one address has no more channels than a household needs", async () => {
  const world = await newListener();
  try {
    for (let count = 0; count < LIMITS.channelsPerAddress; count++) await world.dial();
    await assert.rejects(world.dial(), { code: "E_UNREACHABLE" });
  } finally {
    await world.close();
  }
});

/** Would catch: a neighbour that never reads and keeps its place after it was told to go. */
test("a channel that is closed is cut after a while, though its other end reads nothing", async () => {
  const world = await newListener(1);
  try {
    const socket = await world.tls();
    socket.write(
      encodeHello(
        ownHello({
          side: "initiator",
          networkId: 1,
          nowMs: world.clock.nowMs(),
          exporter: Buffer.alloc(32),
          identity: undefined,
        }),
      ),
    );
    while (world.channels.length === 0) await sleep(5);
    socket.pause();
    const [channel] = world.channels as [Channel];
    channel.start({ onFrame() {}, onDrain() {}, onClose() {} });
    await sleep(5);
    while (channel.send(makeFrame(FRAME.destroy, 1)));
    channel.close();
    await sleep(20);
    await assert.rejects(world.dial(), { code: "E_UNREACHABLE" });
    world.clock.advance(LIMITS.channelCloseMs);
    await sleep(20);
    (await world.dial()).close();
  } finally {
    await world.close();
  }
});
