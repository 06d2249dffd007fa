import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { StrangerDials } from "../../src/directory/stranger-dials.ts";
import { ManualClock } from "../support/manual-clock.ts";

const at = (host: string) => [{ host, port: 443 }];
/** So many different subnets of public addresses. */
const elsewhere = (index: number) => at(`8.${index >> 8}.${index & 255}.1`);

function newDials(test = false) {
  const clock = new ManualClock();
  return { clock, dials: new StrangerDials({ clock, network: { test } }) };
}

test("dials on strangers' words are few in all, for EXTEND and for publishing each by itself", () => {
  const { clock, dials } = newDials();
  let index = 0;
  for (const [purpose, burst, perSecond] of [
    ["extend", LIMITS.extendDialBurst, LIMITS.extendDialsPerSecond],
    ["probe", LIMITS.probeBurstCount, LIMITS.probePerSecond],
  ] as const) {
    for (let count = 0; count < burst; count++) assert.ok(dials.take(purpose, elsewhere(index++)));
    assert.equal(dials.take(purpose, elsewhere(index++)), false);
    clock.advance(1_000 / perSecond);
    assert.ok(dials.take(purpose, elsewhere(index++)));
    assert.equal(dials.take(purpose, elsewhere(index++)), false);
  }
});

/** Would catch: a scan of one rack's ports, or of its addresses, spread over as many circuits as there are. */
test("into one subnet there are very few, whichever port, address or purpose; others are not touched", () => {
  const { clock, dials } = newDials();
  let taken = 0;
  for (let second = 0; second < 30; second++) {
    clock.advance(1_000);
    for (const purpose of ["extend", "probe"] as const) {
      if (dials.take(purpose, [{ host: `203.0.114.${second}`, port: 1 + second }])) taken++;
    }
  }
  assert.equal(taken, LIMITS.dialSubnetBurst);
  assert.equal(
    dials.take("extend", [...elsewhere(1), ...at("203.0.114.77")]),
    false,
    "one of several was let through",
  );
  assert.ok(dials.take("extend", elsewhere(1)));
  clock.advance(LIMITS.dialSubnetEveryMs);
  assert.ok(dials.take("probe", at("203.0.114.77")));
});

test("the subnets remembered are bounded, and the one that was dialled first is forgotten first", () => {
  const { clock, dials } = newDials();
  const spent = at("203.0.114.1");
  for (let count = 0; count < LIMITS.dialSubnetBurst; count++) assert.ok(dials.take("extend", spent));
  // Four at a time, so that the first one earns less than its burst meanwhile.
  for (let index = 0; index < LIMITS.dialSubnets; index += 4) {
    clock.advance(1_000 / LIMITS.extendDialsPerSecond);
    assert.ok(
      dials.take(
        "extend",
        [0, 1, 2, 3].flatMap((more) => elsewhere(index + more)),
      ),
    );
  }
  let again = 0;
  while (dials.take("extend", spent)) again++;
  assert.equal(again, LIMITS.dialSubnetBurst);
});

test("in a test network, which lives in one subnet, only the number counts", () => {
  const { dials } = newDials(true);
  for (let count = 0; count < LIMITS.extendDialBurst; count++)
    assert.ok(dials.take("extend", at("127.0.0.1")));
  assert.equal(dials.take("extend", at("127.0.0.1")), false);
});
