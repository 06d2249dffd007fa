import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { encodeBencode } from "../../../src/base/bencode.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { GuardedSocket } from "../../../src/net/dht/guarded-socket.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const HOST = "127.0.0.1";
const PING = encodeBencode({
  t: Buffer.from("ab"),
  y: Buffer.from("q"),
  q: Buffer.from("ping"),
  a: { id: Buffer.alloc(20, 1) },
});

/** Would catch: one computer that keeps our DHT process busy. In a test network all nodes may be one computer's. */
test("one address gets so many packets a second past the guard, and more only in a test network", async () => {
  for (const testNetwork of [false, true]) {
    const clock = new ManualClock();
    const guarded = new GuardedSocket({ testNetwork, clock });
    const sender = createSocket("udp4");
    const count = { passed: 0 };
    guarded.on("message", () => count.passed++);
    try {
      const listening = once(guarded, "listening");
      guarded.bind(0, HOST);
      await listening;
      const { port } = guarded.address();
      for (let sent = 0; sent < 5 * LIMITS.dhtSourcePackets; sent++) {
        await new Promise((resolve) => sender.send(PING, port, HOST, resolve));
      }
      // Until nothing more comes: what is under way was sent before.
      for (let before = -1; before !== count.passed;) {
        before = count.passed;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const most = LIMITS.dhtSourcePackets;
      if (testNetwork) assert.ok(count.passed > 2 * most, `${count.passed} in a test network`);
      else assert.equal(count.passed, most);
    } finally {
      sender.close();
      guarded.close();
    }
  }
});
