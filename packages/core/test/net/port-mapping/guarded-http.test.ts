import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type ClientRequest, type IncomingMessage, type RequestListener } from "node:http";
import { get as getSecure } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { before, test } from "node:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { guardHttp } from "../../../src/net/port-mapping/guarded-http.ts";

// In force for this file, which is a process of its own.
before(() => guardHttp(["127.0.0.1"]));

type Get = (url: string, onResponse: (response: IncomingMessage) => void) => ClientRequest;

/** As the library asks: by the module's own function, with its global agent. */
async function ask(url: string, by: Get = get): Promise<string> {
  return new Promise((resolve, reject) => {
    by(url, (response) => {
      text(response).then(resolve, reject);
    }).on("error", reject);
  });
}

/** What comes of asking a router that answers so. */
async function against(answer: RequestListener): Promise<string | Error> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    return await ask(`http://127.0.0.1:${port}/`).catch((error: Error) => error);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("the router is asked, and nobody else is called, nor a name looked up", async () => {
  assert.equal(await against((_request, response) => response.end("<root/>")), "<root/>");
  const server = createServer((_request, response) => response.end("reached")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (const host of ["localhost", "127.0.0.2", "[::1]", "router.example"]) {
    await assert.rejects(async () => ask(`http://${host}:${port}/`), /leads elsewhere/, host);
  }
  await assert.rejects(async () => ask(`https://127.0.0.1:${port}/`, getSecure), /by http/);
  server.close();
});

test("a router that sends without end, or nothing at all, is cut off", async () => {
  const endless = await against((_request, response) => {
    const more = (): void => {
      while (response.write(Buffer.alloc(65_536)));
      response.once("drain", more);
    };
    more();
  });
  assert.ok(endless instanceof Error, "an answer without end came to one");
  const long = await against((_request, response) => response.end(Buffer.alloc(LIMITS.portMappingHttpBytes)));
  assert.ok(long instanceof Error);
  const startedMs = performance.now();
  assert.ok((await against(() => {})) instanceof Error);
  assert.ok(performance.now() - startedMs < 3 * LIMITS.portMappingHttpMs);
});
