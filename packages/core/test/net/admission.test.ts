import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { Admission, sourceOf } from "../../src/net/admission.ts";
import { ManualClock } from "../support/manual-clock.ts";

class Connection {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
  }
}

function admitMany(admission: Admission<Connection>, count: number): Connection[] {
  return Array.from({ length: count }, (_, index) => {
    const connection = new Connection();
    assert.ok(admission.admit(connection, `10.${index >> 8}.${index & 255}.1`));
    return connection;
  });
}

test("a newcomer beyond the bound of half-open connections pushes out the oldest of them, not an open one", () => {
  const admission = new Admission<Connection>({ perAddress: 1, clock: new ManualClock() });
  const connections = admitMany(admission, LIMITS.channelsHalfOpen);
  admission.opened(connections[0] as Connection);
  assert.ok(admission.admit(new Connection(), "192.0.2.1"));
  assert.equal(connections.filter((connection) => connection.destroyed).length, 0);
  assert.ok(admission.admit(new Connection(), "192.0.2.2"));
  assert.deepEqual([connections[0]?.destroyed, connections[1]?.destroyed], [false, true]);
});

test("the total is bounded, and those pushed out or gone free their place once", () => {
  const admission = new Admission<Connection>({ perAddress: 1, clock: new ManualClock() });
  const connections: Connection[] = [];
  for (let count = 0; count < LIMITS.channelsTotal; count++) {
    const connection = new Connection();
    assert.ok(admission.admit(connection, `10.${count >> 8}.${count & 255}.1`));
    admission.opened(connection);
    connections.push(connection);
  }
  assert.equal(admission.admit(new Connection(), "192.0.2.1"), false);
  admission.gone(connections[5] as Connection);
  admission.gone(connections[5] as Connection);
  assert.equal(admission.admit(new Connection(), "192.0.2.1"), true);
  assert.equal(admission.admit(new Connection(), "192.0.2.2"), false);
});

test("an address is one stranger however it is written, and so is a /64", () => {
  assert.equal(sourceOf("::ffff:192.0.2.1"), sourceOf("192.0.2.1"));
  assert.equal(sourceOf("2001:db8::1"), sourceOf("2001:0db8:0:0:ffff::7"));
  assert.equal(sourceOf("fe80::1%eth0"), sourceOf("fe80::2"));
  assert.notEqual(sourceOf("2001:db8::1"), sourceOf("2001:db8:0:1::1"));
  assert.equal(sourceOf("::1"), "0:0:0:0");
});

/** Would catch: one home with a /48, or one rack with a /24, that takes every place a relay has. */
test("neighbours in one block share a bound, in IPv4 and IPv6", () => {
  for (const address of [(host: number) => `203.0.113.${host}`, (host: number) => `2001:db8:1:${host}::1`]) {
    const admission = new Admission<Connection>({ perAddress: 16, clock: new ManualClock() });
    const first = new Connection();
    assert.ok(admission.admit(first, address(1)));
    for (let host = 2; host <= LIMITS.channelsPerBlock; host++) {
      assert.ok(admission.admit(new Connection(), address(host)));
    }
    assert.equal(admission.admit(new Connection(), address(200)), false);
    assert.ok(admission.admit(new Connection(), "192.0.2.1"));
    assert.ok(admission.admit(new Connection(), "2001:db8:2::1"));
    admission.gone(first);
    assert.ok(admission.admit(new Connection(), address(200)));
  }
});

/** Would catch: handshakes without end for somebody who connects, hangs up and connects again. */
test("an address that comes and goes without end has to wait, and others need not", () => {
  const clock = new ManualClock();
  const admission = new Admission<Connection>({ perAddress: 16, clock });
  const come = (address: string): boolean => {
    const connection = new Connection();
    const admitted = admission.admit(connection, address);
    if (admitted) admission.gone(connection);
    return admitted;
  };
  for (let count = 0; count < LIMITS.channelBurst; count++) assert.ok(come("192.0.2.1"));
  assert.equal(come("192.0.2.1"), false);
  assert.ok(come("192.0.2.2"));
  clock.advance(1000 / LIMITS.channelsPerSecond);
  assert.ok(come("192.0.2.1"));
  assert.equal(come("192.0.2.1"), false);
});

test("the addresses whose burst is remembered are bounded, and the first is forgotten first", () => {
  const clock = new ManualClock();
  const admission = new Admission<Connection>({ perAddress: 16, clock });
  const come = (address: string): boolean => {
    const connection = new Connection();
    const admitted = admission.admit(connection, address);
    if (admitted) admission.gone(connection);
    return admitted;
  };
  while (come("192.0.2.1"));
  for (let index = 0; index < LIMITS.channelSources; index++)
    assert.ok(come(`10.${index >> 8}.${index & 255}.1`));
  assert.ok(come("192.0.2.1"), "an address that came thousands of others ago is still held");
});
