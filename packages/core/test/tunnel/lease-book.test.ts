import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { LeaseBook, type LeaseOrigin } from "../../src/tunnel/lease-book.ts";
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
  /** Whether the book changed; undefined for what it does not take at all. */
  const add = (sealed: Buffer, origin: LeaseOrigin = "gate") => book.add(sealed, origin)?.isNews;
  return { share, clock, book, seal, add };
}

test("the sharer's leases come first and are never pushed out, however many others a stranger makes", () => {
  const { share, book, seal, add } = newBook();
  for (let i = 0; i < 2; i++) assert.ok(add(seal(newSeeder(share.sharerKeys))));
  for (let i = 0; i < LIMITS.finderLeases + 10; i++) add(seal(newSeeder()));
  const list = book.list();
  assert.equal(list.length, LIMITS.finderLeases);
  assert.deepEqual(
    list.slice(0, 3).map(({ isSharers }) => isSharers),
    [true, true, false],
  );
});

test("of one seeder's leases the one that runs longest stays, in whatever order they come", () => {
  const { book, seal, add } = newBook();
  const seeder = newSeeder();
  const late = seal(seeder, NOW_MS + 2 * HOUR_MS);
  assert.ok(add(late));
  assert.equal(add(seal(seeder, NOW_MS + HOUR_MS)), false);
  assert.deepEqual(
    book.list().map(({ sealed }) => sealed),
    [late],
  );
});

test("the sharer's two computers share a lease key and are two seeders", () => {
  const { share, book, seal, add } = newBook();
  assert.ok(add(seal(newSeeder(share.sharerKeys))));
  assert.ok(add(seal(newSeeder(share.sharerKeys))));
  assert.equal(book.list().length, 2);
});

test("a lease that is over is forgotten", () => {
  const { book, seal, clock, add } = newBook();
  add(seal(newSeeder()));
  clock.advance(HOUR_MS + LIMITS.leaseSkewMs - 1);
  assert.equal(book.list().length, 1);
  clock.advance(1);
  assert.equal(book.list().length, 0);
});

test("near a turn leases of both epochs count; what is of no epoch in force, or no lease, does not", () => {
  const { seal, add } = newBook(shareTurningIn(0));
  assert.ok(add(seal(newSeeder(), NOW_MS + HOUR_MS, 0)));
  assert.ok(add(seal(newSeeder(), NOW_MS + HOUR_MS, 1)));
  const elsewhere = newBook();
  assert.equal(add(elsewhere.seal(newSeeder())), undefined);
  assert.equal(add(systemRandom.bytes(2_076)), undefined);
  assert.equal(add(Buffer.alloc(0)), undefined);
});

test("hearsay is bounded, comes last, takes no other's place, and does not keep later hearsay out", () => {
  const { book, seal, add } = newBook();
  const proven = Array.from({ length: LIMITS.finderLeases - 4 }, () => newSeeder());
  for (const seeder of proven) assert.ok(add(seal(seeder)));
  for (let i = 0; i < 3 * LIMITS.finderHearsay; i++) assert.equal(add(seal(newSeeder()), "peer"), true);
  const list = book.list();
  assert.equal(list.length, LIMITS.finderLeases);
  assert.deepEqual(
    list.slice(-5).map(({ isHearsay }) => isHearsay),
    [false, true, true, true, true],
  );
  const fresh = newBook();
  for (let i = 0; i < 3 * LIMITS.finderHearsay; i++) fresh.add(fresh.seal(newSeeder()), "peer");
  assert.equal(fresh.book.list().length, LIMITS.finderHearsay);
});

test("a gate's word makes a seeder of hearsay, and hearsay takes nothing back", () => {
  const { book, seal, add } = newBook();
  const seeder = newSeeder();
  const sealed = seal(seeder);
  add(sealed, "peer");
  assert.equal(book.list()[0]?.isHearsay, true);
  assert.equal(add(sealed, "gate"), false, "the same lease is no news");
  assert.equal(book.list()[0]?.isHearsay, false);
  add(seal(seeder, NOW_MS + 2 * HOUR_MS), "peer");
  assert.equal(book.list()[0]?.isHearsay, false);
});

test("passed on is what a gate named or a tunnel reached a little while ago, and no invention of a peer", () => {
  const { share, book, seal, add, clock } = newBook();
  const names = () => new Set(book.passable().map(({ seeder }) => seeder));
  const expiryMs = NOW_MS + 2 * HOUR_MS;
  const byGate = add(seal(newSeeder(), expiryMs)) === true ? (book.list()[0]?.seeder ?? "") : "";
  for (const keys of [newSeeder(), newSeeder(share.sharerKeys)]) add(seal(keys, expiryMs), "peer");
  assert.deepEqual(names(), new Set([byGate]));
  const [sharers, , stranger] = book.list().map(({ seeder }) => seeder);
  book.markAlive(stranger as string);
  assert.deepEqual(names(), new Set([byGate, stranger]));
  book.markDead(byGate);
  assert.deepEqual(names(), new Set([stranger]));
  clock.advance(LIMITS.leaseAliveMs);
  assert.deepEqual(names(), new Set());
  book.markAlive(sharers as string);
  clock.advance(LIMITS.leaseAliveMs - 1);
  assert.deepEqual(names(), new Set([sharers]));
});

test("a lease that is over, or of an epoch that is, is not passed on although it may still be dialled", () => {
  const share = shareTurningIn(0);
  const { book, seal, add, clock } = newBook(share);
  add(seal(newSeeder(), NOW_MS + 10 * 60_000, 1));
  add(seal(newSeeder(), NOW_MS + 2 * HOUR_MS, 0));
  assert.equal(book.passable().length, 2);
  clock.advance(11 * 60_000);
  assert.equal(book.passable().length, 1);
  clock.advance(HOUR_MS);
  for (const { seeder } of book.list()) book.markAlive(seeder);
  assert.equal(book.list().length, 1);
  assert.equal(book.passable().length, 0, "a lease of yesterday's epoch opens for nobody");
});
