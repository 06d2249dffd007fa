import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedWork } from "../../src/engine/shared-work.ts";

/** Work that does nothing but wait, and whose end is the test's. */
function waiting() {
  const result = Promise.withResolvers<number>();
  let stop: AbortSignal | undefined;
  const work = new SharedWork((signal) => {
    stop = signal;
    return result.promise;
  });
  return { work, result, isStopped: () => stop?.aborted };
}

/** Would catch: a pack that is opened for nobody, and one whose opening fails for all since one of them went away. */
test("work goes on until the last one who waits for it has gone away", async () => {
  const { work, isStopped } = waiting();
  const [first, second] = [new AbortController(), new AbortController()];
  const gone = [first, second].map(({ signal }) =>
    assert.rejects(work.join(signal), { code: "E_INTERRUPTED" }),
  );
  first.abort();
  await gone[0];
  assert.deepEqual([isStopped(), work.isCalledOff], [false, false]);
  second.abort();
  await gone[1];
  assert.deepEqual([isStopped(), work.isCalledOff], [true, true]);
});

test("what came of it is there for whoever comes later, and ends with nobody", async () => {
  const { work, result, isStopped } = waiting();
  const { signal } = new AbortController();
  const joined = work.join(signal);
  result.resolve(5);
  assert.deepEqual(
    [await joined, await work.join(signal), isStopped(), work.isCalledOff],
    [5, 5, false, false],
  );
  await assert.rejects(work.join(AbortSignal.abort()), { code: "E_INTERRUPTED" });
  assert.equal(work.isCalledOff, false);
});

/** Would catch: a password that is stretched for a second once more, each time somebody looks into a share for less than that. */
test("what came of work that was called off too late is used", async () => {
  const { work, result } = waiting();
  await assert.rejects(work.join(AbortSignal.abort()), { code: "E_INTERRUPTED" });
  assert.equal(work.isCalledOff, true);
  result.resolve(5);
  const { signal } = new AbortController();
  assert.equal(await work.join(signal), 5);
  assert.equal(work.isCalledOff, false);
});
