import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  requestText,
  sendRaw,
  startTestServer,
  type RawAnswer,
  type TestServer,
} from "../support/http-server.ts";

/** Each test is what a hostile page, another user's program or a confused proxy would send; none may reach an operation. */
let server: TestServer;
let token: string;

before(async () => {
  server = await startTestServer();
  token = server.newToken(["admin"]);
});
after(() => server.close());

const api = "GET /api/v1/status";
/** With everything right but what `headers` and `line` say. */
async function ask(headers: readonly string[], line = api, body = ""): Promise<RawAnswer> {
  server.called.length = 0;
  return await sendRaw({ port: server.port }, requestText(line, headers, body));
}
const right = (): string[] => [`Host: ${server.host}`, `Authorization: Bearer ${token}`];
function assertRefused(answer: RawAnswer, statuses: readonly number[], what?: string): void {
  assert.ok(statuses.includes(answer.status), `${what ?? ""}: ${answer.status} ${answer.body}`);
  assert.deepEqual(server.called, [], what);
}

test("control: the same request, unspoilt, reaches the operation", async () => {
  const answer = await ask(right());
  assert.equal(answer.status, 404);
  assert.deepEqual(
    server.called.map(({ name }) => name),
    ["status"],
  );
});

describe("DNS rebinding", () => {
  test("any host but the exact one is refused, whatever it resolves to", async () => {
    const { port } = server;
    const hosts = [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      "localhost",
      `127.0.0.1:${port + 1}`,
      `127.0.0.1:${port}.`,
      `127.0.0.1.:${port}`,
      `127.1:${port}`,
      `0x7f000001:${port}`,
      `2130706433:${port}`,
      `0.0.0.0:${port}`,
      `[::1]:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `LOCALHOST:${port}`,
      `localhost.:${port}`,
      `127.0.0.1:0${port}`,
      `evil@127.0.0.1:${port}`,
      `127.0.0.1:${port}, evil.example`,
      `127.0.0.1:${server.contentPort}`,
    ];
    for (const host of hosts) {
      assertRefused(await ask([`Host: ${host}`, `Authorization: Bearer ${token}`]), [403], host);
      assertRefused(await ask([`Host: ${host}`], "GET /"), [403], host);
    }
  });

  test("a request without a host is refused", async () => {
    assertRefused(await ask([`Authorization: Bearer ${token}`]), [400]);
    assertRefused(await ask(["Host:", `Authorization: Bearer ${token}`]), [400, 403]);
    const old = await sendRaw(
      { port: server.port },
      `GET /api/v1/status HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    assertRefused(old, [403]);
  });

  test("two hosts are refused, in either order", async () => {
    assertRefused(await ask([...right(), "Host: evil.example"]), [400]);
    assertRefused(await ask(["Host: evil.example", ...right()]), [400]);
    assertRefused(await ask([...right(), `hOST: ${server.host}`]), [400]);
  });

  test("a target that names a host is refused, also with the right Host beside it", async () => {
    for (const target of [
      "http://evil.example/api/v1/status",
      `http://${server.host}/api/v1/status`,
      "//evil.example/api/v1/status",
      "evil.example:80",
      "*",
      "/../api/v1/status",
      "/x/../api/v1/status",
      "/api/v1/./status",
      "/x/%2e%2e/api/v1/status",
      "/x/%2E./api/v1/status",
      "/api\\v1\\status",
      "/api/v1/status#x",
    ]) {
      assertRefused(await ask(right(), `GET ${target}`), [400, 404], target);
    }
  });

  test("the socket is not fooled by a host either", async () => {
    const at = { path: server.socketPath };
    assertRefused(await sendRaw(at, requestText(api, ["Host: evil.example"])), [403]);
    assertRefused(
      await sendRaw(at, requestText(api, ["Host: localhost", "Origin: http://localhost"])),
      [403],
    );
    assertRefused(await sendRaw(at, requestText(api, ["Host: localhost", "Cookie: a=b"])), [403]);
    assertRefused(
      await sendRaw(at, requestText(api, ["Host: localhost", "Sec-Fetch-Site: same-origin"])),
      [403],
    );
  });
});

describe("requests that are understood in two ways", () => {
  const body = '{"x":1}';
  const post = "POST /api/v1/stop";
  const json = "Content-Type: application/json";
  test("lengths that contradict each other, and codings that are not ours", async () => {
    const variants = [
      ["Content-Length: 2", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: chunked", "Content-Length: 2"],
      ["Content-Length: 2", "Content-Length: 9"],
      ["Content-Length: 2, 2"],
      ["Content-Length: +2"],
      ["Content-Length: -2"],
      ["Content-Length: 0x2"],
      ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
      ["Transfer-Encoding: xchunked"],
      ["Transfer-Encoding : chunked"],
      ["Transfer-Encoding: chunked, gzip"],
      ["Content-Length : 2"],
      ["X: y\rContent-Length: 2"],
      [" Content-Length: 2"],
    ];
    for (const variant of variants) {
      const answer = await ask([...right(), json, ...variant], post, `0\r\n\r\n${body}`);
      assertRefused(answer, [400, 0], variant.join(" / "));
    }
  });

  test("a second request hidden in the body of a refused one is never answered", async () => {
    server.called.length = 0;
    const hidden = requestText(api, right());
    const outer = [`Host: evil.example`, `Content-Length: ${hidden.length}`, "", hidden].join("\r\n");
    const answer = await sendRaw({ port: server.port }, `POST / HTTP/1.1\r\n${outer}`);
    assertRefused(answer, [403]);
    assert.equal(answer.body.includes("HTTP/1.1"), false);
  });

  test("chunk sizes that overflow, and line ends that are none", async () => {
    for (const chunk of [
      "FFFFFFFFFFFFFFFFF\r\nx",
      "2\n{}\n0\n\n",
      "-2\r\n{}\r\n0\r\n\r\n",
      "2\r\n{}0\r\n\r\n",
    ]) {
      const answer = await ask([...right(), json, "Transfer-Encoding: chunked"], post, chunk);
      assertRefused(answer, [400, 0], JSON.stringify(chunk));
    }
  });

  test("two tokens, or two types, are refused", async () => {
    assertRefused(await ask([...right(), "Authorization: Bearer x"]), [400]);
    assertRefused(
      await ask([...right(), json, "Content-Type: text/plain", "Content-Length: 2"], post, "{}"),
      [400],
    );
  });

  test("methods that nobody uses, and upgrades", async () => {
    for (const method of ["OPTIONS", "TRACE", "PROPFIND", "QUERY", "get"]) {
      assertRefused(await ask(right(), `${method} /api/v1/status`), [400], method);
    }
    assertRefused(await ask(right(), "CONNECT evil.example:443"), [0, 400]);
    const upgrade = [...right(), "Upgrade: websocket", "Sec-WebSocket-Key: x"];
    const answer = await ask(upgrade);
    assert.notEqual(answer.status, 101);
  });
});

describe("requests that another site makes a browser send", () => {
  const json = ["Content-Type: application/json", "Content-Length: 2"];
  test("a foreign, an opaque or a nearly right origin is refused, with the right token, too", async () => {
    const { port } = server;
    for (const origin of [
      "null",
      "http://evil.example",
      "http://127.0.0.1",
      `http://127.0.0.1:${port + 1}`,
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}.evil.example`,
      `http://localhost:${port}`,
      `http://127.0.0.1:${server.contentPort}`,
      "",
    ]) {
      assertRefused(await ask([...right(), `Origin: ${origin}`]), [403], origin);
      assertRefused(
        await ask([...right(), ...json, `Origin: ${origin}`], "POST /api/v1/stop", "{}"),
        [403],
        origin,
      );
    }
    await ask([...right(), `Origin: http://${server.host}`]);
    assert.equal(server.called.length, 1, "its own is not");
  });

  test("what the browser says of the asking site counts, also where it leaves out the origin", async () => {
    for (const site of ["cross-site", "same-site", "", "none, cross-site", "NONE"]) {
      assertRefused(await ask([...right(), `Sec-Fetch-Site: ${site}`]), [403], site);
    }
    for (const site of ["same-origin", "none"]) {
      await ask([...right(), `Sec-Fetch-Site: ${site}`]);
      assert.equal(server.called.length, 1, site);
    }
  });

  test("a link on another site opens the page, and nothing else: no frame, no script, no operation", async () => {
    const from = (dest: string, mode: string): string[] => [
      `Host: ${server.host}`,
      "Sec-Fetch-Site: cross-site",
      `Sec-Fetch-Dest: ${dest}`,
      `Sec-Fetch-Mode: ${mode}`,
    ];
    assert.equal((await ask(from("document", "navigate"), "GET /")).status, 200);
    for (const [dest, mode] of [
      ["iframe", "navigate"],
      ["script", "no-cors"],
      ["empty", "cors"],
      ["object", "navigate"],
    ] as const) {
      assertRefused(await ask(from(dest, mode), "GET /"), [403], dest);
    }
    assertRefused(await ask(from("document", "navigate"), "GET /openapi.json"), [403]);
    assertRefused(await ask([...from("document", "navigate"), `Authorization: Bearer ${token}`]), [403]);
    assertRefused(await ask([...from("document", "navigate"), "Content-Length: 0"], "POST /"), [403]);
  });

  test("the bodies that a form can send are not taken", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/json; charset=utf-8",
      "application/json, text/plain",
      "Application/JSON",
      "text/json",
    ]) {
      const answer = await ask(
        [...right(), `Content-Type: ${type}`, "Content-Length: 2"],
        "POST /api/v1/stop",
        "{}",
      );
      assertRefused(answer, [400], type);
    }
    assertRefused(await ask([...right(), "Content-Length: 2"], "POST /api/v1/stop", "{}"), [400]);
    assertRefused(
      await ask([...right(), ...json, "Content-Encoding: gzip"], "POST /api/v1/stop", "{}"),
      [400],
    );
  });

  test("a cookie is refused with an operation, and is never a way in", async () => {
    assertRefused(await ask([...right(), `Cookie: token=${token}`]), [403]);
    assertRefused(await ask([`Host: ${server.host}`, `Cookie: token=${token}`], "GET /metrics"), [401]);
    const page = await ask([`Host: ${server.host}`, "Cookie: of=another program here"], "GET /");
    assert.equal(page.status, 200);
    assert.doesNotMatch(page.head, /set-cookie/);
  });

  test("nothing allows another site to read an answer", async () => {
    for (const line of ["GET /", api, "GET /nowhere", "GET /healthz"]) {
      const { head } = await ask(right(), line);
      assert.doesNotMatch(head, /access-control-/, line);
      for (const header of [
        /cross-origin-resource-policy: same-origin/,
        /cross-origin-opener-policy: same-origin/,
        /x-content-type-options: nosniff/,
        /referrer-policy: no-referrer/,
        /content-security-policy: default-src 'none'; script-src 'self';.*frame-ancestors 'none'; form-action 'none'; base-uri 'none'/,
      ]) {
        assert.match(head, header, line);
      }
      assert.doesNotMatch(head, /unsafe|\*/, line);
    }
    const refused = await ask([`Host: evil.example`]);
    assert.match(refused.head, /content-security-policy: default-src 'none'/);
    assert.match(refused.head, /content-type: application\/problem\+json/);
  });
});

test("paths to files that are not the page's lead nowhere", async () => {
  for (const target of [
    "/index.html",
    "/etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/assets/..%5c..%5csecret",
    "/assets/",
    "/assets",
    "//etc/passwd",
    "/%00",
    "/daemon.sock",
    "/__proto__",
    "/constructor",
    "/api",
    "/api/v1",
    "/api/v1/",
    "/api/v1/status/",
    "/API/v1/status",
    "/api/v1/__proto__",
    "/%",
    "/%ff",
  ]) {
    assertRefused(await ask(right(), `GET ${target}`), [400, 404], target);
  }
});
