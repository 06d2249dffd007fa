import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { API_PREFIX, EVENTS_PATH } from "@backroom/api/places.ts";
import { ROUTES, type Route } from "@backroom/api/routes.ts";
import type { Scope } from "@backroom/api/schemas/daemon.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { z } from "zod";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import {
  requestText,
  sendRaw,
  startTestServer,
  type RawAnswer,
  type TestServer,
} from "../support/http-server.ts";

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

const ID = "abcdefgh12345678";
const SCOPES: readonly Scope[] = ["read", "links", "write", "admin"];
/** Each operation with input that fits; their handlers are never reached without a scope, so it need not mean anything. */
const routes = Object.entries(ROUTES) as [string, Route][];

function callOf(route: Route): { line: string; headers: string[]; body: string } {
  const path = route.path.replace("{id}", ID).replace("{key}", "downloads.folder");
  const query = route.query !== undefined && Object.hasOwn(route.query.shape, "path") ? "?path=a" : "";
  const body = route.body === undefined ? "" : "{}";
  const type = route.body === "stream" ? "application/octet-stream" : "application/json";
  return {
    line: `${route.method} ${API_PREFIX}${path}${query}`,
    headers: route.body === undefined ? [] : [`Content-Type: ${type}`, `Content-Length: ${body.length}`],
    body,
  };
}

async function ask(headers: readonly string[], line: string, body = ""): Promise<RawAnswer> {
  server.called.length = 0;
  return await sendRaw({ port: server.port }, requestText(line, [`Host: ${server.host}`, ...headers], body));
}
const codeIn = ({ body }: RawAnswer): string => /"code":"(E_\w+)"/.exec(body)?.[1] ?? "";

describe("every operation of the table", () => {
  test("is refused without a token, with a wrong one, and with one in another place than the header", async () => {
    const token = server.newToken(["admin"]);
    for (const [name, route] of routes.filter(([, { scope }]) => scope !== null)) {
      const { line, headers, body } = callOf(route);
      const inQuery = `${line}${line.includes("?") ? "&" : "?"}token=${token}&access_token=${token}`;
      for (const answer of [
        await ask(headers, line, body),
        await ask(headers, inQuery, body),
        await ask([...headers, `X-Token: ${token}`, `Proxy-Authorization: Bearer ${token}`], line, body),
      ]) {
        assert.deepEqual([answer.status, codeIn(answer)], [401, "E_ACCESS"], name);
        assert.match(answer.head, /www-authenticate: bearer/);
      }
      assert.deepEqual(server.called, [], name);
    }
  });

  /** Would catch: a token that may change transfers and puts a program where it is started at the next login; and an operation that takes a place by another name. */
  test("puts files below the downloads folder alone, unless the token may do everything", async () => {
    const [write, admin] = [server.newToken(["read", "links", "write"]), server.newToken(["admin"])];
    const placing = routes.filter(
      ([, { body }]) => typeof body === "object" && Object.hasOwn(body.shape, "output"),
    );
    assert.deepEqual(
      placing.map(([name]) => name),
      ["addGet", "relocate", "openTransfer"],
    );
    const outside = [
      "/home/ann/.config/autostart",
      "/home/ann",
      "/home/ann/Downloads2",
      "/home/ann/Downloads/../.ssh",
      "Downloads",
    ];
    const inside = ["/home/ann/Downloads", "/home/ann/Downloads/films/2026"];
    for (const [name, route] of placing) {
      const asked = async (token: string, output: string): Promise<string> => {
        const body = JSON.stringify({ ...(name === "addGet" && { link: "backroom:x" }), output });
        const type = ["Content-Type: application/json", `Content-Length: ${body.length}`];
        return codeIn(await ask([...type, `Authorization: Bearer ${token}`], callOf(route).line, body));
      };
      for (const output of outside) {
        assert.equal(await asked(write, output), "E_SCOPE", `${name} ${output}`);
        assert.deepEqual(server.called, []);
        // The handler was reached.
        assert.equal(await asked(admin, output), "E_NO_TRANSFER", `${name} ${output}`);
      }
      for (const output of inside) assert.equal(await asked(write, output), "E_NO_TRANSFER", output);
    }
  });

  test("is refused with every scope but its own, and admin", async () => {
    const tokens = SCOPES.map((scope) => [scope, server.newToken([scope])] as const);
    for (const [name, route] of routes.filter(([, { scope }]) => scope !== null)) {
      const { line, headers, body } = callOf(route);
      for (const [scope, token] of tokens) {
        const answer = await ask([...headers, `Authorization: Bearer ${token}`], line, body);
        const isAllowed = scope === route.scope || scope === "admin";
        assert.equal(codeIn(answer) === "E_SCOPE", !isAllowed, `${name} with ${scope}: ${answer.body}`);
        if (!isAllowed) assert.deepEqual([answer.status, server.called], [403, []]);
      }
    }
  });

  test("refuses what it does not know, in its body, in its query, and deep inside", async () => {
    const token = server.newToken(["admin"]);
    for (const [name, route] of routes) {
      const { line, headers, body } = callOf(route);
      const auth = `Authorization: Bearer ${token}`;
      const odd = `${line}${line.includes("?") ? "&" : "?"}unknown=1`;
      assert.equal(codeIn(await ask([...headers, auth], odd, body)), "E_REQUEST", `${name}: query`);
      if (route.body === undefined) {
        const sent = await ask([auth, "Content-Type: application/json", "Content-Length: 2"], line, "{}");
        assert.equal(codeIn(sent), "E_REQUEST", `${name}: body`);
      } else if (route.body !== "stream") {
        const more = '{"__proto__":{"a":1},"unknown":1}';
        const given = await ask(
          [auth, "Content-Type: application/json", `Content-Length: ${more.length}`],
          line,
          more,
        );
        assert.equal(codeIn(given), "E_REQUEST", `${name}: body`);
        for (const inner of objectsIn(route.body)) {
          assert.equal(
            inner.safeParse({ unknown: 1 }).error?.issues.some(({ code }) => code === "unrecognized_keys"),
            true,
            name,
          );
        }
      }
      assert.deepEqual(server.called, [], name);
    }
  });

  test("takes no name from two places", () => {
    for (const [name, { params, query, body }] of routes) {
      const names = [params, query, body === "stream" ? undefined : body].flatMap((part) =>
        Object.keys(part?.shape ?? {}),
      );
      assert.equal(new Set(names).size, names.length, name);
      assert.ok(
        !(query !== undefined && body !== undefined && body !== "stream"),
        `${name}: a query beside a body`,
      );
    }
  });
});

/** Objects inside of a body, the body aside. */
function objectsIn(schema: z.ZodType, found: z.ZodType[] = [], isTop = true): z.ZodType[] {
  const def = schema.def as unknown as {
    type: string;
    shape?: Record<string, z.ZodType>;
    element?: z.ZodType;
    innerType?: z.ZodType;
    options?: z.ZodType[];
  };
  if (def.type === "object" && !isTop) found.push(schema);
  for (const inner of [
    ...Object.values(def.shape ?? {}),
    def.element,
    def.innerType,
    ...(def.options ?? []),
  ]) {
    if (inner !== undefined) objectsIn(inner, found, false);
  }
  return found;
}

test("names that stand twice in a query are refused", async () => {
  const token = server.newToken(["read"]);
  const answer = await ask(
    [`Authorization: Bearer ${token}`],
    `GET ${API_PREFIX}/transfers?limit=1&limit=1000`,
  );
  assert.equal(codeIn(answer), "E_REQUEST");
});

test("the stream of events, and metrics, need the scope read", async () => {
  for (const path of [EVENTS_PATH, "/metrics"]) {
    assert.equal(codeIn(await ask([], `GET ${path}`)), "E_ACCESS");
    const other = server.newToken(["write", "links"]);
    assert.equal(codeIn(await ask([`Authorization: Bearer ${other}`], `GET ${path}`)), "E_SCOPE");
    assert.equal(codeIn(await ask([], `GET ${path}?token=${server.newToken(["read"])}`)), "E_ACCESS");
  }
  const head = await ask([`Authorization: Bearer ${server.newToken(["read"])}`], `HEAD ${EVENTS_PATH}`);
  assert.equal(head.status, 400, "nothing that never ends without anything to be seen");
  assert.equal(server.events.clientCount, 0);
});

test("an address of content is nothing at the API's port", async () => {
  assert.equal((await ask([], `GET /content/1/${ID}/${"a".repeat(43)}/x`)).status, 404);
});

describe("bodies", () => {
  const post = `POST ${API_PREFIX}/links/inspect`;
  const json = "Content-Type: application/json";

  test("one that is too large is refused before it is read, or as soon as it is", async () => {
    const auth = `Authorization: Bearer ${server.newToken(["read"])}`;
    const announced = await ask([auth, json, `Content-Length: ${LIMITS.apiBodyBytes + 1}`], post);
    assert.deepEqual([announced.status, codeIn(announced)], [413, "E_TOO_LARGE"]);
    const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
    const endless = chunk.repeat(Math.ceil(LIMITS.apiBodyBytes / 0x10000) + 1);
    const found = await ask([auth, json, "Transfer-Encoding: chunked"], post, endless);
    assert.deepEqual([found.status, codeIn(found)], [413, "E_TOO_LARGE"]);
    assert.deepEqual(server.called, []);
  });

  test("what is no JSON, or no UTF-8, or no object, is refused without being repeated", async () => {
    const auth = `Authorization: Bearer ${server.newToken(["read"])}`;
    for (const body of [
      "",
      "{",
      "secret-secret",
      '{"link":"secret"}x',
      "[]",
      "null",
      '"secret"',
      "1",
      "\xff{}",
      '{"link":"\xff"}',
      "[".repeat(100_000),
    ]) {
      const bytes = Buffer.from(body, "latin1");
      const head = requestText(post, [`Host: ${server.host}`, auth, json, `Content-Length: ${bytes.length}`]);
      const answer = await sendRaw({ port: server.port }, Buffer.concat([Buffer.from(head), bytes]));
      assert.equal(codeIn(answer), "E_REQUEST", body.slice(0, 20));
      assert.doesNotMatch(answer.body, /secret/);
    }
  });

  test("one that is cut off reaches nobody as if it were whole, and the daemon goes on", async () => {
    const auth = `Authorization: Bearer ${server.newToken(["admin"])}`;
    const { id } = await server.client.call("beginUpload");
    const folder = path.join(server.folder, "uploads", id);
    server.called.length = 0;
    const upload = `PUT ${API_PREFIX}/uploads/${id}/file?path=a`;
    for (const [line, type] of [
      [post, json],
      [upload, "Content-Type: application/octet-stream"],
    ] as const) {
      const head = requestText(
        line,
        [`Host: ${server.host}`, auth, type, "Content-Length: 1000"],
        '{"link":',
      );
      for (const isReset of [true, false]) {
        const socket = connect(server.port, "127.0.0.1");
        await new Promise<void>((resolve) => socket.write(head, () => resolve()));
        // Until what was sent of the file is there.
        if (line === upload) while ((await readdir(folder)).length === 1) await sleep(5);
        if (isReset) socket.resetAndDestroy();
        else socket.destroy();
      }
    }
    assert.equal((await ask([], "GET /healthz")).status, 200);
    assert.deepEqual(server.called, []);
    while ((await readdir(folder)).length > 1) await sleep(5);
    assert.deepEqual(await readdir(path.join(folder, "tree")), []);
  });

  test("one that comes a byte at a time is not waited for", async () => {
    const clock = new ManualClock();
    const slow = await startTestServer({ clock });
    try {
      const auth = `Authorization: Bearer ${slow.newToken(["read"])}`;
      const head = requestText(post, [`Host: ${slow.host}`, auth, json, "Content-Length: 1000"], '{"link":');
      const answer = sendRaw({ port: slow.port }, head);
      // Until the body is being read there is no timer for it.
      const before = clock.timerCount;
      while (clock.timerCount <= before) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(LIMITS.apiBodyMs);
      const { body, status } = await answer;
      assert.equal(status, 400);
      assert.match(body, /did not come in time/);
    } finally {
      await slow.close();
    }
  });
});
