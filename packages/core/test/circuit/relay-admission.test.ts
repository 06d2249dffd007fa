import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { ChannelMux } from "../../src/circuit/channel-mux.ts";
import type { Leg } from "../../src/circuit/leg.ts";
import { RelayAdmission } from "../../src/circuit/relay-admission.ts";
import { systemRandom } from "../../src/base/random.ts";
import { credits } from "../support/credits.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { FakeChannel } from "./fake-channel.ts";

function newAdmission() {
  const clock = new ManualClock();
  const load = { circuits: 0, queuedBytes: 0, backlogMs: 0, lagMs: 0 };
  const relays = new Set<unknown>();
  const admission = new RelayAdmission({
    clock,
    isRelay: (channel) => relays.has(channel),
    load: () => load,
    lagMs: () => load.lagMs,
  });
  const neighbour = (asRelay = false) => {
    const channel = new FakeChannel(false, systemRandom.bytes(32));
    if (asRelay) relays.add(channel);
    return new ChannelMux(channel, credits());
  };
  const leg = { alive: true } as Leg;
  const ask = (mux: ChannelMux): "served" | "refused" | "waits" => {
    let outcome: "served" | "refused" | "waits" = "waits";
    admission.create(mux, {
      leg,
      message: Buffer.alloc(8),
      serve: () => (outcome = "served"),
      refuse: () => (outcome = "refused"),
    });
    return outcome;
  };
  return { clock, load, relays, admission, neighbour, ask };
}

test("too many circuits, too much that waits, or too little time: each alone refuses new circuits, and only while it lasts", () => {
  const { load, neighbour, ask } = newAdmission();
  const client = neighbour();
  for (const [reading, most] of [
    ["circuits", LIMITS.circuitsTotal],
    ["queuedBytes", LIMITS.relayQueueBytes],
    ["backlogMs", LIMITS.relayBacklogMs],
    ["lagMs", LIMITS.relayLagMs],
  ] as const) {
    load[reading] = most - 1;
    assert.equal(ask(client), "served", reading);
    load[reading] = most;
    assert.equal(ask(client), "refused", reading);
    load[reading] = 0;
    assert.equal(ask(client), "served", reading);
  }
});

test("a client's and a relay's handshakes have a burst and a rate each", () => {
  const { clock, neighbour, ask } = newAdmission();
  for (const [asRelay, burst, perSecond] of [
    [false, LIMITS.handshakeBurstPerClient, LIMITS.handshakesPerSecondPerClient],
    [true, LIMITS.handshakeBurstPerRelay, LIMITS.handshakesPerSecondPerRelay],
  ] as const) {
    const mux = neighbour(asRelay);
    clock.advance(60_000);
    let taken = 0;
    // As fast as the relay serves anybody, for twenty seconds.
    for (let part = 0; part < 160; part++) {
      for (let attempt = 0; attempt < 32; attempt++) if (ask(mux) !== "refused") taken++;
      clock.advance(125);
    }
    const expected = burst + 20 * perSecond;
    assert.ok(Math.abs(taken - expected) <= perSecond / 4 + 2, `${taken} instead of ${expected}`);
  }
});

/** Would catch: a circuit that waited and is let in although the relay has become overloaded meanwhile. */
test("one that waited is refused if there is no room by then", () => {
  const { clock, load, admission, neighbour } = newAdmission();
  const outcomes: string[] = [];
  const flood = Array.from({ length: LIMITS.handshakeBurstTotal / 16 + 1 }, () => neighbour());
  for (const mux of flood) {
    for (let count = 0; count < 16; count++) {
      admission.create(mux, {
        leg: { alive: true } as Leg,
        message: Buffer.alloc(8),
        serve: () => void outcomes.push("served"),
        refuse: () => void outcomes.push("refused"),
      });
    }
  }
  assert.deepEqual([outcomes.length, admission.waiting], [LIMITS.handshakeBurstTotal, 16]);
  load.lagMs = LIMITS.relayLagMs;
  clock.advance(200);
  assert.deepEqual(
    outcomes.slice(LIMITS.handshakeBurstTotal),
    Array.from({ length: 16 }, () => "refused"),
  );
});

test("extensions under way are bounded for a client, for a relay and for all, and places come back once", () => {
  const { admission, neighbour, relays } = newAdmission();
  const fill = (mux: ChannelMux): (() => void)[] => {
    const slots: (() => void)[] = [];
    for (let slot = admission.takeExtendSlot(mux); slot; slot = admission.takeExtendSlot(mux))
      slots.push(slot);
    return slots;
  };
  const client = neighbour();
  const slots = fill(client);
  assert.equal(slots.length, LIMITS.extendsPerClient);
  // It turns out to be a relay while its extensions are under way.
  relays.add(client.channel);
  slots.push(...fill(client));
  assert.equal(slots.length, LIMITS.extendsPerRelay);
  for (const release of slots) release();
  const all = Array.from({ length: LIMITS.extendsTotal / LIMITS.extendsPerRelay }, () =>
    fill(neighbour(true)),
  ).flat();
  assert.equal(all.length, LIMITS.extendsTotal);
  assert.equal(fill(neighbour()).length, 0);
  all[0]?.();
  assert.equal(fill(neighbour()).length, 1);
});
