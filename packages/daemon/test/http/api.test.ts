import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { after, before, test } from "node:test";
import { createClient } from "@backroom/api/client/client.ts";
import { fetchTransport } from "@backroom/api/client/fetch-transport.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { assetsOf } from "../../src/http/static-assets.ts";
import { sendRaw, startTestServer, type TestServer } from "../support/http-server.ts";

let server: TestServer;

before(async () => {
  server = await startTestServer({
    handlers: {
      listTokens: async () =>
        ({ tokens: [], link: "backroom:secret", nested: { also: 1 } }) as unknown as { tokens: [] },
      getTransfer: () => Promise.reject(new Error("open('/home/ann/secret') failed")),
      listTransfers: () => Promise.reject(new BackroomError("E_DISK_FULL", "there is no room")),
      removeToken: async () => ({}),
    },
    assets: assetsOf(
      new Map([
        ["index.html", Buffer.from("<!doctype html>page")],
        ["assets/a-1.js", Buffer.from("1")],
      ]),
    ),
  });
});
after(() => server.close());

const pageClient = (token: string): ReturnType<typeof createClient> =>
  createClient(fetchTransport({ origin: `http://${server.host}`, token: () => token }));

test("the socket is its owner's alone, and needs no token", async () => {
  const { mode } = await stat(server.socketPath);
  assert.equal(mode & 0o777, 0o600);
  assert.deepEqual(await server.client.call("listTokens"), { tokens: [] });
});

test("a handler's answer holds what the schema says and nothing else", async () => {
  assert.deepEqual(await server.client.call("listTokens"), { tokens: [] });
});

test("handlers get validated input, with defaults, in one object", async () => {
  server.called.length = 0;
  const id = "abcdefgh12345678";
  await assert.rejects(server.client.call("remove", { id, keepPack: "true" }), { code: "E_NO_TRANSFER" });
  await assert.rejects(server.client.call("files", { id, limit: 7 }), { code: "E_NO_TRANSFER" });
  await assert.rejects(server.client.call("addGet", { link: "x" }), { code: "E_NO_TRANSFER" });
  assert.deepEqual(
    server.called.map(({ input }) => input),
    [
      { id, keepPack: true },
      { id, limit: 7 },
      { link: "x", mirror: false, seed: false, wait: false, profile: "standard", accept: [] },
    ],
  );
});

test("an error of ours keeps its code and sentences; of any other nothing is said", async () => {
  await assert.rejects(server.client.call("listTransfers"), {
    name: "ApiProblem",
    code: "E_DISK_FULL",
    message: "there is no room",
    exit: 5,
    status: 507,
  });
  await assert.rejects(server.client.call("getTransfer", { id: "a".repeat(16) }), (error: BackroomError) => {
    assert.equal(error.code, "E_INTERNAL");
    assert.doesNotMatch(JSON.stringify([error, error.message, error.why]), /ann|secret/);
    return true;
  });
});

test("wrong input is refused, with the place and without what was sent", async () => {
  const wrong = {
    link: 5,
    secretsecret: "AGE-SECRET-KEY-1QQQ",
    "backroom:aaaa": 1,
    profile: "AGE-SECRET-KEY-1",
  };
  await assert.rejects(server.client.call("addGet", wrong as never), (error: BackroomError) => {
    assert.equal(error.code, "E_REQUEST");
    assert.match(error.why, /link/);
    assert.match(error.why, /unknown: secretsecret/);
    assert.doesNotMatch(JSON.stringify([error, error.why]), /AGE-SECRET|backroom:/);
    return true;
  });
});

test("a page comes to a token by the code of its address, once", async () => {
  const { url } = await server.client.call("openPage");
  const code = new URL(url).hash.replace("#code=", "");
  assert.ok(url.startsWith(`http://${server.host}/#code=`), url);
  const anonymous = createClient(fetchTransport({ origin: `http://${server.host}`, token: () => undefined }));
  const { secret, token } = await anonymous.call("beginSession", { code });
  const page = pageClient(secret);
  assert.deepEqual(await page.call("listTokens"), { tokens: [] });
  await assert.rejects(anonymous.call("beginSession", { code }), { code: "E_ACCESS" });
  assert.ok(server.catalogue.tokens.list().some(({ id }) => id === token.id));
  await page.call("endSession");
  await assert.rejects(page.call("listTokens"), { code: "E_ACCESS" });
});

test("events come over both ways, and end when the token is revoked", async () => {
  const token = server.newToken(["read"]);
  const abort = new AbortController();
  const names: string[] = [];
  for (const client of [server.client, pageClient(token)]) {
    for await (const { name } of client.events({ signal: abort.signal })) {
      names.push(name);
      if (name === "reset") {
        server.events.publish({ name: "notice", data: { level: "note", text: "hello", transfer: null } });
      } else break;
    }
  }
  assert.deepEqual(names, ["reset", "notice", "reset", "notice"]);
  const [record] = server.catalogue.tokens.list().slice(-1);
  await assert.rejects(
    async () => {
      for await (const { name } of pageClient(token).events()) {
        if (name !== "reset") continue;
        server.catalogue.tokens.remove(record?.id ?? "");
        server.events.publish({
          name: "notice",
          data: { level: "note", text: "not for you", transfer: null },
        });
      }
    },
    { code: "E_ACCESS" },
  );
});

test("metrics need a token, the document and health do not", async () => {
  const get = (path: string, token?: string): Promise<Response> =>
    fetch(
      `http://${server.host}${path}`,
      token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
    );
  assert.deepEqual(await (await get("/healthz")).json(), { ok: true });
  const health = await fetch(`http://127.0.0.1:${server.contentPort}/healthz`);
  assert.deepEqual(await health.json(), { ok: true });
  const openApi = (await (await get("/openapi.json")).json()) as { openapi: string };
  assert.equal(openApi.openapi, "3.1.0");
  assert.equal((await get("/metrics")).status, 401);
  const metrics = await get("/metrics", server.newToken(["read"]));
  assert.equal(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(
    await metrics.text(),
    "# HELP backroom_test a test\n# TYPE backroom_test gauge\nbackroom_test 1\n",
  );
});

test("the page's files are served by exact path, and not again when they are known", async () => {
  const index = await fetch(`http://${server.host}/`);
  assert.equal(index.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(await index.text(), "<!doctype html>page");
  const etag = index.headers.get("etag") ?? "";
  const again = await fetch(`http://${server.host}/`, { headers: { "if-none-match": etag } });
  assert.equal(again.status, 304);
  assert.equal((await fetch(`http://${server.host}/assets/a-1.js`)).status, 200);
  const head = await sendRaw(
    { port: server.port },
    `HEAD / HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`,
  );
  assert.deepEqual([head.status, head.body], [200, ""]);
});
