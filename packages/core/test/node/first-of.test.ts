import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { firstOf } from "../../src/node/first-of.ts";

/** Attempts that end when the test says so. */
function world(most = 9) {
  const attempts: (PromiseWithResolvers<string> & { onSlow: () => void })[] = [];
  const discarded: string[] = [];
  const first = firstOf<string>({
    begin: (onSlow) => {
      if (attempts.length === most) return undefined;
      const attempt = { ...Promise.withResolvers<string>(), onSlow };
      attempts.push(attempt);
      return attempt.promise;
    },
    mayGoOn: (error) => error !== "hopeless",
    discard: (value) => void discarded.push(value),
  });
  const at = (index: number): (typeof attempts)[0] => {
    const attempt = attempts[index];
    if (attempt === undefined) throw new Error("that attempt was not begun");
    return attempt;
  };
  return { first, attempts, discarded, at };
}

test("one attempt at a time, until one succeeds", async () => {
  const { first, attempts, at } = world();
  await nextTurn();
  assert.equal(attempts.length, 1);
  at(0).reject("no");
  await nextTurn();
  assert.equal(attempts.length, 2);
  at(1).resolve("yes");
  assert.equal(await first, "yes");
});

test("beside one that is slow the next begins; the first that succeeds is taken, what comes later is let go", async () => {
  const { first, attempts, discarded, at } = world();
  at(0).onSlow();
  await nextTurn();
  assert.equal(attempts.length, 2);
  at(1).onSlow();
  await nextTurn();
  at(1).resolve("second");
  assert.equal(await first, "second");
  at(0).resolve("first");
  at(2).reject("no");
  await nextTurn();
  assert.deepEqual(discarded, ["first"]);
});

/** Would catch: twice as many circuits as are needed, where a slow one fails at last. */
test("a slow one that fails begins no other one beside that which took its place, and one that succeeds after all is taken", async () => {
  const { first, attempts, at } = world();
  at(0).onSlow();
  await nextTurn();
  at(1).onSlow();
  await nextTurn();
  at(0).reject("no");
  await nextTurn();
  assert.equal(attempts.length, 3);
  at(1).resolve("after all");
  assert.equal(await first, "after all");
});

test("when there may be no more, those that are under way are waited for, and the last failure is raised", async () => {
  const { first, attempts, at } = world(2);
  at(0).onSlow();
  await nextTurn();
  at(1).reject("one");
  await nextTurn();
  assert.equal(attempts.length, 2);
  at(0).reject("other");
  await assert.rejects(first, (error) => error === "other");
});

test("what no other attempt could mend is raised at once", async () => {
  const { first, attempts, at } = world();
  at(0).onSlow();
  await nextTurn();
  at(1).reject("hopeless");
  await assert.rejects(first, (error) => error === "hopeless");
  assert.equal(attempts.length, 2);
});
