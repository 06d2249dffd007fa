import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { API_PREFIX } from "@backroom/api/places.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import type { ShareContent } from "../../src/engine/content.ts";
import { transferOf } from "../support/transfer-record.ts";
import {
  requestText,
  sendRaw,
  startTestServer,
  type RawAnswer,
  type TestServer,
} from "../support/http-server.ts";

/** A share whose files a stranger wrote. */
const FILES: Readonly<Record<string, string>> = {
  "a/film.mp4": "0123456789".repeat(100),
  "page.html": "<script>alert(1)</script>",
  "pic.svg": "<svg onload=alert(1)>",
  "note.txt": "<script>not a script</script>",
  "empty.txt": "",
  'x"; filename=evil.exe\r\nSet-Cookie: a=b': "odd",
  "ünï 'q'.bin": "bin",
  "broken.mp4": "b".repeat(1000),
  "arriving.mp4": "c".repeat(1000),
};

const clock = new ManualClock();
let server: TestServer;
let id: string;
const opened: string[] = [];
/** Of those whose bytes have not arrived: told of each that is opened or read, until nobody waits for it any more. */
const waiting = new EventEmitter();
async function forEver(path: string, signal: AbortSignal): Promise<never> {
  waiting.emit("begun", path);
  await once(signal, "abort");
  waiting.emit("over", path);
  throw new BackroomError("E_INTERRUPTED", "nobody waits any more");
}

const content: ShareContent = {
  open: async (transfer, path, signal) => {
    opened.push(path);
    if (path === "unlisted.mp4") return forEver(path, signal);
    const text = transfer === id ? FILES[path] : undefined;
    if (text === undefined) throw new BackroomError("E_NO_TRANSFER", "there is no such file");
    return {
      size: Buffer.byteLength(text),
      mtimeMs: null,
      read: async function* (start, end) {
        const bytes = Buffer.from(text).subarray(start, end);
        for (let at = 0; at < bytes.length; at += 64) {
          if (path === "arriving.mp4" && at > 200) await forEver(path, signal);
          if (path === "broken.mp4" && at > 200) throw new Error("disk at /home/ann/secret");
          yield bytes.subarray(at, at + 64);
        }
      },
    };
  },
};

before(async () => {
  server = await startTestServer({ content, clock });
  const record = transferOf(1);
  server.catalogue.put(record);
  id = record.id;
});
after(() => server.close());

async function targetOf(path: string): Promise<string> {
  const { url } = await server.client.call("contentUrl", { id, path });
  const origin = `http://127.0.0.1:${server.contentPort}`;
  assert.ok(url.startsWith(`${origin}/content/`), url);
  return url.slice(origin.length);
}

async function get(target: string, headers: readonly string[] = [], method = "GET"): Promise<RawAnswer> {
  opened.length = 0;
  const host = `Host: 127.0.0.1:${server.contentPort}`;
  return await sendRaw({ port: server.contentPort }, requestText(`${method} ${target}`, [host, ...headers]));
}

test("control: a signed address gives the file, and nothing but the file", async () => {
  const answer = await get(await targetOf("a/film.mp4"));
  assert.equal(answer.status, 200);
  assert.equal(answer.body, FILES["a/film.mp4"]);
});

describe("addresses", () => {
  test("a changed path, transfer, end or signature is refused, and nothing is opened", async () => {
    const target = await targetOf("a/film.mp4");
    const [, , expires = "", transfer = "", mac = "", path = ""] = target.split("/");
    const other = (await targetOf("note.txt")).split("/");
    const variants = [
      [expires, transfer, mac, encodeURIComponent("page.html")],
      [expires, transfer, mac, `${path}%20`],
      [expires, transfer, mac, path.replace("%2F", "%2f").replace("film", "Film")],
      [expires, transfer, mac, `..%2f${path}`],
      [expires, "a".repeat(16), mac, path],
      [String(Number(expires) + 1), transfer, mac, path],
      [`0${expires}`, transfer, mac, path],
      [expires, transfer, other[4] ?? "", path],
      [expires, transfer, `${mac.slice(0, -2)}AA`, path],
      [expires, transfer, mac.slice(0, -1), path],
      [expires, transfer, "A".repeat(43), path],
      [expires, transfer, "", path],
      [expires, transfer, mac, ""],
      [expires, transfer, mac, "%ff"],
      [expires, transfer, mac, `${path}/x`],
      [expires, transfer, mac, `${path}?x=1`],
      // The same bytes, cut elsewhere: what is signed must not be read in two ways.
      [`${expires}%0a${transfer}`, transfer, mac, path],
    ];
    for (const variant of variants) {
      const answer = await get(`/content/${variant.join("/")}`);
      assert.ok([400, 403, 404].includes(answer.status), `${variant.join("/")}: ${answer.status}`);
      if (answer.status === 200 || opened.length > 0) assert.fail(variant.join("/"));
    }
  });

  test("one that is over is refused", async () => {
    const target = await targetOf("note.txt");
    clock.advance(LIMITS.contentUrlMs - 1);
    assert.equal((await get(target)).status, 200);
    clock.advance(1);
    assert.equal((await get(target)).status, 403);
  });

  test("one of another run is refused", async () => {
    const other = await startTestServer({ content, clock });
    try {
      other.catalogue.put({ ...transferOf(1), id });
      const { url } = await other.client.call("contentUrl", { id, path: "note.txt" });
      assert.equal((await get(new URL(url).pathname)).status, 403);
    } finally {
      await other.close();
    }
  });

  test("none is given for a transfer that is not there", async () => {
    await assert.rejects(server.client.call("contentUrl", { id: "a".repeat(16), path: "x" }), {
      code: "E_NO_TRANSFER",
    });
  });
});

describe("the port", () => {
  test("serves no operation, page or number, with whatever token", async () => {
    const token = server.newToken(["admin"]);
    for (const path of [
      "/",
      `${API_PREFIX}/status`,
      `${API_PREFIX}/events`,
      "/metrics",
      "/openapi.json",
      "/content/",
      "/content",
    ]) {
      assert.ok([403, 404].includes((await get(path)).status), path);
      assert.equal((await get(path, [`Authorization: Bearer ${token}`])).status, 403, path);
    }
    assert.deepEqual(server.called, []);
  });

  test("takes no token beside a good address either, so that nobody gets used to sending one", async () => {
    const answer = await get(await targetOf("note.txt"), [
      `Authorization: Bearer ${server.newToken(["read"])}`,
    ]);
    assert.equal(answer.status, 403);
  });

  test("answers no other host, no script, and no other site", async () => {
    const target = await targetOf("note.txt");
    const raw = (host: string): Promise<RawAnswer> =>
      sendRaw({ port: server.contentPort }, requestText(`GET ${target}`, [`Host: ${host}`]));
    for (const host of ["evil.example", server.host, `evil.example:${server.contentPort}`]) {
      assert.equal((await raw(host)).status, 403, host);
    }
    for (const header of [
      `Origin: http://${server.host}`,
      "Origin: null",
      "Origin: http://evil.example",
      "Sec-Fetch-Site: cross-site",
    ]) {
      assert.equal((await get(target, [header])).status, 403, header);
    }
    assert.equal((await get(target, ["Sec-Fetch-Site: same-site"])).status, 200, "the page frames it");
    assert.ok((await get(target, ["Content-Length: 0"], "POST")).status === 404);
  });

  test("shows what a stranger wrote where it can do nothing", async () => {
    for (const path of ["page.html", "note.txt", "pic.svg", "a/film.mp4"]) {
      const { head } = await get(await targetOf(path));
      assert.match(head, /content-security-policy: sandbox; default-src 'none'; frame-ancestors http:/, path);
      assert.doesNotMatch(head, /allow-|unsafe|access-control/, path);
      assert.match(head, /x-content-type-options: nosniff/, path);
      assert.match(head, /cross-origin-resource-policy: cross-origin/, path);
      assert.match(head, /referrer-policy: no-referrer/, path);
    }
    for (const path of ["page.html", "pic.svg", "ünï 'q'.bin"]) {
      const { head } = await get(await targetOf(path));
      assert.match(head, /content-type: application\/octet-stream/, path);
      assert.match(head, /content-disposition: attachment; filename\*=utf-8''/, path);
    }
    assert.match((await get(await targetOf("note.txt"))).head, /content-type: text\/plain; charset=utf-8/);
  });

  test("a name cannot say more than a name", async () => {
    const odd = Object.keys(FILES).find((name) => name.includes("evil")) ?? "";
    const { head, body } = await get(await targetOf(odd));
    assert.equal(body, "odd");
    assert.doesNotMatch(head, /^set-cookie|filename=evil/m);
    assert.match(head, /filename\*=utf-8''x%22%3b%20filename%3devil\.exe%0d%0aset-cookie%3a%20a%3db/);
    const quoted = await get(await targetOf("ünï 'q'.bin"));
    assert.match(quoted.head, /filename\*=utf-8''%c3%bcn%c3%af%20%27q%27\.bin/);
  });
});

describe("ranges", () => {
  const whole = FILES["a/film.mp4"] ?? "";
  test("one range gives those bytes", async () => {
    const target = await targetOf("a/film.mp4");
    for (const [range, start, end] of [
      ["bytes=0-0", 0, 1],
      ["bytes=10-19", 10, 20],
      ["bytes=990-", 990, 1000],
      ["bytes=-10", 990, 1000],
      ["bytes=-5000", 0, 1000],
      ["bytes=500-99999", 500, 1000],
    ] as const) {
      const { status, head, body } = await get(target, [`Range: ${range}`]);
      assert.equal(status, 206, range);
      assert.equal(body, whole.slice(start, end), range);
      assert.ok(head.includes(`content-range: bytes ${start}-${end - 1}/1000`), head);
      assert.ok(head.includes(`content-length: ${end - start}\r\n`), head);
    }
  });

  test("one that is not there is said to be not there", async () => {
    const target = await targetOf("a/film.mp4");
    for (const range of ["bytes=1000-", "bytes=5000-6000", "bytes=-0"]) {
      const { status, head, body } = await get(target, [`Range: ${range}`]);
      assert.deepEqual([status, body], [416, ""], range);
      assert.match(head, /content-range: bytes \*\/1000/);
    }
    assert.equal((await get(await targetOf("empty.txt"), ["Range: bytes=0-"])).status, 416);
    assert.equal((await get(await targetOf("empty.txt"))).status, 200);
  });

  test("several, overlapping or malformed ones give the file once, never more", async () => {
    const target = await targetOf("a/film.mp4");
    for (const range of [
      "bytes=0-1,5-6",
      `bytes=${"0-999,".repeat(1000)}0-1`,
      "bytes=9-5",
      "bytes=a-b",
      "bytes=-",
      "bytes=--1",
      "bytes=0-99999999999999999999999",
      "items=0-1",
      "bytes =0-1",
      "bytes=0x0-0x1",
    ]) {
      const { status, body } = await get(target, [`Range: ${range}`]);
      assert.deepEqual([status, body.length], [200, 1000], range.slice(0, 40));
    }
  });

  test("one that depends on another version gives the whole", async () => {
    const target = await targetOf("a/film.mp4");
    const { head } = await get(target);
    const etag = /etag: (\S+)/.exec((await get(target, ["Range: bytes=0-0"])).head)?.[1] ?? "";
    assert.ok(head.includes(etag));
    assert.equal((await get(target, ["Range: bytes=0-0", 'If-Range: "other"'])).status, 200);
    const upper = /ETag: (\S+)/i.exec((await fetchHead(target)).etag)?.[1] ?? "";
    assert.equal((await get(target, ["Range: bytes=0-0", `If-Range: ${upper}`])).status, 206);
  });

  test("HEAD says the length and reads nothing", async () => {
    const { status, head, body } = await get(await targetOf("a/film.mp4"), [], "HEAD");
    assert.deepEqual([status, body], [200, ""]);
    assert.match(head, /content-length: 1000/);
  });
});

test("what fails in the middle cuts the connection, and tells nothing", async () => {
  const { head, body } = await get(await targetOf("broken.mp4"));
  assert.match(head, /content-length: 1000/);
  assert.ok(body.length < 1000);
  assert.doesNotMatch(body, /ann|Error/);
});

/** Header values as they are: `RawAnswer` has them in lower case. */
async function fetchHead(target: string): Promise<{ etag: string }> {
  const response = await fetch(`http://127.0.0.1:${server.contentPort}${target}`, { method: "HEAD" }).catch(
    () => undefined,
  );
  return { etag: `ETag: ${response?.headers.get("etag") ?? ""}` };
}

/** Would catch: a player that was closed, for which a download goes on looking for what nobody else wants. */
test(
  "whoever hangs up is waited for no longer, whether the list of files or the bytes have not arrived",
  { timeout: 20_000 },
  async () => {
    for (const path of ["unlisted.mp4", "arriving.mp4"]) {
      const begun = once(waiting, "begun");
      const over = once(waiting, "over");
      const target = await targetOf(path);
      const asked = request({ host: "127.0.0.1", port: server.contentPort, path: target });
      asked.on("error", () => {});
      asked.on("response", (answer) => answer.on("error", () => {}).resume());
      asked.end();
      assert.deepEqual(await begun, [path]);
      asked.destroy();
      assert.deepEqual(await over, [path]);
    }
  },
);
