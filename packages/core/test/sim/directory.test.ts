import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { measureDirectory, runDirectory } from "../../../../scripts/sim/directory-run.ts";
import { formatTable, withTable } from "../../../../scripts/sim/report.ts";

const HOUR_MS = 3_600_000;

test("a small network, simulated twice from one seed, gives the same tables to the last byte", async () => {
  const report = async (seed: string): Promise<string> =>
    (await runDirectory(seed, [[40, 8]], HOUR_MS)).map(formatTable).join("\n");
  const first = await report("a");
  assert.equal(await report("a"), first);
  assert.notEqual(await report("b"), first);
});

test("tables fill, hold nobody that does not exist, and paths and look-ups succeed as often as relays are up", async () => {
  const figures = await measureDirectory(40, 40, "invariants", 2 * HOUR_MS);
  assert.ok(figures.entries <= figures.relays, `${figures.entries} entries of ${figures.relays} relays`);
  assert.ok((figures.known.at(-1) ?? 0) > 0.9, `${figures.known.at(-1)} of the relays that are up are known`);
  assert.ok(figures.members.anyPath >= figures.members.firstPath);
  assert.ok(figures.members.anyPath > 0.8, `${figures.members.anyPath} of circuits could be built`);
  assert.ok(figures.lookups > 0.9, `${figures.lookups} of look-ups found a gate`);
  // Three relays asked in a five-minute round, a sample and a publication each: 72 an hour, fewer where they are down.
  assert.ok(figures.questions > 30 && figures.questions < 110, `${figures.questions} questions an hour`);
});

test("each table has its place in docs/SCALING.md, and takes that of the one before it", async () => {
  const [table] = await runDirectory("place", [[10, 10]], HOUR_MS);
  assert.ok(table !== undefined);
  const page = readFileSync(new URL("../../../../docs/SCALING.md", import.meta.url), "utf8");
  for (const name of ["town", "cost", "tables", "gossip", "members", "sybil", "lookups", "intersection"]) {
    const written = withTable(page, { ...table, name }, "made so");
    assert.ok(
      written.includes(`<!-- sim: ${name} -->\n\n${formatTable(table)}\n\nmade so\n\n<!-- end -->`),
      name,
    );
    assert.equal(withTable(written, { ...table, name }, "made so"), written);
  }
  assert.throws(() => withTable(page, { ...table, name: "nowhere" }, ""), /no place/);
});
