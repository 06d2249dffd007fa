import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../../src/base/random.ts";
import { createLeasePool, type OwnPlace } from "../../src/node/lease-pool.ts";
import { LeaseBook } from "../../src/tunnel/lease-book.ts";
import { sealLease } from "../../src/tunnel/lease.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { newLease, newSeeder, newShare } from "../tunnel/fixtures.ts";

function newPool() {
  const book = new LeaseBook(newShare(), { clock: new ManualClock(), random: systemRandom });
  const [keys] = book.epochs();
  assert.ok(keys !== undefined);
  const seal = () => sealLease(keys, newLease(keys, newSeeder()), systemRandom);
  let own: OwnPlace = { seeder: "nobody", lease: undefined };
  let newsCount = 0;
  const pool = createLeasePool(
    book,
    () => own,
    () => newsCount++,
  );
  return { book, seal, pool, setOwn: (place: OwnPlace) => (own = place), newsCount: () => newsCount };
}

/** Would catch: a downloader that tells a seeder which other seeder it is, because a gate handed it its own lease. */
test("our own lease is never offered as somebody else's, and is no news", () => {
  const { book, seal, pool, setOwn, newsCount } = newPool();
  const seeder = book.add(seal(), "gate")?.seeder ?? "";
  const ownSealed = seal();
  const self = book.add(ownSealed, "gate")?.seeder ?? "";
  setOwn({ seeder: self, lease: undefined });
  assert.deepEqual(
    pool.offer().map((lease) => [lease.seeder, lease.isOwn]),
    [[seeder, false]],
  );
  setOwn({ seeder: self, lease: { sealed: ownSealed, expirySeconds: 5 } });
  assert.deepEqual(
    pool.offer().map((lease) => [lease.seeder, lease.isOwn]),
    [
      [self, true],
      [seeder, false],
    ],
  );
  book.markDead(self);
  pool.take(ownSealed);
  assert.equal(newsCount(), 0);
});

test("a peer's lease is news once, and what does not open is said to be none", () => {
  const { seal, pool, newsCount } = newPool();
  const sealed = seal();
  assert.deepEqual(pool.take(sealed), pool.take(sealed));
  assert.equal(newsCount(), 1);
  assert.equal(pool.take(systemRandom.bytes(sealed.length)), undefined);
  assert.equal(pool.take(newPool().seal()), undefined, "another share's");
  assert.deepEqual(pool.offer(), [], "hearsay is not offered");
});
