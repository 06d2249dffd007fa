import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { BackroomError, isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { SERVICE, type CircuitStream, type HopTarget } from "../../src/circuit/stream.ts";
import { askLeases, connectTunnel } from "../../src/tunnel/gate-client.ts";
import { makeLease, openLease, sealLease } from "../../src/tunnel/lease.ts";
import { deriveEpoch, epochsAt } from "../../src/tunnel/topic.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { HOUR_MS, newSeeder, newShare, NOW_MS, shareTurningIn } from "./fixtures.ts";
import { memoryCircuit } from "./memory-circuit.ts";
import { findAll, newTown, pass, servicesOf, settle, type TownGate } from "./town.ts";

const code = (expected: string) => (error: unknown) => isBackroomError(error) && error.code === expected;

function reading(tunnel: ByteDuplex) {
  const end = { text: "", closed: 0 };
  tunnel.start({
    onData: (bytes) => (end.text += bytes.toString()),
    onDrain() {},
    onClose: () => end.closed++,
  });
  return end;
}

/** Gates, and a share whose sharer has registered it at two of them. */
async function seededTown(gateCount: number) {
  const town = newTown(gateCount);
  const share = newShare();
  const { presence, tunnels } = town.seed(share, newSeeder(share.sharerKeys));
  await settle();
  return { town, share, presence, tunnels };
}

test("a seeder at two gates is found by whoever holds the link, and bytes go both ways", async () => {
  const { town, share, presence, tunnels } = await seededTown(3);
  assert.equal(presence.gateCount, 2);
  const [found] = await findAll(town.finderFor(share), 1);
  assert.equal(found?.isSharers, true);
  const near = reading(found.tunnel);
  const far = reading(tunnels[0] as ByteDuplex);
  found.tunnel.write(Buffer.from("question"));
  tunnels[0]?.write(Buffer.from("answer"));
  await settle();
  assert.deepEqual([near.text, far.text], ["answer", "question"]);
  found.tunnel.close();
  await settle();
  assert.deepEqual([near.closed, far.closed], [1, 1]);
  assert.equal(
    town.gates.reduce((sum, { gate }) => sum + gate.tunnels, 0),
    0,
  );
});

test("each gate's lease names both gates once all is settled", async () => {
  const { town, share } = await seededTown(2);
  const [epoch] = epochsAt(share.topicSecret, town.clock.nowMs());
  const keys = deriveEpoch(share, epoch as number);
  for (const { target } of town.gates) {
    const circuit = await town.openTo(target);
    const [sealed] = (await askLeases(circuit, keys.topic, town.clock)).leases;
    const lease = openLease(keys, sealed as Buffer, town.clock.nowMs());
    assert.deepEqual(
      new Set(lease.gates.map(({ info }) => info.toString("hex"))),
      new Set(town.gates.map(({ target }) => target.info.toString("hex"))),
    );
  }
});

test("several seeders: each is found once, the sharer first, and one that is connected is left out", async () => {
  const town = newTown(3);
  const share = newShare();
  const sharer = newSeeder(share.sharerKeys);
  for (const seeder of [newSeeder(), sharer, newSeeder()]) town.seed(share, seeder);
  // The mirrors solve their proof of work first.
  for (
    let turn = 0;
    turn < 200 && town.gates.reduce((sum, { gate }) => sum + gate.registrations, 0) < 6;
    turn++
  )
    await settle(50);
  const finder = town.finderFor(share);
  const found = await findAll(finder, 10);
  assert.equal(new Set(found.map(({ seeder }) => seeder)).size, 3);
  assert.equal(finder.book.list()[0]?.isSharers, true);
  const again = await findAll(finder, 10, (seeder) => seeder !== found[0]?.seeder);
  assert.equal(again.length, 2);
});

test("without the link nothing is found; a sealed lease does not open; a tag without the psk gives no tunnel", async () => {
  const { town, share } = await seededTown(2);
  await assert.rejects(findAll(town.finderFor(newShare()), 1), code("E_NO_SEEDERS"));
  // A gate's operator knows the topic and hands out leases, and is still no link holder.
  const [epoch] = epochsAt(share.topicSecret, town.clock.nowMs());
  const keys = deriveEpoch(share, epoch as number);
  const circuit = await town.openTo((town.gates[0] as (typeof town.gates)[0]).target);
  const [sealed] = (await askLeases(circuit, keys.topic, town.clock)).leases;
  const stranger = deriveEpoch(newShare(), epoch as number);
  assert.throws(
    () => openLease({ ...stranger, topic: keys.topic }, sealed as Buffer, NOW_MS),
    code("E_CRYPTO"),
  );
  const lease = openLease(keys, sealed as Buffer, NOW_MS);
  const own = lease.gates.find(({ info }) =>
    info.equals((town.gates[0] as (typeof town.gates)[0]).target.info),
  );
  const entrance = { gateKey: Buffer.alloc(32), tag: own?.tag as Buffer };
  const dialled = connectTunnel(circuit, entrance, lease, stranger.tunnelPsk, {
    clock: town.clock,
    random: systemRandom,
  });
  await assert.rejects(dialled, code("E_TUNNEL"));
});

test("an unknown tag is refused and leaves nothing behind", async () => {
  const town = newTown(1);
  const peer = newSeeder();
  const target = { leaseKey: peer.leaseKeys.publicBytes, tunnelKey: peer.tunnelKeys.publicBytes };
  for (const tag of [systemRandom.bytes(16), systemRandom.bytes(3)]) {
    const circuit = await town.openTo((town.gates[0] as (typeof town.gates)[0]).target);
    await assert.rejects(
      connectTunnel(circuit, { gateKey: Buffer.alloc(32), tag }, target, Buffer.alloc(32), {
        clock: town.clock,
        random: systemRandom,
      }),
      code("E_TUNNEL"),
    );
  }
  assert.equal(town.gates[0]?.gate.tunnels, 0);
});

test("broken questions to a gate get an answer or the end of the stream, and register nothing", async () => {
  const town = newTown(1);
  const gate = town.gates[0] as (typeof town.gates)[0];
  const circuit = await town.openTo(gate.target);
  await assert.rejects(askLeases(circuit, Buffer.alloc(31), town.clock), code("E_REFUSED"));
  for (const service of [3, 4] as const) {
    let ended = 0;
    const stream = circuit.openStream(service, Buffer.alloc(0), {
      onData() {},
      onWindow() {},
      onEnd: () => ended++,
    });
    stream.send(Buffer.alloc(600, 0xff));
    await settle();
    assert.equal(ended, 1);
  }
  assert.equal(gate.gate.registrations, 0);
});

test("a gate that dies is replaced by another one, which the lease then names", async () => {
  const { town, share, presence } = await seededTown(3);
  const dead = town.gates[0] as (typeof town.gates)[0];
  assert.equal(dead.gate.registrations, 1);
  dead.up = false;
  for (const circuit of dead.circuits) circuit.destroy();
  await pass(town.clock, 5 * 60_000);
  assert.equal(presence.gateCount, 2);
  assert.equal(dead.gate.registrations, 0);
  const found = await findAll(town.finderFor(share), 1);
  assert.equal(found.length, 1);
});

/** Would catch: of two leases made within one second the first one kept, so that whoever read it looks for the seeder where it was, for as long as it is patient. */
test("a seeder that is at other gates within the second is found there by whoever has read its lease before", async () => {
  const { town, share } = await seededTown(4);
  const finder = town.finderFor(share);
  assert.equal((await findAll(finder, 1)).length, 1);
  for (const { circuits } of town.gates) for (const circuit of circuits) circuit.destroy();
  await settle();
  assert.equal((await findAll(finder, 1)).length, 1);
});

test("a circuit that breaks is built anew to the same gate, so that a flapping guard does not show us to ever more gates", async () => {
  const town = newTown(8);
  const share = newShare();
  const { presence } = town.seed(share, newSeeder(share.sharerKeys));
  for (let time = 0; time < 5; time++) {
    await pass(town.clock, 10 * 60_000);
    for (const { circuits } of town.gates) for (const circuit of circuits) circuit.destroy();
  }
  await pass(town.clock, 10 * 60_000);
  assert.equal(new Set(town.opened).size, 2);
  assert.equal(presence.gateCount, 2);
});

test("in a network with two gates a failure does not leave the seeder without any", async () => {
  const { town, presence } = await seededTown(2);
  for (const gate of town.gates) {
    gate.up = false;
    for (const circuit of gate.circuits) circuit.destroy();
  }
  await pass(town.clock, 3 * 60_000);
  assert.equal(presence.gateCount, 0);
  for (const gate of town.gates) gate.up = true;
  await pass(town.clock, 5 * 60_000);
  assert.equal(presence.gateCount, 2);
});

test("over a day circuits are renewed hourly, gates about daily, and never is the share at fewer than two gates", async () => {
  const { town, share, presence, tunnels } = await seededTown(6);
  const [first] = await findAll(town.finderFor(share), 1);
  const near = reading(first?.tunnel as ByteDuplex);
  reading(tunnels[0] as ByteDuplex);
  const gatesAtStart = town.gates.filter(({ gate }) => gate.registrations > 0).map(({ name }) => name);
  for (let hour = 0; hour < 12; hour++) {
    await pass(town.clock, HOUR_MS);
    assert.equal(presence.gateCount, 2, `hour ${hour}`);
  }
  // Twelve hours at most two gates were seen, each by some fifteen circuits.
  const seen = new Set(town.opened);
  assert.deepEqual(seen, new Set(gatesAtStart));
  assert.ok(town.opened.length >= 24 && town.opened.length <= 45, `${town.opened.length} circuits`);
  assert.equal(near.closed, 0, "a tunnel went with the circuit that was replaced");
  first?.tunnel.write(Buffer.from("still there"));
  await pass(town.clock, 18 * HOUR_MS);
  assert.ok(new Set(town.opened).size >= 3, "gates are never changed");
  assert.equal(presence.gateCount, 2);
  const alive = () =>
    town.gates.flatMap(({ circuits }) => circuits).filter((circuit) => circuit.alive).length;
  assert.equal(alive(), 4, "two to the gates, and both ends' circuits of the tunnel");
  first?.tunnel.close();
  await settle();
  await pass(town.clock, 60_000);
  assert.equal(alive(), 2, "a circuit outlived its last tunnel");
});

test("while circuits cannot be replaced the leases over the old ones are renewed all the same", async () => {
  const { town } = await seededTown(2);
  for (const gate of town.gates) gate.up = false;
  await pass(town.clock, 3 * HOUR_MS);
  assert.deepEqual(
    town.gates.map(({ gate }) => gate.registrations),
    [1, 1],
  );
});

test("around the turn of an epoch both topics are served, and clocks an hour apart still meet", async () => {
  const clock = new ManualClock();
  const town = newTown(2, { clock });
  const share = shareTurningIn(2 * HOUR_MS);
  town.seed(share, newSeeder(share.sharerKeys));
  await settle();
  const total = () => town.gates.reduce((sum, { gate }) => sum + gate.registrations, 0);
  assert.equal(total(), 2);
  const shifted = (byMs: number) => ({
    nowMs: () => clock.nowMs() + byMs,
    monotonicMs: () => clock.monotonicMs(),
    after: (ms: number, run: () => void) => clock.after(ms, run),
  });
  await pass(clock, 1.5 * HOUR_MS);
  assert.equal(total(), 4, "half an hour before the turn both epochs are registered");
  for (const byMs of [-10 * 60_000, 0, 10 * 60_000]) {
    const finder = town.finderFor(share, { clock: shifted(byMs) });
    assert.equal((await findAll(finder, 1)).length, 1, `a clock ${byMs} ms off finds nobody`);
  }
  await pass(clock, HOUR_MS);
  assert.equal(total(), 4);
  await pass(clock, HOUR_MS);
  assert.equal(total(), 2, "the old epoch was not withdrawn");
  assert.equal((await findAll(town.finderFor(share), 1)).length, 1);
  assert.equal([...town.dht.values()].filter((gates) => gates.size > 0).length, 1);
});

test("where no gate can be reached the seeder backs off instead of building circuits in a loop", async () => {
  const town = newTown(2);
  let attempts = 0;
  const share = newShare();
  const { presence } = town.seed(share, newSeeder(share.sharerKeys), {
    openGateCircuit: () => {
      attempts++;
      return Promise.reject(new BackroomError("E_NO_RELAYS", "none"));
    },
  });
  await pass(town.clock, 2 * HOUR_MS);
  assert.ok(attempts >= 5 && attempts <= 20, `${attempts} attempts in two hours`);
  presence.close();
  assert.equal(town.clock.timerCount, 0);
});

test("a gate that kills every circuit is given up, and costs a bounded number of circuits", async () => {
  const town = newTown(3);
  const share = newShare();
  const bad = town.gates[0] as (typeof town.gates)[0];
  town.seed(share, newSeeder(share.sharerKeys), {});
  const killer = setInterval(() => bad.circuits.forEach((circuit) => circuit.destroy()), 0);
  await pass(town.clock, HOUR_MS);
  clearInterval(killer);
  const toBad = town.opened.filter((name) => name === bad.name).length;
  assert.ok(toBad <= 3, `${toBad} circuits in an hour to a gate that kills them`);
  assert.ok(town.opened.length <= 8, `${town.opened.length} circuits in an hour`);
});

test("a downloader's circuits are bounded where gates kill them", async () => {
  const { town, share } = await seededTown(3);
  let attempts = 0;
  const finder = town.finderFor(share, {
    openGateCircuit: () => {
      attempts++;
      return Promise.reject(new BackroomError("E_CIRCUIT", "killed"));
    },
  });
  for (let minute = 0; minute < 60; minute++) {
    await assert.rejects(findAll(finder, 5), code("E_GATE"));
    await pass(town.clock, 60_000);
  }
  assert.ok(attempts <= 20 + 60, `${attempts} circuits in an hour`);
});

test("a lease that leads nowhere is not dialled in a loop, and the seeder's next lease is tried at once", async () => {
  const { town, share, presence: gone } = await seededTown(2);
  const finder = town.finderFor(share);
  await findAll(finder, 1);
  gone.close();
  await settle();
  const before = town.opened.length;
  for (let second = 0; second < 60; second++) {
    await assert.rejects(findAll(finder, 1), code("E_TUNNEL"));
    await pass(town.clock, 1_000, 1_000);
  }
  assert.ok(town.opened.length - before <= 10, `${town.opened.length - before} circuits in a minute`);
  town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 15_000, 1_000);
  assert.equal((await findAll(finder, 1)).length, 1);
});

test("leases pass from peer to peer: one heard of in a tunnel is used without any gate lookup", async () => {
  const { town, share } = await seededTown(2);
  const first = town.finderFor(share);
  await findAll(first, 1);
  const sealed = first.book.list()[0]?.sealed as Buffer;
  const second = town.finderFor(share, {
    askScouts: () => Promise.reject(new BackroomError("E_CIRCUIT", "no scout")),
  });
  await assert.rejects(findAll(second, 1), code("E_CIRCUIT"));
  assert.equal(second.book.add(systemRandom.bytes(sealed.length), "peer"), undefined);
  assert.equal(second.book.add(sealed, "peer")?.isNews, true);
  assert.equal(second.book.add(sealed, "peer")?.isNews, false, "the same lease is no news");
  assert.equal((await findAll(second, 1)).length, 1);
});

test("whoever stops reading early leaves no tunnel and no circuit behind", async () => {
  const town = newTown(3);
  const share = newShare();
  town.seed(share, newSeeder(share.sharerKeys));
  town.seed(share, newSeeder(share.sharerKeys));
  await settle();
  const before = town.gates.flatMap(({ circuits }) => circuits).filter((circuit) => circuit.alive).length;
  for await (const found of town.finderFor(share).find({ want: 2, isWanted: () => true, mayLookUp: true })) {
    found.tunnel.close();
    break;
  }
  await settle();
  await pass(town.clock, 60_000);
  const after = town.gates.flatMap(({ circuits }) => circuits).filter((circuit) => circuit.alive).length;
  assert.equal(after, before);
  assert.equal(
    town.gates.reduce((sum, { gate }) => sum + gate.tunnels, 0),
    0,
  );
});

test("whom the book names is dialled without a look-up where that is not allowed", async () => {
  const { town, share } = await seededTown(2);
  const know = town.finderFor(share);
  await findAll(know, 1);
  const lone = town.finderFor(share, {
    askScouts: () => Promise.reject(new BackroomError("E_INTERNAL", "a scout was asked")),
  });
  const find = { want: 5, isWanted: () => true, mayLookUp: false };
  const found = [];
  for await (const one of lone.find(find)) found.push(one);
  assert.equal(found.length, 0);
  lone.book.add(know.book.list()[0]?.sealed as Buffer, "peer");
  for await (const one of lone.find(find)) found.push(one);
  assert.equal(found.length, 1);
});

/** A share that nobody seeds, and whoever makes up leases that say otherwise: each opens, and leads nowhere. */
function inventedTown() {
  const town = newTown(3);
  const share = newShare();
  const [epoch] = epochsAt(share.topicSecret, town.clock.nowMs());
  const keys = deriveEpoch(share, epoch as number);
  let dials = 0;
  const finder = town.finderFor(share, {
    log: (_level, event) => {
      if (event === "a seeder could not be reached through one of its gates") dials++;
    },
  });
  const invent = (): Buffer => {
    const gates = [{ info: town.gates[0]?.target.info as Buffer, tag: systemRandom.bytes(16) }];
    const lease = makeLease(keys.topic, newSeeder(), gates, Math.floor(NOW_MS / 1000) + 3_600);
    return sealLease(keys, lease, systemRandom);
  };
  return { town, share, finder, invent, dialCount: () => dials };
}

test("invented seeders cost a bounded number of circuits, and a real one is reached all the same", async () => {
  const { town, share, finder, invent, dialCount } = inventedTown();
  const before = town.opened.length;
  for (let minute = 0; minute < 10; minute++) {
    for (let i = 0; i < LIMITS.finderHearsay; i++) finder.book.add(invent(), "peer");
    await assert.rejects(findAll(finder, 5), isBackroomError);
    await pass(town.clock, 60_000);
  }
  const cost = town.opened.length - before;
  const most = LIMITS.hearsayBurst + (10 * 60_000) / LIMITS.hearsayEveryMs;
  // Fewer than dials: after a refusal the next one goes over the same circuit.
  assert.ok(cost <= most, `${cost} circuits in ten minutes`);
  const dials = dialCount();
  assert.ok(dials <= most && dials > LIMITS.hearsayBurst + 5, `${dials} dials in ten minutes`);
  town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 20_000);
  for (let i = 0; i < LIMITS.finderHearsay; i++) finder.book.add(invent(), "peer");
  assert.equal((await findAll(finder, 1)).length, 1);
});

/** Would catch: a topic crowded with inventions at its gates that uses up the circuits which the sharer needs. */
test("seeders that gates name and nobody has reached are dialled only so often, the sharer always", async () => {
  const { town, share, finder, invent, dialCount } = inventedTown();
  for (let minute = 0; minute < 10; minute++) {
    for (let i = 0; i < 40; i++) finder.book.add(invent(), "gate");
    await assert.rejects(findAll(finder, 5), isBackroomError);
    await pass(town.clock, 60_000);
  }
  const most = LIMITS.strangersBurst + (10 * 60_000) / LIMITS.strangersEveryMs;
  const dials = dialCount();
  assert.ok(dials <= most && dials > LIMITS.strangersBurst + 5, `${dials} dials in ten minutes`);
  town.seed(share, newSeeder(share.sharerKeys));
  await pass(town.clock, 20_000);
  assert.equal((await findAll(finder, 1)).length, 1);
});

/** Would catch: a computer that, offline for a while, has by then used up how many seeders it may dial. */
test("attempts that begin no circuit do not count for how many seeders are dialled", async () => {
  const town = newTown(3);
  const share = newShare();
  const { presence } = town.seed(share, newSeeder());
  while (presence.gateCount < 2) await settle();
  let isOffline = false;
  const finder = town.finderFor(share, {
    openGateCircuit: (gate) =>
      isOffline ? Promise.reject(new BackroomError("E_UNREACHABLE", "offline")) : town.openTo(gate),
  });
  const other = town.finderFor(share);
  for (const { tunnel } of await findAll(other, 1)) tunnel.close();
  for (const { sealed } of other.book.list()) finder.book.add(sealed, "gate");
  isOffline = true;
  for (let round = 0; round < 2 * LIMITS.strangersBurst; round++) {
    await findAll(finder, 1).catch(() => {});
  }
  isOffline = false;
  assert.equal((await findAll(finder, 1)).length, 1);
});

/** Would catch: two lying scouts whose inventions use up all circuits in one round. */
test("of gates that nobody vouches for only a few are asked in one round", async () => {
  const town = newTown(20);
  const finder = town.finderFor(newShare(), {
    isVouched: () => false,
    askScouts: () => Promise.resolve(town.gates.map(({ target }) => target)),
  });
  await assert.rejects(findAll(finder, 1), isBackroomError);
  assert.equal(town.opened.length, LIMITS.finderDoubtfulGates);
});

/** Would catch: forged answers of the DHT that make a downloader build a circuit to each relay of the network. */
test("of many gates that scouts name a bounded number is asked in one round", async () => {
  const town = newTown(3 * LIMITS.finderGates);
  const finder = town.finderFor(newShare(), {
    askScouts: () => Promise.resolve(town.gates.map(({ target }) => target)),
  });
  await assert.rejects(findAll(finder, 1), code("E_NO_SEEDERS"));
  assert.equal(town.opened.length, LIMITS.finderGates);
});

/** Would catch: a gate that names one invented seeder after the other, so that the scouts' answer is never waited for. */
test("a gate that names inventions without end keeps nobody from those that scouts name", async () => {
  const share = newShare();
  const [epoch] = epochsAt(share.topicSecret, NOW_MS);
  const keys = deriveEpoch(share, epoch as number);
  const invention = (): Buffer => {
    const gates = [{ info: (liar as TownGate).target.info, tag: systemRandom.bytes(16) }];
    const lease = makeLease(keys.topic, newSeeder(), gates, Math.floor(NOW_MS / 1000) + 3600);
    return sealLease(keys, lease, systemRandom);
  };
  const lies = {
    [SERVICE.leases]: (stream: CircuitStream) =>
      serveMessages(stream, () => ({ l: [invention()], n: Buffer.alloc(16), w: 0 })),
  };
  const town = newTown(3, {
    makeCircuit: (gate) =>
      Promise.resolve(memoryCircuit({ ...servicesOf(gate), ...(gate === liar ? lies : {}) })),
  });
  const [honest, , liar] = town.gates;
  const { presence } = town.seed(share, newSeeder(share.sharerKeys));
  await settle();
  const askScouts = (): Promise<HopTarget[]> =>
    new Promise((resolve) => void town.clock.after(4_000, () => resolve([(honest as TownGate).target])));
  const finder = town.finderFor(share, { askScouts });
  finder.book.add(invention(), "gate");
  const found = findAll(finder, 6);
  await pass(town.clock, 6_000, 250);
  assert.deepEqual(
    (await found).map(({ isSharers }) => isSharers),
    [true],
  );
  presence.close();
});
