import assert from "node:assert/strict";
import { test } from "node:test";
import { TarCursor } from "../../src/pack/tar-cursor.ts";

/** Would catch: memory of which a later entry still needs a part, given back with the part of the one before. */
test("a stretch is given back once whoever took all of it is done, and never where it was taken in parts", async () => {
  const given: number[] = [];
  const stretches = async function* () {
    for (let offset = 0; offset < 40; offset += 10) {
      const bytes = Buffer.alloc(10, offset);
      yield { offset, bytes, giveBack: () => void given.push(offset) };
    }
  };
  const cursor = new TarCursor(stretches());
  const whole = await cursor.take(0, 30);
  assert.deepEqual([whole.length, given], [10, []]);
  cursor.done(whole);
  cursor.done(whole);
  const [start, rest] = [await cursor.take(10, 4), await cursor.take(14, 30)];
  cursor.done(start);
  cursor.done(rest);
  const last = await cursor.take(30, 10);
  assert.deepEqual(given, [0]);
  cursor.done(last);
  assert.deepEqual(given, [0, 30]);
});
