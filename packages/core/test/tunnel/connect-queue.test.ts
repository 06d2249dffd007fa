import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import type { Candidate } from "../../src/tunnel/connect-line.ts";
import { ConnectQueue } from "../../src/tunnel/connect-queue.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { newCircuit } from "./fixtures.ts";

class TestCandidate implements Candidate {
  readonly effort: number;
  readonly sinceMs: number;
  gone = false;
  outcome: "waits" | "opened" | "refused" = "waits";
  answer: "opened" | "later" | "never" = "opened";

  constructor(clock: ManualClock, effort: number) {
    this.effort = effort;
    this.sinceMs = clock.monotonicMs();
  }
  open() {
    assert.equal(this.outcome, "waits");
    if (this.answer === "opened") this.outcome = "opened";
    return this.answer;
  }
  refuse(): void {
    assert.equal(this.outcome, "waits");
    this.outcome = "refused";
  }
}

function newDesk() {
  const clock = new ManualClock();
  const queue = new ConnectQueue(clock);
  const seeder = newCircuit();
  const offer = (effort: number, to = seeder): TestCandidate => {
    const candidate = new TestCandidate(clock, effort);
    queue.offer(to, candidate);
    return candidate;
  };
  /** Takes all that one seeder answers at once. */
  const exhaust = (to = seeder): void => {
    for (let count = 0; count < LIMITS.gateConnectBurst; count++)
      assert.equal(offer(0, to).outcome, "opened");
  };
  return { clock, queue, seeder, offer, exhaust };
}

test("while there is room everybody gets in at once, for nothing, and nothing is asked for", () => {
  const { clock, queue, seeder, exhaust } = newDesk();
  exhaust();
  assert.deepEqual([queue.effortFor([seeder]), queue.waiting], [0, 0]);
  clock.advance(60_000);
  assert.equal(clock.timerCount, 0, "a gate that nobody asks goes on counting");
});

test("beyond that whoever shows most is first, among equals who came first, and no more a second than may be", () => {
  const { clock, offer, exhaust } = newDesk();
  exhaust();
  const [cheap, early, late, dear] = [offer(0), offer(3), offer(3), offer(9)];
  const order: TestCandidate[] = [];
  for (let step = 0; step < 20; step++) {
    clock.advance(100);
    for (const one of [cheap, early, late, dear])
      if (one.outcome === "opened" && !order.includes(one)) order.push(one);
  }
  assert.deepEqual(order, [dear, early, late, cheap]);
  while (offer(1).outcome === "opened");
  const many = Array.from({ length: LIMITS.gateWaitingPerSeeder }, () => offer(1));
  clock.advance(3_000);
  const opened = many.filter(({ outcome }) => outcome === "opened").length;
  assert.ok(Math.abs(opened - 3 * LIMITS.gateConnectsPerSecond) <= 2, `${opened} in three seconds`);
});

test("a full line refuses its last, which may be the newcomer, and asks for more than that from then on", () => {
  const { queue, seeder, offer, exhaust } = newDesk();
  exhaust();
  const line = Array.from({ length: LIMITS.gateWaitingPerSeeder }, () => offer(5));
  assert.equal(offer(4).outcome, "refused");
  assert.equal(offer(5).outcome, "refused");
  assert.equal(offer(6).outcome, "waits");
  assert.deepEqual(
    line.map(({ outcome }) => outcome),
    [...line.slice(1).map(() => "waits"), "refused"],
  );
  assert.ok(queue.effortFor([seeder]) > 5);
});

test("who waits for too long is refused, and who went away takes nobody's turn", () => {
  const { clock, offer, exhaust } = newDesk();
  exhaust();
  const blocked = offer(7);
  blocked.answer = "later";
  const gone = offer(6);
  gone.gone = true;
  clock.advance(LIMITS.gateWaitMs - 200);
  assert.equal(blocked.outcome, "waits");
  clock.advance(300);
  assert.deepEqual([blocked.outcome, gone.outcome], ["refused", "waits"]);
});

test("one that must not be opened is refused and spends nothing", () => {
  const { clock, seeder, queue } = newDesk();
  for (let count = 0; count < 3 * LIMITS.gateConnectBurst; count++) {
    const replayed = new TestCandidate(clock, 1);
    replayed.answer = "never";
    queue.offer(seeder, replayed);
    assert.equal(replayed.outcome, "refused");
  }
  const honest = new TestCandidate(clock, 0);
  queue.offer(seeder, honest);
  assert.equal(honest.outcome, "opened");
});

test("when a seeder goes, those who wait for it are told; others are not held up by a seeder that is slow", () => {
  const { clock, seeder, offer, exhaust, queue } = newDesk();
  const other = newCircuit();
  exhaust();
  const waits = offer(3);
  waits.answer = "later";
  assert.equal(offer(0, other).outcome, "opened");
  seeder.alive = false;
  clock.advance(200);
  assert.deepEqual([waits.outcome, queue.waiting], ["refused", 0]);
});

/** Would catch: a crowd at many seeders that holds more in one gate than is planned for. */
test("all that wait at a gate are bounded, and the longest line gives way", () => {
  const { offer, exhaust, queue } = newDesk();
  const seeders = Array.from({ length: 20 }, () => newCircuit());
  for (const seeder of seeders.slice(0, LIMITS.gateAllConnectBurst / LIMITS.gateConnectBurst))
    exhaust(seeder);
  for (const seeder of seeders)
    for (let count = 0; count < LIMITS.gateWaitingPerSeeder; count++) offer(1, seeder);
  assert.equal(queue.waiting, LIMITS.gateWaiting);
  assert.equal(offer(0, newCircuit()).outcome, "waits", "a seeder with a short line paid for the long ones");
});

/** Would catch: somebody with many shares of their own, each within its bound, who takes a whole gate's time. */
test("a gate opens so many a second in all, and of all lines whoever shows most is first", () => {
  const { clock, offer, exhaust } = newDesk();
  const seeders = Array.from({ length: LIMITS.gateAllConnectBurst / LIMITS.gateConnectBurst }, () =>
    newCircuit(),
  );
  for (const seeder of seeders) exhaust(seeder);
  const flood = Array.from({ length: 16 }, () => newCircuit()).flatMap((seeder) =>
    Array.from({ length: 16 }, () => offer(1, seeder)),
  );
  const honest = offer(2, newCircuit());
  clock.advance(100);
  assert.equal(honest.outcome, "opened");
  clock.advance(1_900);
  const opened = flood.filter(({ outcome }) => outcome === "opened").length;
  assert.ok(opened <= 2 * LIMITS.gateAllConnectsPerSecond, `${opened} in two seconds`);
});

test("the effort rises while somebody works hard to get in, and is gone within a minute after", () => {
  const { clock, queue, seeder, offer, exhaust } = newDesk();
  exhaust();
  for (let step = 0; step < 100; step++) {
    offer(400);
    offer(400);
    clock.advance(100);
  }
  const risen = queue.effortFor([seeder]);
  assert.ok(risen > 400, `asked for ${risen}`);
  clock.advance(10_000);
  const falling = queue.effortFor([seeder]);
  assert.ok(falling > 0 && falling < risen / 2, `asked for ${falling} ten seconds later`);
  clock.advance(60_000);
  assert.deepEqual([queue.effortFor([seeder]), clock.timerCount], [0, 0]);
});

test("nobody is asked for more than a downloader does", () => {
  const { queue, seeder, offer, exhaust } = newDesk();
  exhaust();
  for (let count = 0; count < 2 * LIMITS.gateWaitingPerSeeder; count++) offer(2 ** 32 - 1);
  assert.equal(queue.effortFor([seeder]), LIMITS.connectEffortMost);
});

/**
 * The controller against an attacker with the work of one core, whatever it does with it: few hard ones, many cheap ones, or nothing at all.
 * The downloader asks what it takes, does that, half as fast as the attacker, and tries again when refused. In steps of a fake clock.
 */
test("against an attacker with twice its power a downloader gets in within ten seconds", () => {
  const ATTACKER_PER_MS = 0.8;
  const OWN_PER_MS = 0.4;
  const strategy = fc.record({
    effort: fc.constantFrom(0, 1, 10, 50, 100, 150, 400, 2_000),
    hoardMs: fc.constantFrom(0, 20_000),
    follows: fc.boolean(),
  });
  fc.assert(
    fc.property(strategy, ({ effort, hoardMs, follows }) => {
      const { clock, queue, seeder, offer, exhaust } = newDesk();
      exhaust();
      const bid = (before: number): number => {
        const asked = queue.effortFor([seeder]);
        return asked === 0 ? 0 : Math.max(2 * asked, 2 * before, 64);
      };
      let attackersWork = hoardMs * ATTACKER_PER_MS;
      let own: TestCandidate | undefined;
      let shown = 0;
      let toDo = 0;
      let tries = 0;
      for (let ms = 0; ms <= 30_000; ms += 10) {
        const price = follows ? Math.max(effort, queue.effortFor([seeder])) : effort;
        attackersWork += 10 * ATTACKER_PER_MS;
        for (let sent = 0; sent < 50 && attackersWork >= price; sent++) {
          attackersWork -= price;
          offer(price);
        }
        clock.advance(10);
        if (ms < 20_000) continue;
        if (own === undefined) {
          if (toDo === 0 && tries === 0) toDo = shown = bid(0);
          toDo -= 10 * OWN_PER_MS;
          if (toDo > 0) continue;
          tries++;
          own = offer(shown);
        }
        if (own.outcome === "opened") return;
        if (own.outcome === "refused") {
          own = undefined;
          toDo = shown = bid(shown);
        }
      }
      assert.fail(`not in after ${tries} tries, the last with ${shown}`);
    }),
    { numRuns: 30 },
  );
});
