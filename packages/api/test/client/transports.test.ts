import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { ApiProblem } from "../../src/client/api-problem.ts";
import { createClient } from "../../src/client/client.ts";
import { fetchTransport } from "../../src/client/fetch-transport.ts";
import { nodeTransport } from "../../src/client/node-transport.ts";
import type { Transport } from "../../src/client/transport.ts";
import type { Problem } from "../../src/schemas/daemon.ts";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const PROBLEM: Problem = {
  type: "urn:backroom:error:E_FROM_THE_FUTURE",
  title: "what",
  status: 409,
  code: "E_FROM_THE_FUTURE",
  detail: "why",
  fix: "try",
  exit: 3,
  retry: "elsewhere",
};

/** Both transports do the same to a server that notes what it is asked. */
for (const kind of ["fetch", "node"] as const) {
  describe(`client over ${kind}`, () => {
    let folder: string;
    let server: Server;
    let transport: Transport;
    let asked: Asked[] = [];
    let answer: (response: ServerResponse, request: IncomingMessage) => void;

    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), "backroom-client-"));
      server = createServer((request, response) => {
        void readAll(request).then((body) => {
          asked.push({
            method: request.method ?? "",
            url: request.url ?? "",
            headers: request.headers,
            body,
          });
          answer(response, request);
        });
      });
      const socketPath = path.join(folder, "s");
      await new Promise<void>((resolve) =>
        kind === "node" ? server.listen(socketPath, resolve) : server.listen(0, "127.0.0.1", resolve),
      );
      const address = server.address();
      transport =
        typeof address === "object" && address !== null
          ? fetchTransport({ origin: `http://127.0.0.1:${address.port}`, token: () => "secret" })
          : nodeTransport({ socketPath, secret: "secret" });
    });
    after(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    });
    const ask = async <T>(
      respond: typeof answer,
      work: (client: ReturnType<typeof createClient>) => Promise<T>,
    ): Promise<{ result: T; asked: Asked }> => {
      asked = [];
      answer = respond;
      const result = await work(createClient(transport));
      assert.equal(asked.length, 1);
      return { result, asked: asked[0] as Asked };
    };
    const json =
      (body: unknown, status = 200, type = "application/json") =>
      (response: ServerResponse): void => {
        response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
      };

    test("puts input into path, query and body, with the token", async () => {
      const list = await ask(json({ total: 0 }), (client) =>
        client.call("listTransfers", { search: "ä&b", limit: 5 }),
      );
      assert.deepEqual(list.result, { total: 0 });
      assert.equal(list.asked.url, "/api/v1/transfers?search=%C3%A4%26b&limit=5");
      assert.equal(list.asked.headers.authorization, "Bearer secret");
      assert.equal(list.asked.headers.cookie, undefined);
      const set = await ask(json({}), (client) => client.call("setSetting", { key: "a/../b", value: null }));
      assert.equal(set.asked.url, "/api/v1/settings/a%2F..%2Fb");
      assert.equal(set.asked.body, '{"value":null}');
      assert.equal(set.asked.headers["content-type"], "application/json");
      const stop = await ask(json({}), (client) => client.call("stop"));
      assert.deepEqual([stop.asked.method, stop.asked.body], ["POST", "{}"]);
    });

    test("sends bytes as they are", async () => {
      const bytes = new Blob(["some ", "bytes"]);
      const sent = await ask(json({ size: 10 }), (client) =>
        client.call("uploadFile", { id: "a".repeat(16), path: "x/y z" }, { bytes }),
      );
      assert.equal(sent.asked.url, `/api/v1/uploads/${"a".repeat(16)}/file?path=x%2Fy+z`);
      assert.equal(sent.asked.body, "some bytes");
      assert.equal(sent.asked.headers["content-type"], "application/octet-stream");
    });

    test("raises what the daemon refuses with, also codes that are unknown here", async () => {
      const refused = ask(json(PROBLEM, 409, "application/problem+json"), (client) => client.call("status"));
      await assert.rejects(refused, (error) => {
        assert.ok(error instanceof ApiProblem && isBackroomError(error));
        assert.deepEqual(
          [error.code, error.message, error.why, error.fix, error.exit, error.retry, error.status],
          ["E_FROM_THE_FUTURE", "what", "why", "try", 3, "elsewhere", 409],
        );
        return true;
      });
    });

    test("takes nothing else for an answer", async () => {
      for (const respond of [
        json({}, 200, "text/html"),
        json({ title: 1 }, 500, "application/problem+json"),
        (response: ServerResponse) =>
          void response.writeHead(200, { "content-type": "application/json" }).end('{"a'),
      ]) {
        await assert.rejects(
          ask(respond, (client) => client.call("status")),
          { code: "E_DAEMON" },
        );
      }
    });

    test("says when the connection breaks in the middle, and when it was given up", async () => {
      const half = (response: ServerResponse): void => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"a', () => response.destroy());
      };
      await assert.rejects(
        ask(half, (client) => client.call("status")),
        { code: "E_DAEMON" },
      );
      const abort = new AbortController();
      const given = ask(
        () => abort.abort(),
        (client) => client.call("status", {}, { signal: abort.signal }),
      );
      await assert.rejects(given, { code: "E_INTERRUPTED" });
    });

    test("follows events over connections that break, from where they broke", async () => {
      asked = [];
      let connections = 0;
      answer = (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(
          `: here\n\nid: r.${++connections}\nevent: notice\ndata: {"level":"note",\ndata: "n":${connections}}\n\n`,
        );
        setImmediate(() => response.destroy());
      };
      const states: boolean[] = [];
      const found: unknown[] = [];
      const abort = new AbortController();
      const clock = { after: (_: number, run: () => void) => (_ < 10_000 && setImmediate(run), () => {}) };
      const events = createClient(transport).events({
        signal: abort.signal,
        onConnected: (is) => states.push(is),
        clock,
      });
      for await (const event of events) {
        found.push(event);
        if (found.length === 3) abort.abort();
      }
      assert.deepEqual(
        found,
        [1, 2, 3].map((n) => ({ name: "notice", data: { level: "note", n } })),
      );
      assert.deepEqual(states, [true, false, true, false, true]);
      assert.deepEqual(
        asked.map(({ url, headers }) => [url, headers["last-event-id"]]),
        [undefined, "r.1", "r.2"].map((id) => ["/api/v1/events", id]),
      );
    });

    /** Would catch: a command that has its answer and stays awake for as long as a daemon may be silent. */
    test("holds no timer while its events are not asked for", async () => {
      answer = (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write('event: notice\ndata: {"level":"note"}\n\n');
      };
      let timers = 0;
      const clock = { after: () => (timers++, () => void timers--) };
      const abort = new AbortController();
      const events = createClient(transport).events({ signal: abort.signal, clock });
      await events[Symbol.asyncIterator]().next();
      assert.equal(timers, 0);
      abort.abort();
    });

    test("gives up a connection for events that falls silent, and ends when it is refused for good", async () => {
      let isFirst = true;
      answer = (response) => {
        if (!isFirst) return json(PROBLEM, 401, "application/problem+json")(response);
        isFirst = false;
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(": here\n\n", () => silence());
      };
      let silence = (): void => {};
      const clock = {
        after: (ms: number, run: () => void) => {
          if (ms < 10_000) setImmediate(run);
          else silence = () => setTimeout(run, 100);
          return () => {};
        },
      };
      await assert.rejects(all(createClient(transport).events({ clock })), {
        code: "E_FROM_THE_FUTURE",
      });
    });
  });
}

test("nobody there is an error of its own", async () => {
  const socketPath = path.join(tmpdir(), "backroom-nobody-listens-here");
  const transports = [
    nodeTransport({ socketPath, secret: null }),
    fetchTransport({ origin: "http://127.0.0.1:1", token: () => undefined }),
  ];
  for (const transport of transports) {
    await assert.rejects(createClient(transport).call("status"), { code: "E_NO_DAEMON" });
    await assert.rejects(all(createClient(transport).events()), { code: "E_NO_DAEMON" });
  }
});

test("what would be another address is not asked for", async () => {
  const transport: Transport = { send: () => assert.fail("sent") };
  for (const key of ["", ".", ".."]) {
    await assert.rejects(createClient(transport).call("setSetting", { key, value: 1 }), {
      code: "E_REQUEST",
    });
  }
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
