import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { assertMemory, checkMemory, type MemoryVerdict } from "../../src/doctor/memory-check.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** Computers as they report themselves. Would catch: a boundary on the wrong side, and a limit that is looked past. */
const COMPUTERS: readonly (readonly [
  what: string,
  total: number,
  limit: number | undefined,
  MemoryVerdict,
])[] = [
  ["exactly 2 GiB", 2 * GiB, undefined, "risky"],
  ["2 GiB of which the kernel keeps 3 %", 1.94 * GiB, undefined, "risky"],
  ["2 GB by decimal numbers, of which the kernel keeps 3 %", 2e9 * 0.97, undefined, "risky"],
  ["a tenth less than 2 GiB", 0.9 * 2 * GiB, undefined, "risky"],
  ["a byte less than that", Math.ceil(0.9 * 2 * GiB) - 1, undefined, "refused"],
  ["1.5 GiB", 1.5 * GiB, undefined, "refused"],
  ["1 GiB", GiB, undefined, "refused"],
  ["3 GiB", 3 * GiB, undefined, "risky"],
  ["a byte less than a tenth less than 4 GiB", Math.ceil(0.9 * 4 * GiB) - 1, undefined, "risky"],
  ["a tenth less than 4 GiB", Math.ceil(0.9 * 4 * GiB), undefined, "enough"],
  ["4 GB by decimal numbers, of which the kernel keeps 3 %", 4e9 * 0.97, undefined, "enough"],
  ["exactly 4 GiB", 4 * GiB, undefined, "enough"],
  ["64 GiB", 64 * GiB, undefined, "enough"],
  ["64 GiB, a container of 512 MiB", 64 * GiB, 512 * MiB, "refused"],
  ["64 GiB, a container of 2 GiB", 64 * GiB, 2 * GiB, "risky"],
  ["64 GiB, a container of 4 GiB", 64 * GiB, 4 * GiB, "enough"],
  ["1 GiB, a container that may have 8 GiB", GiB, 8 * GiB, "refused"],
];

for (const [what, totalBytes, limitBytes, verdict] of COMPUTERS) {
  test(`${what}: ${verdict}`, () => {
    assert.equal(checkMemory({ totalBytes, limitBytes }), verdict);
  });
}

const ORDER: readonly MemoryVerdict[] = ["refused", "risky", "enough"];
const bytes = fc.integer({ min: 0, max: 64 * GiB });
const limit = fc.option(bytes, { nil: undefined });

test("more memory, or a wider limit, is never worse", () => {
  fc.assert(
    fc.property(bytes, limit, bytes, (totalBytes, limitBytes, more) => {
      const rank = (total: number, allowed: number | undefined): number =>
        ORDER.indexOf(checkMemory({ totalBytes: total, limitBytes: allowed }));
      const before = rank(totalBytes, limitBytes);
      assert.ok(rank(totalBytes + more, limitBytes) >= before);
      assert.ok(rank(totalBytes, limitBytes === undefined ? undefined : limitBytes + more) >= before);
      assert.ok(rank(totalBytes, undefined) >= before);
    }),
  );
});

test("a risk is taken when it was accepted, and below the minimum never", () => {
  const small = { totalBytes: GiB, limitBytes: undefined };
  const short = { totalBytes: 3 * GiB, limitBytes: undefined };
  const limited = { totalBytes: 64 * GiB, limitBytes: 3 * GiB };
  const refusal = (pattern: RegExp) => (error: unknown) =>
    isBackroomError(error, "E_MACHINE") && error.exit === 7 && pattern.test(`${error.message}; ${error.fix}`);
  assert.throws(() => assertMemory(small, true), refusal(/^this computer has 1 GiB.*more memory/));
  assert.throws(() => assertMemory(short, false), refusal(/^this computer has 3 GiB.*--accept-risk/));
  assert.throws(() => assertMemory(limited, false), refusal(/may use 3 GiB.*limit/));
  assertMemory(short, true);
  assertMemory({ totalBytes: 8 * GiB, limitBytes: undefined }, false);
});
