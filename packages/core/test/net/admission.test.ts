import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { Admission, sourceOf } from "../../src/net/admission.ts";

class Connection {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
  }
}

function admitMany(admission: Admission<Connection>, count: number): Connection[] {
  return Array.from({ length: count }, (_, index) => {
    const connection = new Connection();
    assert.ok(admission.admit(connection, `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`));
    return connection;
  });
}

test("a newcomer beyond the bound of half-open connections pushes out the oldest of them, not an open one", () => {
  const admission = new Admission<Connection>({ perAddress: 1 });
  const connections = admitMany(admission, LIMITS.channelsHalfOpen);
  admission.opened(connections[0] as Connection);
  assert.ok(admission.admit(new Connection(), "192.0.2.1"));
  assert.equal(connections.filter((connection) => connection.destroyed).length, 0);
  assert.ok(admission.admit(new Connection(), "192.0.2.2"));
  assert.deepEqual([connections[0]?.destroyed, connections[1]?.destroyed], [false, true]);
});

test("the total is bounded, and those pushed out or gone free their place once", () => {
  const admission = new Admission<Connection>({ perAddress: 1 });
  const connections: Connection[] = [];
  for (let count = 0; count < LIMITS.channelsTotal; count++) {
    const connection = new Connection();
    assert.ok(admission.admit(connection, `10.0.${count >> 8}.${count & 255}`));
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
