import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { listenHttp, type HttpListener } from "../../src/http/listener.ts";
import { requestText, sendRaw } from "../support/http-server.ts";

const HOST = "page.example";
let listener: HttpListener;
let folder: string;
let served = 0;

const app = {
  fetch: async (): Promise<Response> => {
    served++;
    return new Response("served");
  },
};
const rules = (): { hosts: Map<string, string>; serves: "page" } => ({
  hosts: new Map([[HOST, `http://${HOST}`]]),
  serves: "page",
});
const headers = (): Record<string, string> => ({ "x-always": "there" });

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "backroom-listener-"));
  listener = await listenHttp({ at: { host: "127.0.0.1", port: 0 }, rules, headers, app, headMs: 200 });
});
after(async () => {
  await listener.close();
  await rm(folder, { recursive: true });
});

test("a head that comes a byte at a time ends the connection", async () => {
  const socket = connect(listener.port, "127.0.0.1");
  const trickle = setInterval(() => socket.write("a"), 20);
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX: `);
  try {
    // Would catch: one that stays for as long as somebody writes.
    await new Promise<void>((resolve) =>
      socket
        .once("close", () => resolve())
        .once("error", () => {})
        .resume(),
    );
  } finally {
    clearInterval(trickle);
  }
  assert.equal(LIMITS.apiHeadMs < 60_000, true);
});

test("a head that is too long is refused", async () => {
  const before = served;
  const long = "x".repeat(LIMITS.apiHeadBytes);
  for (const text of [
    requestText("GET /", [`Host: ${HOST}`, `X: ${long}`]),
    requestText(`GET /${long}`, [`Host: ${HOST}`]),
    requestText("GET /", [`Host: ${HOST}`, ...Array.from({ length: 3000 }, (_, n) => `X${n}: 1`)]),
  ]) {
    const { status } = await sendRaw({ port: listener.port }, text);
    assert.ok(status === 431 || status === 0, `${status}`);
  }
  assert.equal(served, before);
  assert.equal(
    (await sendRaw({ port: listener.port }, requestText("GET /", [`Host: ${HOST}`]))).body,
    "served",
  );
});

test("connections beyond the bound are closed, and those that are there go on", async () => {
  const socketPath = path.join(folder, "s");
  const other = await listenHttp({ at: { path: socketPath }, rules, headers, app });
  const sockets: Socket[] = [];
  try {
    const open = (): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const socket = connect(socketPath, () => resolve(socket)).on("error", reject);
        sockets.push(socket);
      });
    const first = await open();
    for (let n = 1; n < LIMITS.apiConnections; n++) await open();
    const extra = await open();
    await new Promise<void>((resolve) => extra.once("close", () => resolve()).resume());
    first.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    const [text] = (await new Promise<Buffer[]>((resolve) =>
      first.once("data", (chunk) => resolve([chunk])),
    )) as [Buffer];
    assert.match(text.toString(), /^HTTP\/1\.1 200/);
  } finally {
    for (const socket of sockets) socket.destroy();
    await other.close();
  }
});

test("who is refused gets no second request in on the same connection", async () => {
  const before = served;
  const twice = `GET / HTTP/1.1\r\nHost: evil\r\n\r\nGET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const { status, body } = await sendRaw({ port: listener.port }, twice);
  assert.equal(status, 403);
  assert.doesNotMatch(body, /served/);
  assert.equal(served, before);
});

test("a pipe's secret is needed where there is one", async () => {
  const socketPath = path.join(folder, "p");
  const owner = { secret: "a secret of the pipe" };
  const local = (): { hosts: Map<string, null>; serves: "socket" } => ({
    hosts: new Map([["localhost", null]]),
    serves: "socket",
  });
  const pipe = await listenHttp({ at: { path: socketPath }, rules: local, headers, app, owner });
  try {
    const ask = async (...more: string[]): Promise<number> =>
      (await sendRaw({ path: socketPath }, requestText("GET /", ["Host: localhost", ...more]))).status;
    assert.equal(await ask(), 401);
    assert.equal(await ask("Authorization: Bearer "), 401);
    assert.equal(await ask("Authorization: Bearer a secret of the pip"), 401);
    assert.equal(await ask(`Authorization: Bearer ${owner.secret}`), 200);
  } finally {
    await pipe.close();
  }
});

test("a socket that a killed daemon left is taken over; a port that is taken is an error of ours", async () => {
  const socketPath = path.join(folder, "left");
  const first = await listenHttp({ at: { path: socketPath }, rules, headers, app });
  const second = await listenHttp({ at: { path: socketPath }, rules, headers, app });
  assert.equal((await sendRaw({ path: socketPath }, requestText("GET /", [`Host: ${HOST}`]))).status, 200);
  await first.close();
  await second.close();
  const taken = listenHttp({ at: { host: "127.0.0.1", port: listener.port }, rules, headers, app });
  await assert.rejects(taken, { code: "E_PORT_IN_USE" });
});

test("closing cuts off who does not go", async () => {
  const other = await listenHttp({
    at: { host: "127.0.0.1", port: 0 },
    rules,
    headers,
    app: { fetch: () => new Promise(() => {}) },
  });
  const socket = connect(other.port, "127.0.0.1");
  const closed = new Promise<void>((resolve) =>
    socket
      .once("close", () => resolve())
      .once("error", () => {})
      .resume(),
  );
  await new Promise<void>((resolve) =>
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`, () => resolve()),
  );
  await other.close();
  await closed;
});
