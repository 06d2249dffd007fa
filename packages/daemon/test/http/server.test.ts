import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { systemClock } from "@backroom/core/base/clock.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { EVENTS_PATH } from "@backroom/api/places.ts";
import { createServer } from "node:http";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { requestText, sendRaw, startTestServer } from "../support/http-server.ts";

describe("settings of the page", () => {
  test("that would open it to others keep the daemon from starting, and nothing listens", async () => {
    await assert.rejects(startTestServer({ settings: { "page.host": "0.0.0.0" } }), { code: "E_SETTING" });
    const files = { "page.tls-cert": "/nowhere/c.pem", "page.tls-key": "/nowhere/k.pem" };
    await assert.rejects(startTestServer({ settings: files }), { code: "E_SETTING" });
  });

  test("with a port that is taken say which setting to change", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    for (const key of ["page.port", "content.port"] as const) {
      await assert.rejects(
        startTestServer({ settings: { [key]: port } }),
        (error: { code: string; fix: string }) => {
          assert.equal(error.code, "E_PORT_IN_USE");
          assert.match(error.fix, new RegExp(key));
          return true;
        },
      );
    }
    other.close();
  });

  /** Would catch: a second daemon of one person that does not start, a page whose address is another one each time, and a door that does not know the port. */
  test("let a port that nobody chose be another one where it is taken, the same the next time", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const catalogue = memoryCatalogue(systemClock);
    const options = { settings: { "page.port": port }, isPortChosen: false, catalogue };
    const pages: (string | null)[] = [];
    for (let start = 0; start < 2; start++) {
      const server = await startTestServer(options);
      pages.push(server.running.page);
      assert.notEqual(server.port, port);
      assert.match(
        server.running.warnings.join(),
        new RegExp(`Port ${port} is in use.* ${server.running.page}`),
      );
      // The door knows it by its own port alone.
      assert.equal((await fetch(new URL("healthz", server.running.page ?? ""))).status, 200);
      await server.close();
    }
    assert.equal(pages[0], pages[1]);
    const named = { ...options, settings: { "page.port": port, "page.hosts": "room.example" } };
    await assert.rejects(startTestServer(named), { code: "E_PORT_IN_USE" });
    other.close();
  });

  test("may switch it off: then there is the socket, and no address to open", async () => {
    const server = await startTestServer({ settings: { "page.enabled": false } });
    try {
      assert.equal(server.running.page, null);
      await assert.rejects(server.client.call("openPage"), { code: "E_NOT_FOUND" });
      await assert.rejects(server.client.call("status"), { code: "E_NO_TRANSFER" });
    } finally {
      await server.close();
    }
  });

  test("behind a proxy it answers to the names that were given", async () => {
    const settings = {
      "page.host": "0.0.0.0",
      "page.hosts": "room.example",
      "page.behind-proxy": true,
    } as const;
    // The port of content has to be known; it is taken and given back here.
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const server = await startTestServer({ settings: { ...settings, "content.port": port, "page.port": 0 } });
    try {
      assert.equal(server.running.page, "https://room.example/");
      const { url } = await server.client.call("openPage");
      assert.ok(url.startsWith("https://room.example/#code="));
    } finally {
      await server.close();
    }
  });

  test("with a certificate it is served over TLS alone", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-tls-"));
    const [cert, key] = [path.join(folder, "c.pem"), path.join(folder, "k.pem")];
    const make = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      "/CN=localhost",
    ];
    execFileSync("openssl", [...make, "-keyout", key, "-out", cert, "-days", "2"], { stdio: "ignore" });
    const server = await startTestServer({ settings: { "page.tls-cert": cert, "page.tls-key": key } });
    try {
      assert.equal(server.running.page, `https://127.0.0.1:${server.port}/`);
      const status = await new Promise((resolve, reject) => {
        const options = { port: server.port, host: "127.0.0.1", path: "/healthz", rejectUnauthorized: false };
        request(options, (answer) => resolve(answer.resume().statusCode))
          .on("error", reject)
          .end();
      });
      assert.equal(status, 200);
      const clear = await sendRaw({ port: server.port }, requestText("GET /", [`Host: ${server.host}`]));
      assert.equal(clear.status, 0);
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  });
});

test("closing ends streams of events and waits for nobody", async () => {
  const server = await startTestServer();
  const token = server.newToken(["read"]);
  const line = requestText(`GET ${EVENTS_PATH}`, [`Host: ${server.host}`, `Authorization: Bearer ${token}`]);
  const events = sendRaw({ port: server.port }, line);
  while (server.events.clientCount === 0) await new Promise((resolve) => setImmediate(resolve));
  await server.close();
  assert.match((await events).body, /event: reset/);
});

test("a client that follows events and does not read holds no more than a socket's buffers, and is cut off", async () => {
  const server = await startTestServer();
  try {
    const line = requestText(`GET ${EVENTS_PATH}`, ["Host: localhost"]);
    const socket = connect(server.socketPath);
    const closed = new Promise<void>((resolve) =>
      socket.once("close", () => resolve()).once("error", () => {}),
    );
    socket.pause();
    socket.write(line);
    while (server.events.clientCount === 0) await new Promise((resolve) => setImmediate(resolve));
    const text = "x".repeat(LIMITS.eventRingBytes / 8);
    // Twice what the ring holds, told as quickly as may be.
    for (let n = 0; server.events.clientCount > 0 && n < 40; n++) {
      for (let more = 0; more < 8; more++) {
        server.events.publish({ name: "notice", data: { level: "note", text, transfer: null } });
      }
      await new Promise((resolve) => setTimeout(resolve, LIMITS.eventEveryMs + 10));
    }
    assert.equal(server.events.clientCount, 0);
    socket.resume();
    await closed;
  } finally {
    await server.close();
  }
});
