import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { isBackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import { proxyHash, writeRuntimeFile } from "@backroom/daemon/process/runtime-file.ts";
import { socketPath } from "@backroom/daemon/process/socket-path.ts";
import { findDaemon } from "../../src/daemon-client.ts";
import { VERSION } from "../../src/version.ts";

const PROXY = "socks5://127.0.0.1:9050";

let root: string;
let server: Server | undefined;
let warned: string[];
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "backroom-find-"));
  warned = [];
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(root, { recursive: true, force: true });
});

const terminal = { note: () => {}, warn: (text: string) => void warned.push(text) };

const find = (more: { proxy?: string; lan?: boolean } = {}): ReturnType<typeof findDaemon> =>
  findDaemon({ dataFolder: root, proxy: more.proxy, lan: more.lan === true, terminal });

const withCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isBackroomError(error, code);

/** Something that says of itself what a daemon does. */
async function daemon(version: string, proxy: string | null = null, lan = false): Promise<void> {
  const status = { version, pid: 1, startedMs: 1, page: null, transferCount: 0, activeCount: 0 };
  server = createServer((_, answer) => {
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify(status));
  }).listen(socketPath(root));
  await once(server, "listening");
  const hash = proxy === null ? null : proxyHash(proxy);
  await writeRuntimeFile(root, { pid: 1, version, startedMs: 1, page: null, proxyHash: hash, lan });
}

/** Would catch: what a killed daemon left taken for one that hangs, or for one that runs. */
test("no daemon is none, also where one was", async () => {
  assert.equal(await find(), undefined);
  await writeFile(socketPath(root), "");
  assert.equal(await find(), undefined);
});

/** Would catch: a data folder that can be none, told as a connection that broke. */
test("a data folder that cannot be one is told as that", async () => {
  const file = path.join(root, "file");
  await writeFile(file, "");
  for (const dataFolder of [file, path.join(file, "below"), "/dev/null/below"]) {
    const finding = findDaemon({ dataFolder, proxy: undefined, lan: false, terminal });
    await assert.rejects(finding, (error) => {
      assert.ok(isBackroomError(error, "E_STORE"));
      assert.match(error.message, /data folder/);
      assert.match(error.why, /no folder.*ENOTDIR/);
      return true;
    });
  }
  const missing = path.join(root, "not", "there");
  assert.equal(await findDaemon({ dataFolder: missing, proxy: undefined, lan: false, terminal }), undefined);
});

/** Would catch: the same of a folder that is another user's. */
test("a data folder that this user may not look into is told as that", async () => {
  const closed = path.join(root, "closed");
  await mkdir(closed, { mode: 0o000 });
  await chmod(root, 0o755);
  // Root may look into everything.
  const isRoot = process.getuid?.() === 0;
  for (const dataFolder of [closed, path.join(closed, "below")]) {
    if (isRoot) process.seteuid?.(65_534);
    const finding = findDaemon({ dataFolder, proxy: undefined, lan: false, terminal });
    const error = await finding.catch((caught: unknown) => caught);
    if (isRoot) process.seteuid?.(0);
    assert.ok(isBackroomError(error, "E_STORE"));
    assert.match(error.why, /not allowed.*EACCES/);
  }
});

/** Would catch: a command of after an upgrade that speaks with the daemon of before it, and a number at the end that keeps two apart for nothing. */
test("a daemon of another version is not spoken to", async () => {
  await daemon(`${VERSION.split(".").slice(0, 2).join(".")}.99`);
  assert.ok((await find()) !== undefined);
  server?.close();
  await rm(socketPath(root), { force: true });
  await daemon("99.0.0");
  await assert.rejects(find(), withCode("E_DAEMON"));
});

/** Would catch: a command that believes to be behind a proxy, and a password in another writing that keeps out whoever is. */
test("a daemon is used only where it goes the way that the command is told to go", async () => {
  await daemon(VERSION, PROXY);
  assert.ok((await find()) !== undefined, "no proxy was asked for");
  assert.ok((await find({ proxy: PROXY })) !== undefined);
  await assert.rejects(find({ proxy: "socks5://127.0.0.1:9051" }), withCode("E_PROXY"));
  await assert.rejects(find({ proxy: "socks5://ann:secret@127.0.0.1:9050" }), withCode("E_PROXY"));
  await rm(path.join(root, "daemon.json"));
  await assert.rejects(find({ proxy: PROXY }), withCode("E_PROXY"), "what is not known is no proxy");
});

/** Would catch: `--lan` that does nothing and does not say so. */
test("whoever asks for the local network is told where the daemon does not look there", async () => {
  await daemon(VERSION);
  await find({ lan: true });
  assert.equal(warned.length, 1);
  server?.close();
  await rm(socketPath(root), { force: true });
  await daemon(VERSION, null, true);
  await find({ lan: true });
  assert.equal(warned.length, 1);
});
