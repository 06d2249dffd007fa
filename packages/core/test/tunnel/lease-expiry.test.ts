import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "../../src/base/limits.ts";
import { createLeaseExpiry } from "../../src/tunnel/lease-expiry.ts";

const LEAST_MS = 1_800_000_000_000;

/** Would catch: two leases made within one second, of which nobody can tell the later one. */
test("each lease is over later than the one before, also within one second, and about its lifetime from now", () => {
  const next = createLeaseExpiry({ nowMs: () => LEAST_MS + 999 });
  const inTimeS = (LEAST_MS + LIMITS.leaseLifetimeMs) / 1000;
  assert.deepEqual([next(), next(), next()], [inTimeS, inTimeS + 1, inTimeS + 2]);
});

/** Would catch: a clock that is set back by hours, after which every lease runs longer than anybody takes. */
test("whatever the clock does: no lease runs longer than a reader takes, and as long as that allows it each is later", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: -7_200_000, max: 7_200_000 }), fc.nat(3)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (moves) => {
      let nowMs = LEAST_MS;
      let last = 0;
      const next = createLeaseExpiry({ nowMs: () => nowMs });
      for (const [byMs, more] of moves) {
        nowMs += byMs;
        const most = (nowMs + LIMITS.leaseLifetimeMs + LIMITS.leaseSkewMs / 2) / 1000;
        for (let time = 0; time <= more; time++) {
          const expiryS = next();
          assert.ok(expiryS * 1000 > nowMs + LIMITS.leaseLifetimeMs - 1000);
          assert.ok(expiryS <= most);
          if (last + 2 <= most) assert.ok(expiryS > last);
          last = expiryS;
        }
      }
    }),
  );
});
