import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { mayContact } from "../../../src/net/dht/may-contact.ts";
import { decodeFromChild } from "../../../src/net/dht/messages.ts";
import { PacketRate } from "../../../src/net/dht/rate-limit.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("one source, and all sources together, get so many packets a second", () => {
  const clock = new ManualClock();
  const rate = new PacketRate(clock, LIMITS.dhtSourcePackets);
  const allowed = (count: number, address: (index: number) => string): number =>
    Array.from({ length: count }, (_, index) => rate.allow(address(index))).filter(Boolean).length;
  assert.equal(
    allowed(100, () => "192.0.2.1"),
    LIMITS.dhtSourcePackets,
  );
  const rest = LIMITS.dhtAllPackets - LIMITS.dhtSourcePackets;
  assert.equal(
    allowed(5000, (index) => `10.0.${index >> 8}.${index & 255}`),
    rest,
  );
  clock.advance(999);
  assert.equal(
    allowed(1, () => "192.0.2.2"),
    0,
  );
  clock.advance(1);
  assert.equal(
    allowed(100, () => "192.0.2.1"),
    LIMITS.dhtSourcePackets,
  );
});

test("strangers cannot have us send packets into the network we are in", () => {
  const inside = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.1.1",
    "100.64.0.1",
    "192.0.2.1",
    "198.19.0.1",
    "198.51.100.1",
    "203.0.113.1",
  ];
  for (const host of inside) {
    assert.equal(mayContact(host, 4000, false), false, host);
    assert.equal(mayContact(host, 4000, true), true, host);
  }
  for (const host of ["172.32.0.1", "100.128.0.1", "198.20.0.1", "203.0.114.1", "8.8.8.8"])
    assert.equal(mayContact(host, 4000, false), true, host);
  for (const host of ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "localhost", "127.1", ""]) {
    assert.equal(mayContact(host, 4000, true), false, host);
  }
  for (const port of [0, 65_536, 1.5, Number.NaN]) assert.equal(mayContact("8.8.8.8", port, true), false);
});

test("what the DHT process says is taken as a stranger's word", () => {
  const done = { kind: "done", job: 1, found: [{ host: "192.0.2.1", port: 4000 }], takenCount: 0 };
  assert.deepEqual(decodeFromChild(done), done);
  const endpoint = { host: "192.0.2.1", port: 1 };
  const malformed: unknown[] = [
    { ...done, found: Array.from({ length: LIMITS.dhtResults + 1 }, () => endpoint) },
    { ...done, found: [{ host: "example.org", port: 1 }] },
    { ...done, found: [{ host: "192.0.2.1", port: 70_000 }] },
    { ...done, job: "1" },
    { kind: "listening", port: -1 },
    { kind: "else" },
    undefined,
  ];
  for (const message of malformed) {
    assert.throws(
      () => decodeFromChild(message),
      (error) => isBackroomError(error, "E_DECODE"),
    );
  }
  fc.assert(
    fc.property(fc.anything(), (message) => {
      try {
        decodeFromChild(message);
      } catch (error) {
        assert.ok(isBackroomError(error, "E_DECODE"));
      }
    }),
  );
});
