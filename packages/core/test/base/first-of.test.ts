import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import { firstOf } from "../../src/base/first-of.ts";

/** Attempts, counted from 0, that are slow, fail or succeed when the test says so; whatever follows has happened when that is fulfilled. */
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
  const after = async (index: number, happen: (attempt: (typeof attempts)[0]) => void): Promise<void> => {
    const attempt = attempts[index];
    if (attempt === undefined) throw new Error("that attempt was not begun");
    happen(attempt);
    await nextTurn();
  };
  return {
    first,
    attempts,
    discarded,
    slow: (index: number) => after(index, ({ onSlow }) => onSlow()),
    fail: (index: number, error: string) => after(index, ({ reject }) => reject(error)),
    succeed: (index: number, value: string) => after(index, ({ resolve }) => resolve(value)),
  };
}

test("one attempt at a time, until one succeeds", async () => {
  const { first, attempts, fail, succeed } = world();
  await nextTurn();
  assert.equal(attempts.length, 1);
  await fail(0, "no");
  assert.equal(attempts.length, 2);
  await succeed(1, "yes");
  assert.equal(await first, "yes");
});

test("beside one that is slow the next begins; the first that succeeds is taken, what comes later is let go", async () => {
  const { first, attempts, discarded, slow, fail, succeed } = world();
  await slow(0);
  assert.equal(attempts.length, 2);
  await slow(1);
  await succeed(1, "second");
  assert.equal(await first, "second");
  await succeed(0, "first");
  await fail(2, "no");
  assert.deepEqual(discarded, ["first"]);
});

/** Would catch: twice as many circuits as are needed, where a slow one fails at last. */
test("a slow one that fails begins no other one beside that which took its place, and one that succeeds after all is taken", async () => {
  const { first, attempts, slow, fail, succeed } = world();
  await slow(0);
  await slow(1);
  await fail(0, "no");
  assert.equal(attempts.length, 3);
  await succeed(1, "after all");
  assert.equal(await first, "after all");
});

test("when there may be no more, those that are under way are waited for, and the last failure is raised", async () => {
  const { first, attempts, slow, fail } = world(2);
  const raised = assert.rejects(first, (error) => error === "other");
  await slow(0);
  await fail(1, "one");
  assert.equal(attempts.length, 2);
  await fail(0, "other");
  await raised;
});

test("what no other attempt could mend is raised at once", async () => {
  const { first, attempts, slow, fail } = world();
  const raised = assert.rejects(first, (error) => error === "hopeless");
  await slow(0);
  await fail(1, "hopeless");
  await raised;
  assert.equal(attempts.length, 2);
});
