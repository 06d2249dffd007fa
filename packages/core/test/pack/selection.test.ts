import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { Selection, type FileChoice, type FilePriority } from "../../src/pack/selection.ts";

const PRIORITIES: readonly FilePriority[] = ["skip", "low", "normal", "high"];
/** Few names, so that choices meet: one is the beginning of another. */
const path = fc.array(fc.constantFrom("a", "ab", "b"), { maxLength: 4 }).map((names) => names.join("/"));
const choices = fc.array(fc.record({ path, priority: fc.constantFrom(...PRIORITIES) }), { maxLength: 12 });

/** What a selection means, without any cleverness. */
function priorityBy(said: readonly FileChoice[], file: string): FilePriority {
  const last = said.findLast(
    (one) => one.path === "" || one.path === file || file.startsWith(`${one.path}/`),
  );
  return last?.priority ?? "normal";
}

test("the last choice that a path lies in counts, also when they come one after the other and are kept in between", () => {
  fc.assert(
    fc.property(choices, choices, path, (first, more, file) => {
      const together = Selection.of([...first, ...more]);
      const kept = Selection.of(Selection.of(first).choices()).with(more);
      assert.equal(together.priorityOf(file), priorityBy([...first, ...more], file));
      assert.deepEqual(kept.choices(), together.choices());
      assert.equal(
        together.priorityOf(`${file}/`),
        together.priorityOf(file),
        "a folder as the index has it",
      );
    }),
  );
});

test("nothing is kept that makes no difference", () => {
  fc.assert(
    fc.property(choices, (said) => {
      const kept = Selection.of(said).choices();
      for (const [at, choice] of kept.entries()) {
        const without = Selection.of(kept.toSpliced(at, 1));
        assert.notEqual(without.priorityOf(choice.path), choice.priority);
      }
    }),
  );
  assert.deepEqual(
    Selection.of([
      { path: "a", priority: "skip" },
      { path: "a/b", priority: "high" },
      { path: "", priority: "normal" },
    ]).choices(),
    [],
  );
});

test("whether all is wanted is told without knowing the files", () => {
  fc.assert(
    fc.property(choices, (said) => {
      const selection = Selection.of(said);
      const isNeverSkipped = selection.choices().every((one) => selection.priorityOf(one.path) !== "skip");
      assert.equal(selection.wantsAll, isNeverSkipped);
    }),
  );
});

test("what two want together, and whether one wants all that the other does", () => {
  fc.assert(
    fc.property(choices, choices, fc.array(path, { minLength: 1 }), (some, others, files) => {
      const [a, b] = [Selection.of(some), Selection.of(others)];
      const wants = (selection: Selection, file: string): boolean => selection.priorityOf(file) !== "skip";
      for (const file of files) {
        assert.equal(wants(a.or(b), file), wants(a, file) || wants(b, file));
        assert.equal(a.plus(b).priorityOf(file), wants(b, file) ? b.priorityOf(file) : a.priorityOf(file));
        if (a.covers(b) && wants(b, file)) assert.ok(wants(a, file));
      }
      assert.ok(a.or(b).covers(a) && a.or(b).covers(b));
      assert.equal(
        a.covers(b),
        a.or(b).choices().length === a.or(a).choices().length && isSame(a.or(b), a.or(a)),
      );
    }),
  );
});

function isSame(a: Selection, b: Selection): boolean {
  return JSON.stringify(a.choices()) === JSON.stringify(b.choices());
}

/** Would catch: what was opened being refused, or cut, when all of it is there: who chooses is refused before. */
test("two together may be more than is kept, which is told when it is asked", () => {
  const half = (name: string): Selection =>
    Selection.of([
      { path: "", priority: "skip" },
      ...Array.from({ length: 0.6 * LIMITS.selectionChoices }, (_, number): FileChoice => ({
        path: `${name}/${number}`,
        priority: "normal",
      })),
    ]);
  const both = half("a").or(half("b"));
  assert.throws(() => both.assertBounded(), { code: "E_SELECTION" });
  const again = Selection.kept(both.choices());
  assert.ok(again.covers(half("a")) && again.covers(half("b")));
  again.or(Selection.everything).assertBounded();
});

test("more choices than are kept are refused, and what says the same in few is not", () => {
  const many = Array.from({ length: LIMITS.selectionChoices + 1 }, (_, number): FileChoice => ({
    path: `folder/${number}`,
    priority: "skip",
  }));
  const isRefused = (error: unknown): boolean => isBackroomError(error, "E_SELECTION");
  assert.throws(() => Selection.of(many), isRefused);
  const long = Array.from({ length: LIMITS.selectionBytes / 2048 + 1 }, (_, number): FileChoice => ({
    path: `${"x".repeat(2048)}${number}`,
    priority: "skip",
  }));
  assert.throws(() => Selection.of(long), isRefused);
  // Refused before all of it is put together, also where the last choice makes nothing of the rest.
  const deep = Array.from({ length: LIMITS.selectionNames / 128 + 1 }, (_, number): FileChoice => ({
    path: `${number}${"/a".repeat(128)}`,
    priority: "skip",
  }));
  assert.throws(() => Selection.of([...deep, { path: "", priority: "normal" }]), isRefused);
  assert.deepEqual(Selection.of([...many, { path: "folder", priority: "low" }]).choices(), [
    { path: "folder", priority: "low" },
  ]);
});
