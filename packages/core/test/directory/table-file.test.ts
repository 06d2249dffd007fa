import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/crypto/hash.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import { decodeTable, encodeTable } from "../../src/directory/table-file.ts";
import { PROVEN, type TableDeps } from "../../src/directory/table.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { NETWORK, seededRandom, signedInfo, tableWith } from "./fixtures.ts";

const { table, clock } = tableWith();
const deps: TableDeps = { network: NETWORK, clock, random: seededRandom(1) };
const infos = [1, 2, 3].map((n) => signedInfo({ endpoints: [{ host: `8.8.${n}.8`, port: n }] }));
for (const [n, info] of infos.entries()) table.add(info, n === 0 ? PROVEN : namedSource("a"));
table.add(infos[1] ?? signedInfo(), namedSource("b"));

decoderSuite({
  name: "table file",
  decode: (bytes) => decodeTable(bytes, deps),
  encode: (table) => encodeTable(table, NETWORK.id),
  samples: [encodeTable(table, NETWORK.id), encodeTable(tableWith().table, NETWORK.id)],
  runs: 200,
});

// The same once more behind a correct checksum, which damage would otherwise never get past.
const summed = (body: Buffer) => Buffer.concat([body, sha256(body)]);
const bodies = [table, tableWith().table].map((one) => encodeTable(one, NETWORK.id).subarray(0, -32));
decoderSuite({
  name: "table file behind its checksum",
  decode: (body) => decodeTable(summed(body), deps),
  encode: (table) => encodeTable(table, NETWORK.id).subarray(0, -32),
  samples: bodies,
  runs: 200,
});

test("a table comes back with who named whom", () => {
  // Would catch a restart that forgets the sources: then every relay would be hearsay again.
  const back = decodeTable(encodeTable(table, NETWORK.id), deps);
  const plain = ({ info, ...rest }: { info: { key: string } }) => ({ ...rest, key: info.key });
  for (const { key } of infos) {
    const [was, is] = [table.get(key), back.get(key)];
    assert.ok(was !== undefined && is !== undefined);
    const { firstSeenS, sources, proven } = was;
    assert.deepEqual({ ...plain(is), index: 0 }, { firstSeenS, sources, proven, key, index: 0 });
  }
});

test("a saved table of another network is refused, and stale infos are left out", () => {
  const bytes = encodeTable(table, NETWORK.id);
  const other = { ...deps, network: { id: 8, test: false } };
  assert.throws(() => decodeTable(bytes, other), { code: "E_OTHER_NETWORK" });
  const late = tableWith().clock;
  late.advance(25 * 3_600_000);
  assert.equal(decodeTable(bytes, { ...deps, clock: late }).size, 0);
});
