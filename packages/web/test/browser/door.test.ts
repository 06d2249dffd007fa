import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { test } from "node:test";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { ShareContent } from "@backroom/daemon/engine/content.ts";
import { assetsOf } from "@backroom/daemon/http/static-assets.ts";
import { startTestServer } from "../../../daemon/test/support/http-server.ts";
import { transferOf } from "../../../daemon/test/support/transfer-record.ts";
import { launchBrowser, watchedPage } from "../support/browser.ts";

/** What raw sockets cannot show of the daemon's door: what a browser itself sends, and keeps from sites. */

const PIXEL = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");
const FILES: Readonly<Record<string, Buffer>> = {
  "pixel.gif": PIXEL,
  "note.txt": Buffer.from("<script>parent.postMessage('ran','*')</script>just text"),
  "page.html": Buffer.from("<script>parent.postMessage('ran','*')</script>"),
};

const content: ShareContent = {
  open: async (_, path) => {
    const bytes = FILES[path];
    if (bytes === undefined) throw new BackroomError("E_NO_TRANSFER", "there is no such file");
    return {
      size: bytes.length,
      mtimeMs: null,
      read: async function* (start, end) {
        yield bytes.subarray(start, end);
      },
    };
  },
};

test("the daemon's own page asks with its token, and shows content that runs nothing", async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const index = Buffer.from('<!doctype html><html lang="en"><title>own</title><body></body></html>');
  const server = await startTestServer({ content, assets: assetsOf(new Map([["index.html", index]])) });
  t.after(() => server.close());
  const record = transferOf(1);
  server.catalogue.put(record);
  const origin = `http://${server.host}`;
  const contentOrigin = `http://127.0.0.1:${server.contentPort}`;
  const { page, complaints } = await watchedPage(browser, [origin, contentOrigin]);
  // A cookie of another program at this host, as developers have them.
  await page.context().addCookies([{ name: "other", value: "program", url: origin }]);
  await page.goto(`${origin}/`);
  assert.equal(await page.title(), "own");

  const token = server.newToken(["read"]);
  const status = await page.evaluate(async (token) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch("/api/v1/status", { headers, credentials: "omit" })).status;
  }, token);
  assert.deepEqual([status, server.called.map(({ name }) => name)], [404, ["status"]]);

  const urls: Record<string, string> = {};
  for (const path of Object.keys(FILES)) {
    urls[path] = (await server.client.call("contentUrl", { id: record.id, path })).url;
  }
  const shown = await page.evaluate(async (urls) => {
    const messages: unknown[] = [];
    addEventListener("message", ({ data }) => messages.push(data));
    const image = new Image();
    image.src = urls["pixel.gif"] ?? "";
    document.body.append(image);
    await image.decode();
    for (const path of ["note.txt", "page.html"]) {
      const frame = document.createElement("iframe");
      frame.src = urls[path] ?? "";
      const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.body.append(frame);
      // What is saved instead of shown loads nothing.
      if (path === "note.txt") await loaded;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { width: image.naturalWidth, messages };
  }, urls);
  assert.deepEqual(shown, { width: 1, messages: [] });
  const text = page.frames().find((frame) => frame.url().includes("note.txt"));
  assert.match((await text?.evaluate(() => document.body.textContent)) ?? "", /<script>.*just text/);
  assert.deepEqual(await complaints(), []);
});

test("another site gets nothing through the person's browser, whatever it tries", async (t) => {
  const browser = await launchBrowser(t);
  if (browser === undefined) return;
  const server = await startTestServer();
  t.after(() => server.close());
  const api = `http://${server.host}`;
  const evil = await serve('<!doctype html><title>evil</title><iframe name="sink"></iframe>');
  t.after(() => evil.server.close());
  // Another site altogether; the same host at another port, which browsers take for one site; a name that resolves to this computer.
  for (const origin of [`http://localhost:${evil.port}`, `http://127.0.0.1:${evil.port}`]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(origin);
    const token = server.newToken(["admin"]);
    const got = await page.evaluate(
      async ({ api, token }) => {
        const attempt = async (url: string, init?: RequestInit): Promise<string> => {
          try {
            const response = await fetch(url, init);
            return `${response.type} ${response.status} ${(await response.text()).length}`;
          } catch {
            return "failed";
          }
        };
        const json = { "content-type": "application/json" };
        const tries = [
          await attempt(`${api}/api/v1/status`),
          await attempt(`${api}/api/v1/status`, { mode: "no-cors", credentials: "include" }),
          await attempt(`${api}/api/v1/stop`, { method: "POST", mode: "no-cors", body: "{}" }),
          await attempt(`${api}/api/v1/stop`, { method: "POST", headers: json, body: "{}" }),
          await attempt(`${api}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } }),
          await attempt(`${api}/openapi.json`),
          await attempt(`${api}/healthz`),
        ];
        const form = document.createElement("form");
        Object.assign(form, {
          action: `${api}/api/v1/stop`,
          method: "post",
          enctype: "text/plain",
          target: "sink",
        });
        document.body.append(form);
        form.submit();
        const script = document.createElement("script");
        script.src = `${api}/openapi.json`;
        const image = document.createElement("img");
        image.src = `${api}/healthz`;
        const frame = document.createElement("iframe");
        frame.src = `${api}/`;
        document.body.append(script, image, frame);
        await new Promise((resolve) => setTimeout(resolve, 700));
        let framed = "hidden";
        try {
          framed = frame.contentDocument?.title ?? "hidden";
        } catch {
          // Of another origin.
        }
        return { tries, framed };
      },
      { api, token },
    );
    for (const one of got.tries) assert.match(one, /^(failed|opaque 0 0)$/, origin);
    assert.equal(got.framed, "hidden");
    assert.deepEqual(server.called, [], origin);
    await context.close();
  }
  const page = await browser.newPage();
  const rebound = await page.goto(`http://evil.localhost:${server.port}/`);
  assert.equal(rebound?.status(), 403);
  const asked = await page.evaluate(async () => (await fetch("/api/v1/status")).status);
  assert.equal(asked, 403);
  assert.deepEqual(server.called, []);
});

async function serve(html: string): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end(html),
  );
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}
