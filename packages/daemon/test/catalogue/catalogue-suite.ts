import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { isBackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import type {
  Catalogue,
  CatalogueQuery,
  StoredState,
  TokenRecord,
  TransferOutline,
  TransferRecord,
} from "../../src/catalogue/catalogue.ts";
import { needsKeys } from "../../src/catalogue/needs-keys.ts";
import { transferOf } from "../support/transfer-record.ts";

export const raises =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isBackroomError(error, code);

/** Opens an empty one, runs, closes and cleans up. */
export type WithCatalogue = (run: (catalogue: Catalogue) => void) => void;

const ids = fc.integer({ min: 0, max: 11 });
/** Everything but lone surrogates, which UTF-8 has no place for. */
const anyText = fc.string({ unit: "binary", maxLength: 12 });
const name = fc.oneof(
  anyText,
  fc.constantFrom("100% Meer_", "100 Meere", "Straße", "ΟΔΟΣ", "a\\b", "'; DROP"),
);
const count = fc.nat();
const strings = fc.array(anyText, { maxLength: 3 });
const keys = fc.record(
  { password: anyText, identity: anyText, recipients: strings },
  { requiredKeys: [], noNullPrototype: true },
);
/** Few times and roots, so that they meet. */
const record = fc
  .record({
    index: ids,
    more: fc.record({
      role: fc.constantFrom("share" as const, "get" as const, "mirror" as const),
      state: fc.constantFrom(
        "sealing" as const,
        "active" as const,
        "paused" as const,
        "done" as const,
        "failed" as const,
      ),
      name,
      kind: fc.constantFrom("read" as const, "locked" as const, null),
      profile: fc.constantFrom("standard" as const, "strong" as const),
      fileCount: fc.option(count),
      size: fc.option(count),
      packLength: fc.option(count),
      doneBytes: count,
      downloadedBytes: fc.maxSafeNat(),
      uploadedBytes: count,
      output: fc.option(anyText),
      paths: strings,
      failure: fc.option(
        fc.tuple(anyText, anyText).map(([what, fix]) => ({ code: "E_FILE", what, why: "", fix })),
      ),
      leftOutCount: count,
      skippedCount: count,
      chosenSize: fc.option(count),
      wantedBytes: fc.option(count),
      createdMs: fc.integer({ min: 0, max: 3 }),
      finishedMs: fc.option(count),
      root: fc.option(fc.integer({ min: 0, max: 5 }).map((root) => root.toString(16).repeat(64))),
      link: fc.option(anyText),
      sharerSeed: fc.option(anyText),
      inputs: strings,
      keys,
      seed: fc.boolean(),
      wait: fc.boolean(),
      accept: strings,
    }),
  })
  .map(({ index, more }) => transferOf(index, more));

const query: fc.Arbitrary<Omit<CatalogueQuery, "limit" | "after">> = fc.record(
  {
    states: fc.subarray(["sealing", "active", "paused", "done", "failed"] as const),
    role: fc.constantFrom("share" as const, "get" as const, "mirror" as const),
    search: fc.oneof(
      anyText,
      fc.constantFrom("%", "_", "\\", "", "meer", "STRASSE", "οδος", "000000000000000b"),
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

type Step = (catalogue: Catalogue, model: Map<string, TransferRecord>) => void;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: record.map(
      (one): Step =>
        (catalogue, model) =>
          put(catalogue, model, one),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(ids, count, count)
      .map(([index, doneBytes, uploadedBytes]): Step => (catalogue, model) => {
        const progress = { doneBytes, downloadedBytes: 7, uploadedBytes };
        const { id } = transferOf(index);
        catalogue.putProgress(id, progress);
        const known = model.get(id);
        if (known !== undefined) model.set(id, { ...known, ...progress });
      }),
  },
  {
    weight: 1,
    arbitrary: ids.map((index): Step => (catalogue, model) => {
      const { id } = transferOf(index);
      assert.equal(catalogue.remove(id), model.delete(id));
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(record, { maxLength: 4 }), fc.boolean())
      .map(([records, fails]): Step => (catalogue, model) => {
        const inside = new Map(model);
        const work = (): void => {
          for (const one of records) put(catalogue, inside, one);
          assert.equal(catalogue.outlines(["active"]).length, catalogue.counts().active);
          if (fails) throw new Error("no");
        };
        if (fails) assert.throws(() => catalogue.together(work), /^Error: no$/);
        else {
          catalogue.together(work);
          model.clear();
          for (const [id, one] of inside) model.set(id, one);
        }
      }),
  },
);

/** The same to both. */
function put(catalogue: Catalogue, model: Map<string, TransferRecord>, one: TransferRecord): void {
  const hasRoot = [...model.values()].some(
    ({ id, root }) => root !== null && root === one.root && id !== one.id,
  );
  if (hasRoot) assert.throws(() => catalogue.put(one), raises("E_SAME_SHARE"));
  else {
    catalogue.put(one);
    model.set(one.id, needsKeys(one) ? one : { ...one, keys: {} });
  }
}

/** All pages of a query, each of which says the same total. */
function allOf(
  catalogue: Catalogue,
  filter: Omit<CatalogueQuery, "limit" | "after">,
  limit: number,
): TransferRecord[] {
  const found: TransferRecord[] = [];
  let after: string | undefined;
  for (;;) {
    const page = catalogue.list({ ...filter, limit, after });
    found.push(...page.transfers);
    assert.ok(page.transfers.length <= limit);
    if (page.next === null) {
      assert.equal(page.total, found.length);
      return found;
    }
    assert.equal(page.transfers.length, limit);
    after = page.next;
  }
}

function outlineOf(one: TransferRecord): TransferOutline {
  const { id, role, state, profile, finishedMs, root, link, accept } = one;
  return { id, role, state, profile, finishedMs, root, link, accept };
}

/** The plain way to say what a list holds. */
function expected(
  model: Map<string, TransferRecord>,
  { states, role, search }: Omit<CatalogueQuery, "limit">,
): TransferRecord[] {
  const upper = (text: string): string => text.normalize("NFKC").toUpperCase();
  return [...model.values()]
    .filter((one) => states === undefined || states.includes(one.state))
    .filter((one) => role === undefined || one.role === role)
    .filter(
      (one) => search === undefined || upper(one.name).includes(upper(search)) || one.id.startsWith(search),
    )
    .toSorted((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1));
}

/** What every Catalogue owes (catalogue/catalogue.ts). `numRuns` of random writes: many where none waits for a disk. */
export function catalogueSuite(name: string, withCatalogue: WithCatalogue, numRuns: number): void {
  test(`${name}: random writes leave what a plain map would hold, and every list is its filtered, ordered pages`, () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 25 }),
        fc.array(query, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, queries, limit) => {
          withCatalogue((catalogue) => {
            const model = new Map<string, TransferRecord>();
            for (const run of steps) {
              run(catalogue, model);
            }
            for (const one of queries) assert.deepEqual(allOf(catalogue, one, limit), expected(model, one));
            for (let index = 0; index <= 11; index++) {
              const { id } = transferOf(index);
              assert.deepEqual(catalogue.get(id), model.get(id));
            }
            const states = ["sealing", "active", "paused", "done", "failed"] as const;
            const countOf = (state: StoredState): number =>
              [...model.values()].filter((one) => one.state === state).length;
            assert.deepEqual(
              catalogue.counts(),
              Object.fromEntries(states.map((state) => [state, countOf(state)])),
            );
            for (const { states: some = states } of queries) {
              const listed = expected(model, { states: some });
              assert.deepEqual(catalogue.outlines(some), listed.map(outlineOf));
            }
            for (let digit = 0; digit < 16; digit++) {
              const beginning = digit.toString(16).repeat(32);
              const isThere = [...model.values()].some(({ root }) => root?.startsWith(beginning) === true);
              assert.equal(catalogue.knowsRoot(beginning), isThere);
            }
            for (const one of model.values()) {
              if (one.root !== null) assert.deepEqual(catalogue.byRoot(one.root), one);
            }
          });
        },
      ),
      { numRuns },
    );
  });

  test(`${name}: pages go on where they ended although their last row is gone and newer ones came`, () => {
    withCatalogue((catalogue) => {
      for (let index = 0; index < 10; index++) catalogue.put(transferOf(index, { createdMs: 5 }));
      const first = catalogue.list({ limit: 4 });
      assert.deepEqual(
        first.transfers.map(({ id }) => id),
        [9, 8, 7, 6].map((index) => transferOf(index).id),
      );
      assert.ok(first.next !== null);
      for (const index of [6, 5]) assert.equal(catalogue.remove(transferOf(index).id), true);
      catalogue.put(transferOf(20));
      const second = catalogue.list({ limit: 4, after: first.next });
      assert.deepEqual(
        second.transfers.map(({ id }) => id),
        [4, 3, 2, 1].map((index) => transferOf(index).id),
      );
      assert.equal(second.total, 9);
    });
  });

  test(`${name}: a place that no page named is refused, and not taken for the beginning`, () => {
    withCatalogue((catalogue) => {
      for (const after of [
        "",
        "x",
        "1",
        "1.",
        "1.UPPER00000000000",
        "-1.0000000000000000",
        "9999999999999999.0000000000000000",
        "1.0000000000000000' --",
      ]) {
        assert.throws(() => catalogue.list({ limit: 1, after }), raises("E_CURSOR"), after);
      }
    });
  });

  test(`${name}: a password is kept until nothing needs it, whatever the record still says`, () => {
    withCatalogue((catalogue) => {
      const keys = { password: "four unrelated long words", recipients: ["age1person"] };
      const sealing = transferOf(1, { role: "share", state: "sealing", root: null, link: null, keys });
      const { link } = transferOf(1);
      catalogue.put(sealing);
      assert.deepEqual(catalogue.get(sealing.id)?.keys, keys);
      catalogue.put({ ...sealing, state: "active", root: "a".repeat(64) });
      assert.deepEqual(catalogue.get(sealing.id)?.keys, keys);
      catalogue.put({ ...sealing, state: "active", root: "a".repeat(64), link });
      assert.deepEqual(catalogue.get(sealing.id)?.keys, {});
      const fetching = transferOf(2, { role: "get", state: "failed", keys });
      catalogue.put(fetching);
      assert.deepEqual(catalogue.get(fetching.id)?.keys, keys);
      catalogue.put({ ...fetching, state: "done", finishedMs: 1 });
      assert.deepEqual(catalogue.get(fetching.id)?.keys, {});
    });
  });

  test(`${name}: what was chosen of a share is replaced as a whole, stays when its transfer changes, and goes with it`, () => {
    withCatalogue((catalogue) => {
      const one = transferOf(1);
      const first = { choices: [{ path: "", priority: "skip" as const }], opened: null, held: null };
      assert.throws(() => catalogue.putSelection(one.id, first), raises("E_STORE"));
      catalogue.put(one);
      assert.equal(catalogue.selection(one.id), undefined);
      catalogue.putSelection(one.id, first);
      catalogue.put({ ...one, name: "other" });
      assert.deepEqual(catalogue.selection(one.id), first);
      const choices = [{ path: "Straße/a", priority: "high" as const }];
      const second = { choices, opened: first.choices, held: "gA==" };
      catalogue.putSelection(one.id, second);
      assert.deepEqual(catalogue.selection(one.id), second);
      catalogue.remove(one.id);
      assert.equal(catalogue.selection(one.id), undefined);
    });
  });

  test(`${name}: a count that is none is refused at once and holds up no other`, () => {
    withCatalogue((catalogue) => {
      const one = transferOf(1);
      catalogue.put(one);
      for (const doneBytes of [-1, 0.5, Number.NaN, 2 ** 53]) {
        assert.throws(
          () => catalogue.putProgress(one.id, { doneBytes, downloadedBytes: 0, uploadedBytes: 0 }),
          RangeError,
        );
      }
      assert.deepEqual(catalogue.get(one.id), one);
    });
  });

  test(`${name}: what cannot be a record changes nothing`, () => {
    withCatalogue((catalogue) => {
      const one = transferOf(1);
      catalogue.put(one);
      assert.throws(() => catalogue.put({ ...one, name: "other", doneBytes: -5 }), raises("E_STORE"));
      assert.throws(() => catalogue.put({ ...one, id: "SHORT", root: null }), raises("E_STORE"));
      assert.deepEqual(catalogue.list({ limit: 9 }).transfers, [one]);
    });
  });

  test(`${name}: tokens by hash, with when they were used, in the order in which they were made`, () => {
    withCatalogue(({ tokens }) => {
      const token = (index: number): TokenRecord => ({
        id: transferOf(index).id,
        name: `token ${index}`,
        scopes: ["read", "links"],
        browser: index === 1 ? "Firefox" : null,
        hash: index.toString(16).repeat(64),
        createdMs: 100 - index,
        usedMs: null,
        expiresMs: index === 1 ? 5 : null,
      });
      for (const index of [1, 2]) tokens.put(token(index));
      assert.deepEqual(tokens.list(), [token(2), token(1)]);
      tokens.used(token(1).id, 77);
      assert.deepEqual(tokens.byHash(token(1).hash), { ...token(1), usedMs: 77 });
      assert.throws(() => tokens.put({ ...token(3), hash: token(1).hash }), raises("E_STORE"));
      assert.throws(() => tokens.put({ ...token(3), name: token(1).name }), raises("E_STORE"));
      assert.equal(tokens.remove(token(1).id), true);
      assert.equal(tokens.remove(token(1).id), false);
      assert.equal(tokens.byHash(token(1).hash), undefined);
    });
  });

  test(`${name}: of each transfer its last notes, in their order, gone with it`, () => {
    withCatalogue((catalogue) => {
      const { notes } = catalogue;
      const [one, other] = [transferOf(1), transferOf(2)];
      const note = (text: string, atMs = 5) => ({
        atMs,
        level: "warn" as const,
        kind: "failed" as const,
        code: "E_FILE",
        text,
      });
      assert.equal(notes.add(one.id, note("too early")), false);
      catalogue.put(one);
      catalogue.put(other);
      assert.deepEqual(notes.list(one.id), []);
      for (let number = 1; number <= LIMITS.transferNotes + 3; number++) {
        assert.equal(notes.add(one.id, note(`${number}`)), true);
      }
      // A clock that was set back changes no order.
      notes.add(other.id, note("first", 9));
      notes.add(other.id, note("second", 1));
      catalogue.put({ ...one, state: "paused" });
      const kept = notes.list(one.id);
      assert.equal(kept.length, LIMITS.transferNotes);
      assert.deepEqual(kept[0], { ...note("4"), number: 4 });
      assert.equal(kept.at(-1)?.number, LIMITS.transferNotes + 3);
      assert.deepEqual(
        notes.list(other.id).map(({ text }) => text),
        ["first", "second"],
      );
      catalogue.remove(one.id);
      catalogue.put(one);
      assert.deepEqual(notes.list(one.id), []);
      assert.equal(notes.list(other.id).length, 2);
    });
  });

  test(`${name}: watches with what was shared out of each, which goes with it`, () => {
    withCatalogue(({ watches }) => {
      const watch = { id: "w1", folder: "/drop", profile: "standard" as const, createdMs: 1 };
      const share = { seen: "5 77", transfer: transferOf(1).id };
      assert.throws(() => watches.putShare(watch.id, "a", share), raises("E_STORE"));
      watches.put(watch);
      watches.putShare(watch.id, "a", share);
      watches.putShare(watch.id, "a", { ...share, seen: "6 78" });
      watches.putShare(watch.id, "b", share);
      watches.put({ ...watch, profile: "strong" });
      watches.removeShare(watch.id, "b");
      assert.deepEqual(watches.list(), [{ ...watch, profile: "strong" }]);
      assert.deepEqual([...watches.shares(watch.id)], [["a", { ...share, seen: "6 78" }]]);
      assert.equal(watches.remove(watch.id), true);
      assert.equal(watches.remove(watch.id), false);
      watches.put(watch);
      assert.deepEqual([...watches.shares(watch.id)], []);
    });
  });

  test(`${name}: values come back as JSON has them, and go`, () => {
    withCatalogue((catalogue) => {
      fc.assert(
        fc.property(anyText, fc.jsonValue(), (key, value) => {
          catalogue.putValue(key, value);
          assert.equal(JSON.stringify(catalogue.value(key)), JSON.stringify(value));
          catalogue.putValue(key, undefined);
          assert.equal(catalogue.value(key), undefined);
        }),
        { numRuns: 50 },
      );
    });
  });
}
