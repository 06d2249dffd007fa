import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { serveMessages, askService } from "../../src/circuit/messages.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import { createCircuitWorld, settle, type WorldRelay } from "../support/circuit-world.ts";

/** Relay 1 is a guest: nobody may dial it, and it keeps a channel to relay 0. */
async function worldWithGuest() {
  const world = createCircuitWorld({ relayCount: 4 });
  const [host, guest, , last] = world.relays as [WorldRelay, WorldRelay, WorldRelay, WorldRelay];
  Object.assign(guest.target, { kept: true });
  last.services[SERVICE.directory] = (stream) => serveMessages(stream, () => ({ ok: 1 }));
  const ended: string[] = [];
  await guest.relay.keep(host.target, () => ended.push("guest"));
  await settle();
  return {
    world,
    host,
    guest,
    ended,
    keep: () => host.relay.keepGuest(guest.target.nodeKey, () => ended.push("host")),
  };
}

test("a circuit is extended to a guest by the relay that keeps its channel, and on from there", async () => {
  const { world, keep, guest } = await worldWithGuest();
  assert.equal(keep(), true);
  const circuit = await world.build(0, 1, 3);
  const answer = await askService(
    circuit,
    SERVICE.directory,
    { q: Buffer.from("?") },
    { clock: world.clock },
  );
  assert.equal(answer.get("ok"), 1);
  assert.ok(guest.relay.stats().forwardedBytes > 0);
});

test("no other relay extends to a guest, whatever it says of itself, nor a host that does not keep its channel", async () => {
  const { world, keep } = await worldWithGuest();
  await assert.rejects(world.build(0, 1, 3), { message: "hop 2 of the circuit could not be reached" });
  assert.equal(keep(), true);
  // Relay 2 could dial it, in this world; it must not even try.
  await assert.rejects(world.build(2, 1, 3), { message: "hop 2 of the circuit could not be reached" });
  await world.build(0, 1, 3);
});

test("a kept channel outlives idleness that ends any other, and its end is told on both sides", async () => {
  const { world, host, guest, keep, ended } = await worldWithGuest();
  keep();
  await world.build(2);
  for (let quarter = 0; quarter < 20; quarter++) {
    world.clock.advance(LIMITS.channelIdleMs / 4);
    await settle();
  }
  assert.deepEqual([ended, guest.relay.stats().channels, host.relay.stats().channels], [[], 1, 1]);
  await world.build(0, 1);
  guest.relay.close();
  await settle();
  assert.deepEqual(ended.sort(), ["guest", "host"]);
  assert.equal(
    host.relay.keepGuest(guest.target.nodeKey, () => {}),
    false,
  );
});
