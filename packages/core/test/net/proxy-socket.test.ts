import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Listener } from "../../src/net/channel.ts";
import { createProxyOpener } from "../../src/net/proxy-socket.ts";
import { createTlsDialer } from "../../src/net/tls-dialer.ts";
import { listenTls } from "../../src/net/tls-listener.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { SocksServer, type SocksServerOptions } from "../support/socks-server.ts";
import { channelSuite, makeIdentity, type ChannelWorld } from "./channel-suite.ts";

const HOST = "127.0.0.1";
const raises = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);

function proxiedWorld(): ChannelWorld {
  const proxy = SocksServer.start();
  let listener: Listener | undefined;
  return {
    async listen({ identity, ...side }, onChannel) {
      listener = await listenTls({ identity, ...side, port: 0, host: HOST, random: systemRandom }, onChannel);
    },
    async dial({ nodeKey, ...side }) {
      const { port } = await proxy;
      const openSocket = createProxyOpener(
        { host: HOST, port, credentials: undefined },
        { clock: side.clock, random: systemRandom },
      );
      const endpoints = [{ host: HOST, port: listener?.port ?? 1 }];
      return createTlsDialer({ ...side, random: systemRandom, openSocket }).dial({ nodeKey, endpoints });
    },
    cut() {
      void proxy.then((server) => server.cut());
    },
    async close() {
      await listener?.close();
      await (await proxy).close();
    },
  };
}

channelSuite("TLS through a proxy", proxiedWorld);

/** Runs with a relay that listens and a proxy in front; tells how many channels reached the relay. */
async function withProxy(
  options: SocksServerOptions & { readonly given?: { username: string; password: string } },
  run: (parts: {
    readonly dial: (nodeKey?: Uint8Array, host?: string) => Promise<unknown>;
    server: SocksServer;
    clock: ManualClock;
  }) => Promise<void>,
): Promise<number> {
  const clock = new ManualClock();
  const identity = makeIdentity();
  let channels = 0;
  const listener = await listenTls(
    { identity, port: 0, host: HOST, networkId: 1, clock, random: systemRandom },
    () => channels++,
  );
  const server = await SocksServer.start(options);
  const openSocket = createProxyOpener(
    { host: HOST, port: server.port, credentials: options.given },
    { clock, random: systemRandom },
  );
  const dialer = createTlsDialer({ networkId: 1, clock, random: systemRandom, openSocket });
  const dial = async (nodeKey: Uint8Array = identity.nodeKeys.publicBytes, host = HOST) =>
    (await dialer.dial({ nodeKey, endpoints: [{ host, port: listener.port }] })).close();
  try {
    await run({ dial, server, clock });
  } finally {
    await server.close();
    await listener.close();
  }
  return channels;
}

test("each relay gets a user name of its own, the same again for the same relay, and addresses are never names", async () => {
  await withProxy({}, async ({ dial, server }) => {
    const other = makeIdentity().nodeKeys.publicBytes;
    await dial();
    await dial();
    await assert.rejects(dial(other), raises("E_CHANNEL_IDENTITY"));
    const [first, again, another] = server.requests.map(({ username }) => username);
    assert.match(first ?? "", /^[0-9a-f]{32}$/);
    assert.equal(again, first);
    assert.notEqual(another, first);
    assert.deepEqual([...new Set(server.requests.map(({ type }) => type))], [1]);
    await assert.rejects(dial(undefined, "localhost"), raises("E_UNREACHABLE"));
    assert.equal(server.requests.length, 3);
  });
});

test("a login that the person gave is used for all, and a wrong one is said", async () => {
  const login = { username: "ann", password: "open sesame" };
  const reached = await withProxy({ login, given: login }, async ({ dial, server }) => {
    await dial();
    assert.deepEqual(
      server.requests.map(({ username }) => username),
      ["ann"],
    );
  });
  assert.equal(reached, 1);
  const given = { ...login, password: "x" };
  assert.equal(
    await withProxy({ login, given }, async ({ dial }) => {
      await assert.rejects(dial(), raises("E_PROXY"));
    }),
    0,
  );
});

test("a proxy that is gone, lies, stalls or hangs up is an error, and the relay is never dialled past it", async () => {
  const none = Buffer.from([5, 0]);
  const scripts: (Buffer | "hang up")[][] = [
    ["hang up"],
    [none, "hang up"],
    [Buffer.from([4, 0])],
    [none, Buffer.from([5, 0, 0, 9])],
    [none, Buffer.concat([Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.alloc(100_000, 22)])],
    [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ];
  for (const script of scripts) {
    const reached = await withProxy({ script }, async ({ dial }) => {
      await assert.rejects(dial(), raises("E_PROXY"));
    });
    assert.equal(reached, 0);
  }
  const stalled = await withProxy({ script: [] }, async ({ dial, clock, server }) => {
    const dialled = assert.rejects(dial(), raises("E_PROXY"));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(LIMITS.proxyOpenMs);
    await dialled;
    await server.close();
    await assert.rejects(dial(), raises("E_PROXY"));
  });
  assert.equal(stalled, 0);
});

test("a place that the proxy cannot reach is unreachable, which is no fault of the proxy", async () => {
  const away = Buffer.from([5, 4, 0, 1, 0, 0, 0, 0, 0, 0]);
  await withProxy({ script: [Buffer.from([5, 0]), away] }, async ({ dial }) => {
    await assert.rejects(dial(), raises("E_UNREACHABLE"));
  });
});
