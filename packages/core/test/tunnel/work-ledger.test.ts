import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { solveConnect, type ConnectRequest } from "../../src/tunnel/connect-work.ts";
import { WorkLedger } from "../../src/tunnel/work-ledger.ts";
import { ManualClock } from "../support/manual-clock.ts";

const nodeKey = systemRandom.bytes(32);

function newLedger() {
  const clock = new ManualClock();
  const ledger = new WorkLedger({ nodeKey, clock, random: systemRandom });
  const solve = async (nonce = ledger.nonce): Promise<ConnectRequest> => {
    const tag = systemRandom.bytes(16);
    return {
      tag,
      work: await solveConnect(
        nodeKey,
        tag,
        { nonce, effort: 1 },
        { random: systemRandom, mayGoOn: () => true },
      ),
    };
  };
  return { clock, ledger, solve };
}

/** Would catch: one piece of work that opens tunnels without end. */
test("work counts once, and only when it was spent", async () => {
  const { ledger, solve } = newLedger();
  const request = await solve();
  assert.deepEqual([ledger.isGood(request), ledger.isGood(request)], [true, true]);
  ledger.spend(request);
  assert.equal(ledger.isGood(request), false);
  assert.ok(ledger.isGood(await solve()));
});

/** Would catch: work that is done in advance for an attack on a chosen day, and memory that grows with every tunnel. */
test("a nonce holds for one to two spans; then neither it nor what was spent under it is remembered", async () => {
  const { clock, ledger, solve } = newLedger();
  const [first, second] = [await solve(), await solve()];
  ledger.spend(first);
  clock.advance(LIMITS.connectNonceMs);
  assert.deepEqual([ledger.isGood(first), ledger.isGood(second), ledger.size], [false, true, 1]);
  assert.ok(ledger.isGood(await solve()));
  clock.advance(LIMITS.connectNonceMs);
  assert.deepEqual([ledger.isGood(second), ledger.nonce.length, ledger.size], [false, 16, 0]);
  const third = await solve();
  clock.advance(2 * LIMITS.connectNonceMs);
  assert.equal(ledger.isGood(third), false, "after a silence the last nonce would still hold");
});

test("no more is remembered than may be: then no work is good until a nonce is over", async () => {
  const { clock, ledger, solve } = newLedger();
  const real = await solve();
  const work = real.work as NonNullable<typeof real.work>;
  for (let count = 0; count < LIMITS.connectWorkRemembered; count++) {
    const solution = Buffer.alloc(8);
    solution.writeUInt32BE(count);
    ledger.spend({ tag: real.tag, work: { ...work, solution } });
  }
  assert.deepEqual([ledger.isGood(real), ledger.size], [false, LIMITS.connectWorkRemembered]);
  clock.advance(2 * LIMITS.connectNonceMs);
  assert.ok(ledger.isGood(await solve()));
});
