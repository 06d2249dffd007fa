import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackroomError } from "../../src/base/errors.ts";
import { formatProxy, parseProxy } from "../../src/net/proxy.ts";

test("a proxy is an IP address, a port, and perhaps a login", () => {
  assert.deepEqual(parseProxy(" socks5://127.0.0.1:9050\n"), {
    host: "127.0.0.1",
    port: 9050,
    credentials: undefined,
  });
  assert.deepEqual(parseProxy("socks5h://ann:p%40ss%3a@[2001:db8::1]:1080/"), {
    host: "2001:db8::1",
    port: 1080,
    credentials: { username: "ann", password: "p@ss:" },
  });
  for (const text of ["socks5://127.0.0.1:9050", "socks5://ann:p%40ss%3A@[2001:db8::1]:1080"]) {
    assert.equal(formatProxy(parseProxy(text)), text);
  }
});

test("names, other protocols, half a login and whatever else is refused, and what was given is not repeated", () => {
  const refused = [
    "",
    "127.0.0.1:9050",
    "socks4://127.0.0.1:9050",
    "http://127.0.0.1:9050",
    "socks5://127.0.0.1",
    "socks5://127.0.0.1:0",
    "socks5://localhost:9050",
    "socks5://secret.example:9050",
    "socks5://127.1:9050",
    "socks5://127.0.0.1:9050/secret",
    "socks5://127.0.0.1:9050?secret",
    "socks5://127.0.0.1:9050#secret",
    "socks5://secret@127.0.0.1:9050",
    "socks5://:secret@127.0.0.1:9050",
    "socks5://secret:%ff@127.0.0.1:9050",
    `socks5://secret:${"x".repeat(256)}@127.0.0.1:9050`,
  ];
  for (const text of refused) {
    assert.throws(
      () => parseProxy(text),
      (error) =>
        isBackroomError(error, "E_PROXY") &&
        !JSON.stringify({ ...error, m: error.message }).includes("secret"),
      text,
    );
  }
});
