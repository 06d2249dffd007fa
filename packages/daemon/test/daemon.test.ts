import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { createClient, type Client } from "@backroom/api/client/client.ts";
import { nodeTransport } from "@backroom/api/client/node-transport.ts";
import { isBackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import { formatLink, type ShareLink } from "@backroom/core/link/link.ts";
import { runDaemon, type DaemonOptions } from "../src/daemon.ts";
import { systemFacts } from "../src/doctor/system-facts.ts";
import { findLocalEndpoint } from "../src/http/local-endpoint.ts";
import { readRuntimeFile } from "../src/process/runtime-file.ts";

const GIB = 1024 ** 3;

let folder: string;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), "backroom-daemon-"))));
after(() => rm(folder, { recursive: true, force: true }));

interface Started {
  readonly client: Client;
  readonly stop: () => Promise<void>;
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<void>;
}

function options(name: string, more: Partial<DaemonOptions> = {}): DaemonOptions {
  return {
    dataFolder: path.join(folder, name),
    version: "0.0.0-test",
    env: { BACKROOM_PAGE_ENABLED: "false", BACKROOM_CONFIG: path.join(folder, `${name}.toml`) },
    signal: new AbortController().signal,
    onReady: () => {},
    onOverdue: () => assert.fail("the daemon did not end in time"),
    facts: withMemory(8),
    ...more,
  };
}

function withMemory(gib: number): typeof systemFacts {
  return { ...systemFacts, memory: () => ({ totalBytes: gib * GIB, limitBytes: undefined }) };
}

async function start(name: string, more: Partial<DaemonOptions> = {}): Promise<Started> {
  const control = new AbortController();
  const ready = Promise.withResolvers<void>();
  const onReady: DaemonOptions["onReady"] = (daemon) => {
    more.onReady?.(daemon);
    ready.resolve();
  };
  const ended = runDaemon(options(name, { signal: control.signal, ...more, onReady }));
  await Promise.race([ready.promise, ended]);
  const endpoint = await findLocalEndpoint(path.join(folder, name), process.platform);
  assert.ok(endpoint !== undefined);
  return {
    client: createClient(nodeTransport(endpoint)),
    ended,
    async stop() {
      control.abort();
      await ended;
    },
  };
}

const withCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isBackroomError(error, code);

/** Would catch: a second daemon in a folder, traces of one that has ended, a lock that outlives it. */
test("one daemon at a time has a data folder, and leaves it as it should be", async () => {
  const root = path.join(folder, "one");
  const { client, stop } = await start("one");
  const status = await client.call("status");
  assert.deepEqual([status.version, status.page, status.transferCount], ["0.0.0-test", null, 0]);
  assert.equal((await readRuntimeFile(root))?.pid, process.pid);
  await assert.rejects(runDaemon(options("one")), withCode("E_LOCKED"));
  // The one that was refused has not touched what is the other's.
  assert.equal((await client.call("listTransfers")).total, 0);
  await stop();
  const left = await readdir(root);
  for (const gone of ["daemon.json", "daemon.lock", "daemon.sock"]) assert.ok(!left.includes(gone), gone);
  assert.equal((await stat(path.join(root, "daemon.log"))).mode & 0o777, 0o600);
  const again = await start("one");
  await again.stop();
});

/** Would catch: a part whose operations are not there, or an error of ours that comes out as a fault. */
test("every operation that needs nothing is answered", async () => {
  const { client, stop } = await start("all");
  const answers = await Promise.all([
    client.call("listTransfers"),
    client.call("listWatches"),
    client.call("network"),
    client.call("listNetworks"),
    client.call("relay"),
    client.call("limits"),
    client.call("listSettings"),
    client.call("listTokens"),
    client.call("logs", { lines: 10 }),
    client.call("doctor"),
  ]);
  assert.equal(answers.length, 10);
  await assert.rejects(client.call("makeInvite"), withCode("E_NO_NETWORK"));
  await stop();
});

/** Would catch: a stop that cuts off its own answer, or does nothing. */
test("a client stops it", async () => {
  const { client, ended } = await start("stopped");
  assert.deepEqual(await client.call("stop"), {});
  await ended;
  await assert.rejects(client.call("status"), withCode("E_NO_DAEMON"));
});

/** Would catch: a daemon that runs where it would be ended for want of memory, or not where somebody accepted that. */
test("short memory is refused, or accepted", async () => {
  const flags = { "risk.accepted": true };
  await assert.rejects(runDaemon(options("small", { facts: withMemory(1.5), flags })), withCode("E_MACHINE"));
  await assert.rejects(runDaemon(options("risky", { facts: withMemory(3) })), withCode("E_MACHINE"));
  const accepted = await start("risky", { facts: withMemory(3), flags });
  await accepted.stop();
});

/** Would catch: a mistake in the settings file that a daemon starts with and keeps to itself, and one that it starts with though it may not. */
test("a mistake in the settings file is told, or keeps it from starting", async () => {
  const file = path.join(folder, "mistaken.toml");
  await writeFile(file, "[downloads]\nactiv = 3\n");
  const told = Promise.withResolvers<readonly string[]>();
  const { client, stop } = await start("mistaken", {
    onReady: ({ warnings }) => told.resolve(warnings),
  });
  const [warning, ...others] = await told.promise;
  assert.match(warning ?? "", /^line 2 of the settings file: .*downloads\.active/);
  assert.deepEqual(others, []);
  assert.equal((await client.call("listSettings")).problems.length, 1);
  await stop();
  await writeFile(file, "[downloads]\nactive = 0\n");
  await assert.rejects(runDaemon(options("mistaken")), withCode("E_SETTING"));
});

/** Would catch: a client that trusts a file to say that no proxy is used after one was set. */
test("what the daemon says of itself follows its settings", async () => {
  const root = path.join(folder, "proxied");
  const { client, stop } = await start("proxied");
  assert.equal((await readRuntimeFile(root))?.proxyHash, null);
  await client.call("setSetting", { key: "network.proxy", value: "socks5://127.0.0.1:9" });
  const deadline = Date.now() + 20_000;
  while ((await readRuntimeFile(root))?.proxyHash === null && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.notEqual((await readRuntimeFile(root))?.proxyHash, null);
  await stop();
});

/** Would catch: a mirror that fetches, or goes on handing out, what its operator denied. */
test("a daemon does not mirror what is on its deny-list", async () => {
  const root = path.join(folder, "denying");
  const link: ShareLink = {
    kind: "locked",
    networkId: 7,
    piecesRoot: randomBytes(32),
    packLength: 1_000,
    sharerFingerprint: randomBytes(16),
    topicSecret: randomBytes(32),
    name: "a",
    filesBytes: 1,
    relays: [{ nodeKey: randomBytes(32), host: "127.0.0.1", port: 9 }],
  };
  const { client, stop } = await start("denying");
  await writeFile(path.join(root, "deny-list"), `${formatLink(link)}\n`);
  const { id } = await client.call("addGet", { link: formatLink(link), mirror: true });
  const deadline = Date.now() + 20_000;
  let transfer = await client.call("getTransfer", { id });
  while (transfer.state !== "failed" && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    transfer = await client.call("getTransfer", { id });
  }
  assert.equal(transfer.failure?.code, "E_DENIED");
  await stop();
});
