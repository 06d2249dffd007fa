import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { systemClock } from "../../packages/core/src/base/clock.ts";
import { SERVICE } from "../../packages/core/src/circuit/stream.ts";
import { askLeases } from "../../packages/core/src/tunnel/gate-client.ts";
import { openLease } from "../../packages/core/src/tunnel/lease.ts";
import { deriveEpoch, epochsAt } from "../../packages/core/src/tunnel/topic.ts";
import { dialTunnel } from "../../packages/core/src/tunnel/tunnel.ts";
import { newSeeder, newShare } from "../../packages/core/test/tunnel/fixtures.ts";
import { findAll, newTownIn, type TownGate } from "../../packages/core/test/tunnel/town.ts";
import type { AttackOrder, AttackWork } from "./pow-attacker.ts";

const ATTEMPTS = 6;
const WARM_UP_MS = 15_000;
const BETWEEN_MS = 5_000;
const MOST_MS = 10_000;
/** How often the attacker hears what the gate asks. */
const TOLD_MS = 100;

/**
 * A gate and a seeder here, and an attacker who holds the link and does work at full speed in a thread, which has a core of its own where there are two. It shows what
 * the gate asks for, completes every tunnel that it gets, and leaves it idle. Meanwhile a downloader wants a tunnel, again and again.
 */
export async function soakPow(): Promise<boolean> {
  const town = newTownIn(systemClock, 2);
  const [gate, other] = town.gates as [TownGate, TownGate];
  other.up = false;
  const share = newShare();
  const { presence, tunnels } = town.seed(share, newSeeder(share.sharerKeys));
  while (gate.gate.registrations === 0) await sleep(50);
  const keys = deriveEpoch(share, epochsAt(share.topicSecret, Date.now())[0] as number);
  const asking = await town.openTo(gate.target);
  const { leases } = await askLeases(asking, keys.topic, systemClock);
  const lease = openLease(keys, leases[0] as Buffer, Date.now());
  const { tag } = lease.gates[0] as (typeof lease.gates)[0];

  const attacker = new Worker(new URL("pow-attacker.ts", import.meta.url));
  await once(attacker, "online");
  const counts = { shown: 0, opened: 0, refused: 0 };
  attacker.on("message", ({ args }: AttackWork) => {
    counts.shown++;
    void town.openTo(gate.target).then(async (circuit) => {
      const open: Parameters<typeof dialTunnel>[0] = (handlers) =>
        circuit.openStream(SERVICE.connect, Buffer.from(args), handlers);
      try {
        const tunnel = await dialTunnel(open, lease, keys.tunnelPsk, { clock: systemClock });
        counts.opened++;
        tunnel.start({ onData() {}, onDrain() {}, onClose: () => circuit.destroy() });
      } catch {
        counts.refused++;
        circuit.destroy();
      }
    });
  });
  const tell = async (): Promise<number> => {
    const way = await town.openTo(gate.target);
    const { terms } = await askLeases(way, keys.topic, systemClock);
    way.destroy();
    const order: AttackOrder = { gateKey: gate.target.nodeKey, tag, ...terms };
    attacker.postMessage(order, []);
    return terms.effort;
  };
  const telling = setInterval(() => void tell().catch(() => {}), TOLD_MS);

  let good = true;
  try {
    await sleep(WARM_UP_MS);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const effort = await tell();
      const sinceMs = performance.now();
      const found = await findAll(town.finderFor(share), 1).catch(() => []);
      const tookMs = performance.now() - sinceMs;
      good &&= found.length === 1 && tookMs <= MOST_MS;
      const outcome = found.length === 1 ? `in after ${(tookMs / 1000).toFixed(2)} s` : "not in";
      process.stdout.write(
        `attempt ${attempt}: ${outcome}; the gate asked for ${effort}; the attacker showed ${counts.shown}, got ${counts.opened}, and was refused ${counts.refused}\n`,
      );
      // It downloads while others come.
      const [mine] = found;
      mine?.tunnel.start({ onData() {}, onDrain() {}, onClose() {} });
      const last = tunnels.at(-1);
      last?.start({ onData() {}, onDrain() {}, onClose() {} });
      const busy = setInterval(() => void last?.write(Buffer.alloc(1000)), 500);
      await sleep(BETWEEN_MS);
      clearInterval(busy);
      mine?.tunnel.close();
    }
  } finally {
    clearInterval(telling);
    await attacker.terminate();
    presence.close();
    gate.gate.close();
  }
  return good;
}
