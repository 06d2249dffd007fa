import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { LeaseBook } from "../../src/tunnel/lease-book.ts";
import { sealLease, type SeederKeys } from "../../src/tunnel/lease.ts";
import { deriveEpoch, epochsAt } from "../../src/tunnel/topic.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { HOUR_MS, newLease, newSeeder, newShare, NOW_MS, shareTurningIn } from "./fixtures.ts";

function newBook(share = newShare()) {
  const clock = new ManualClock();
  const book = new LeaseBook(share, { clock, random: systemRandom });
  const keys = epochsAt(share.topicSecret, NOW_MS).map((epoch) => deriveEpoch(share, epoch));
  const seal = (seeder: SeederKeys, expiryMs = NOW_MS + HOUR_MS, epoch = 0) => {
    const epochKeys = keys[epoch] as (typeof keys)[0];
    return sealLease(epochKeys, newLease(epochKeys, seeder, expiryMs), systemRandom);
  };
  return { share, clock, book, seal };
}

test("the sharer's leases come first and are never pushed out, however many others a stranger makes", () => {
  const { share, book, seal } = newBook();
  for (let i = 0; i < 2; i++) assert.ok(book.add(seal(newSeeder(share.sharerKeys))));
  for (let i = 0; i < LIMITS.finderLeases + 10; i++) book.add(seal(newSeeder()));
  const list = book.list();
  assert.equal(list.length, LIMITS.finderLeases);
  assert.deepEqual(
    list.slice(0, 3).map(({ isSharers }) => isSharers),
    [true, true, false],
  );
});

test("of one seeder's leases the one that runs longest stays, in whatever order they come", () => {
  const { book, seal } = newBook();
  const seeder = newSeeder();
  const late = seal(seeder, NOW_MS + 2 * HOUR_MS);
  assert.ok(book.add(late));
  assert.equal(book.add(seal(seeder, NOW_MS + HOUR_MS)), false);
  assert.deepEqual(
    book.list().map(({ sealed }) => sealed),
    [late],
  );
});

test("the sharer's two computers share a lease key and are two seeders", () => {
  const { share, book, seal } = newBook();
  assert.ok(book.add(seal(newSeeder(share.sharerKeys))));
  assert.ok(book.add(seal(newSeeder(share.sharerKeys))));
  assert.equal(book.list().length, 2);
});

test("a lease that is over is forgotten", () => {
  const { book, seal, clock } = newBook();
  book.add(seal(newSeeder()));
  clock.advance(HOUR_MS + LIMITS.leaseSkewMs - 1);
  assert.equal(book.list().length, 1);
  clock.advance(1);
  assert.equal(book.list().length, 0);
});

test("near a turn leases of both epochs count; what is of no epoch in force, or no lease, does not", () => {
  const { book, seal } = newBook(shareTurningIn(0));
  assert.ok(book.add(seal(newSeeder(), NOW_MS + HOUR_MS, 0)));
  assert.ok(book.add(seal(newSeeder(), NOW_MS + HOUR_MS, 1)));
  const elsewhere = newBook();
  assert.equal(book.add(elsewhere.seal(newSeeder())), false);
  assert.equal(book.add(systemRandom.bytes(2_076)), false);
  assert.equal(book.add(Buffer.alloc(0)), false);
});
