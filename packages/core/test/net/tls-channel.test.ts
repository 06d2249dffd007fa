import assert from "node:assert/strict";
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { test } from "node:test";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Channel, Endpoint, Listener } from "../../src/net/channel.ts";
import { DATA_FRAME_BYTES, FRAME, makeFrame } from "../../src/net/frame.ts";
import { createTlsDialer } from "../../src/net/tls-dialer.ts";
import { listenTls, type TlsListenOptions } from "../../src/net/tls-listener.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { channelSuite, makeIdentity, type ChannelWorld } from "./channel-suite.ts";

const HOST = "127.0.0.1";
const failsWith = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);
const settle = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A listener and, between it and the dialer, a forwarder that can cut what it forwards. */
function tlsWorld(): ChannelWorld {
  let listener: Listener | undefined;
  const sockets = new Set<Socket>();
  const hold = (socket: Socket): Socket => sockets.add(socket) && socket.on("error", () => {});
  const forwarder: Server = createServer((socket) => {
    hold(socket);
    const onward = hold(connectTcp(listener?.port ?? 0, HOST));
    socket.pipe(onward).pipe(socket);
  });
  const forwarding = new Promise<number>((resolve) => {
    forwarder.listen(0, HOST, () => resolve((forwarder.address() as AddressInfo).port));
  });
  return {
    async listen({ identity, ...side }, onChannel) {
      listener = await listenTls({ identity, ...side, port: 0, host: HOST, random: systemRandom }, onChannel);
    },
    async dial({ nodeKey, ...side }) {
      const forwarderPort = await forwarding;
      const port = listener === undefined ? 1 : forwarderPort;
      return createTlsDialer({ ...side, random: systemRandom }).dial({
        nodeKey,
        endpoints: [{ host: HOST, port }],
      });
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      await listener?.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => forwarder.close(resolve));
    },
  };
}

channelSuite("TLS", tlsWorld);

const identity = makeIdentity();
const NODE_KEY = identity.nodeKeys.publicBytes;

async function withListener(
  more: Partial<TlsListenOptions>,
  run: (listener: Listener, clock: ManualClock, channels: Channel[]) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock();
  const channels: Channel[] = [];
  const options = { identity, port: 0, host: HOST, networkId: 1, clock, random: systemRandom, ...more };
  const listener = await listenTls(options, (channel) => channels.push(channel));
  try {
    await run(listener, clock, channels);
  } finally {
    await listener.close();
  }
}

function dialer(clock = new ManualClock()): { dial(...endpoints: Endpoint[]): Promise<Channel> } {
  const inner = createTlsDialer({ networkId: 1, clock, random: systemRandom });
  return { dial: (...endpoints) => inner.dial({ nodeKey: NODE_KEY, endpoints }) };
}

/** A stranger that speaks TLS but not Backroom; resolves with "closed" once the listener hangs up. */
function stranger(
  port: number,
  more: ConnectionOptions = {},
): { socket: TLSSocket; closed: Promise<string> } {
  const socket = connectTls({
    host: HOST,
    port,
    rejectUnauthorized: false,
    ALPNProtocols: ["backroom/1"],
    ...more,
  });
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.resume().on("close", () => resolve("closed")));
  return { socket, closed };
}

test("the handshake is TLS 1.3 with the hybrid group, our ALPN and nothing to resume", async () => {
  await withListener({}, async (listener) => {
    const { socket } = stranger(listener.port, { ecdhCurve: "X25519MLKEM768:X25519" });
    let sessions = 0;
    socket.on("session", () => sessions++);
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    assert.equal(socket.getProtocol(), "TLSv1.3");
    assert.equal((socket.getEphemeralKeyInfo() as { name?: string }).name, "X25519MLKEM768");
    assert.equal(socket.alpnProtocol, "backroom/1");
    const again = stranger(listener.port, { session: socket.getSession() as Buffer });
    await new Promise((resolve) => again.socket.once("secureConnect", resolve));
    assert.equal(again.socket.isSessionReused(), false);
  });
});

test("older TLS and other protocols get no further than the handshake", async () => {
  await withListener({}, async (listener, _clock, channels) => {
    for (const options of [
      { maxVersion: "TLSv1.2" },
      { ALPNProtocols: ["h2"] },
      { ALPNProtocols: [] },
    ] as const) {
      const { closed } = stranger(listener.port, {
        ...options,
        ALPNProtocols: [...(options.ALPNProtocols ?? [])],
      });
      assert.equal(await closed, "closed");
    }
    assert.equal(channels.length, 0);
  });
});

test("bytes that are no frames, and a first frame that is no HELLO, close the connection at once", async () => {
  for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), makeFrame(FRAME.ping, 0)]) {
    await withListener({}, async (listener, _clock, channels) => {
      const { socket, closed } = stranger(listener.port);
      socket.once("secureConnect", () => socket.write(bytes));
      assert.equal(await closed, "closed");
      assert.equal(channels.length, 0);
    });
  }
});

test("who says nothing is cut off at the deadline, before TLS as well as after it", async () => {
  await withListener({}, async (listener, clock) => {
    const tcp = connectTcp(listener.port, HOST).on("error", () => {});
    const cut = new Promise((resolve) => tcp.resume().on("close", resolve));
    const { socket, closed } = stranger(listener.port);
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    await settle();
    clock.advance(LIMITS.channelOpenMs - 1);
    await settle();
    assert.deepEqual([tcp.destroyed, socket.destroyed], [false, false]);
    clock.advance(1);
    await Promise.all([cut, closed]);
  });
});

test("one address has a bounded number of channels, and a place again when one goes", async () => {
  await withListener({ channelsPerAddress: 2 }, async (listener) => {
    const endpoint = { host: HOST, port: listener.port };
    const [first] = [await dialer().dial(endpoint), await dialer().dial(endpoint)];
    await assert.rejects(dialer().dial(endpoint), failsWith("E_UNREACHABLE"));
    first?.close();
    await settle();
    await dialer().dial(endpoint);
  });
});

test("endpoints are tried in order, over both families, and names are not resolved", async () => {
  await withListener({ host: "::" }, async (listener, _clock, channels) => {
    const named = { host: "localhost", port: listener.port };
    const nobody = { host: HOST, port: 1 };
    await assert.rejects(dialer().dial(named, nobody), failsWith("E_UNREACHABLE"));
    await dialer().dial(named, nobody, { host: HOST, port: listener.port });
    await dialer().dial({ host: "::1", port: listener.port });
    await settle();
    assert.equal(channels.length, 2);
  });
});

test("a port in use is said so", async () => {
  await withListener({}, async (listener) => {
    await assert.rejects(
      withListener({ port: listener.port }, () => Promise.resolve()),
      failsWith("E_PORT_IN_USE"),
    );
  });
});

test("an endpoint that accepts and stays silent is given up after the deadline", async () => {
  const held = new Set<Socket>();
  const silent = createServer((socket) => held.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, HOST, resolve));
  const clock = new ManualClock();
  const dialling = dialer(clock).dial({ host: HOST, port: (silent.address() as AddressInfo).port });
  const refused = assert.rejects(dialling, failsWith("E_UNREACHABLE"));
  await settle();
  clock.advance(LIMITS.channelOpenMs);
  await refused;
  for (const socket of held) socket.destroy();
  silent.close();
});

test("a frame that crossed has memory of its own, and no more than it fills", async () => {
  await withListener({}, async (listener, _clock, channels) => {
    const dialled = await dialer().dial({ host: HOST, port: listener.port });
    await settle();
    const owned = await new Promise<boolean[]>((resolve) => {
      const seen: boolean[] = [];
      const onFrame = (frame: Buffer): void => {
        seen.push(frame.buffer.byteLength === DATA_FRAME_BYTES);
        if (seen.length === 16) resolve(seen);
      };
      channels[0]?.start({ onFrame, onDrain() {}, onClose() {} });
      for (let circuit = 1; circuit <= 16; circuit++) dialled.send(makeFrame(FRAME.data, circuit));
    });
    assert.ok(owned.every(Boolean));
  });
});
