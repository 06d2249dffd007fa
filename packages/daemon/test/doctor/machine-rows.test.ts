import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { formatGiB } from "../../src/doctor/amounts.ts";
import { machineChecks } from "../../src/doctor/examine.ts";
import type { LinkRates } from "../../src/doctor/link-meter.ts";
import { coresRow, diskRow, linkRow, memoryRow } from "../../src/doctor/machine-rows.ts";
import type { DoctorRow, DoctorStatus } from "../../src/doctor/rows.ts";
import { THRESHOLDS } from "../../src/doctor/thresholds.ts";
import { fakeMachine, GiB, type FakeMachine } from "./fake-machine.ts";

const MBIT = 1e6 / 8;

async function looked(machine: FakeMachine, link?: LinkRates): Promise<Map<string, DoctorRow>> {
  const rows = await Promise.all(machineChecks(fakeMachine(machine), "/", link));
  return new Map(rows.map((row) => [row.check, row]));
}

/** Would catch: any threshold that is another than what the product promises, and a boundary on the wrong side. */
const COMPUTERS: readonly (readonly [check: string, FakeMachine, DoctorStatus, found: string])[] = [
  ["memory", { totalBytes: 1.5 * GiB }, "fail", "1.5 GiB"],
  ["memory", { totalBytes: 2 * GiB }, "warn", "2 GiB"],
  ["memory", { totalBytes: 3.9 * GiB }, "warn", "3.9 GiB"],
  ["memory", { totalBytes: 4 * GiB }, "warn", "4 GiB"],
  ["memory", { totalBytes: Math.ceil(0.9 * 6 * GiB) - 1 }, "warn", "5.3 GiB"],
  ["memory", { totalBytes: Math.ceil(0.9 * 6 * GiB) }, "ok", "5.4 GiB"],
  ["memory", { totalBytes: 6 * GiB }, "ok", "6 GiB"],
  ["memory", { totalBytes: 64 * GiB, limitBytes: GiB }, "fail", "1 GiB, by a limit; the computer has 64 GiB"],
  [
    "memory",
    { totalBytes: 64 * GiB, limitBytes: 6 * GiB },
    "ok",
    "6 GiB, by a limit; the computer has 64 GiB",
  ],
  ["memory", { totalBytes: 8 * GiB, limitBytes: 64 * GiB }, "ok", "8 GiB"],
  ["cores", { physical: 1 }, "fail", "1"],
  ["cores", { physical: 2 }, "warn", "2"],
  ["cores", { physical: 3 }, "warn", "3"],
  ["cores", { physical: 4 }, "ok", "4"],
  ["cores", { physical: 8, coreLimit: 1.96 }, "fail", "1.9, by a limit; the computer has 8"],
  ["cores", { physical: 8, coreLimit: 2 }, "warn", "2, by a limit; the computer has 8"],
  ["cores", { physical: 8, coreLimit: 16 }, "ok", "8"],
  ["cores", { physical: undefined, coreLimit: 1 }, "fail", "1, by a limit"],
  ["cores", { physical: undefined }, "unknown", "the system does not say"],
  ["free disk", { freeBytes: 0 }, "fail", "0 GB"],
  ["free disk", { freeBytes: 25e9 - 1 }, "fail", "24.9 GB"],
  ["free disk", { freeBytes: 25e9 }, "warn", "25 GB"],
  ["free disk", { freeBytes: 250e9 - 1 }, "warn", "249 GB"],
  ["free disk", { freeBytes: 250e9 }, "ok", "250 GB"],
  ["free disk", { freeBytes: 4e12 }, "ok", "4 TB"],
  ["free disk", { freeBytes: undefined }, "unknown", "the system does not say"],
];

for (const [check, machine, status, found] of COMPUTERS) {
  test(`${check}: ${found} is ${status}`, async () => {
    const row = (await looked(machine)).get(check);
    assert.deepEqual([row?.status, row?.found], [status, found]);
    // Whoever has a problem reads what to do about it, and nobody else is told anything.
    assert.equal(row?.fix === null, status === "ok" || status === "unknown");
  });
}

const LINKS: readonly (readonly [LinkRates | undefined, DoctorStatus])[] = [
  [undefined, "unknown"],
  [{ download: 1 * MBIT, upload: 0 }, "warn"],
  [{ download: 15 * MBIT, upload: 1 * MBIT }, "warn"],
  [{ download: 34.9 * MBIT, upload: 34.9 * MBIT }, "warn"],
  [{ download: 35 * MBIT, upload: 1 * MBIT }, "ok"],
  [{ download: 1 * MBIT, upload: 35 * MBIT }, "ok"],
];

for (const [link, status] of LINKS) {
  test(`a link of ${link === undefined ? "unknown speed" : `${link.download / MBIT} Mbit/s down`} is ${status}`, async () => {
    assert.equal((await looked({}, link)).get("link")?.status, status);
  });
}

test("of a line that carried one way alone nothing is said of the other", () => {
  const found = (download: number, upload: number): string =>
    linkRow({ download: download * MBIT, upload: upload * MBIT }).found;
  assert.equal(found(40, 20), "40 Mbit/s down, 20 Mbit/s up at best, of own transfers");
  assert.equal(found(0, 20), "20 Mbit/s up at best, of own transfers");
});

test("every row says what the least is and what is recommended, as the README does", async () => {
  const rows = await looked({});
  const wanted = {
    memory: "2 GiB/6 GiB",
    cores: "2/4",
    "free disk": "25 GB/250 GB",
    link: "15 Mbit/s/35 Mbit/s",
  };
  for (const [check, limits] of Object.entries(wanted)) {
    const row = rows.get(check);
    assert.equal(`${row?.minimum}/${row?.recommended}`, limits);
  }
});

test("the README says the same numbers", async () => {
  const readme = await readFile(new URL("../../../../README.md", import.meta.url), "utf8");
  const { memory } = THRESHOLDS;
  const names: Record<string, string> = {
    cores: "physical cores (hyper-threads do not count)",
    link: "line",
  };
  for (const { check, minimum, recommended } of (await looked({})).values()) {
    const least = check === "memory" ? `${minimum}; up to ${formatGiB(memory.risky)} it asks.*` : minimum;
    const name = (names[check] ?? check).replaceAll(/[()]/g, String.raw`\$&`);
    assert.match(readme, new RegExp(`^\\| ${name} \\| ${least} \\| ${recommended} \\|$`, "m"), check);
  }
});

const ORDER: readonly DoctorStatus[] = ["fail", "warn", "ok"];
const amount = fc.double({ min: 0, max: 1e13, noNaN: true });
const few = fc.double({ min: 0, max: 128, noNaN: true });
const better = (before: DoctorRow, after: DoctorRow): void => {
  assert.ok(ORDER.indexOf(after.status) >= ORDER.indexOf(before.status), `${before.found} → ${after.found}`);
};

test("more is never worse, whatever there is more of", () => {
  fc.assert(
    fc.property(amount, amount, amount, few, few, few, (a, b, more, cores, limit, moreCores) => {
      better(
        memoryRow({ totalBytes: a, limitBytes: b }),
        memoryRow({ totalBytes: a + more, limitBytes: b + more }),
      );
      better(
        memoryRow({ totalBytes: a, limitBytes: b }),
        memoryRow({ totalBytes: a, limitBytes: undefined }),
      );
      better(
        coresRow({ physical: cores, limit }),
        coresRow({ physical: cores + moreCores, limit: limit + moreCores }),
      );
      better(coresRow({ physical: cores, limit }), coresRow({ physical: cores, limit: undefined }));
      better(diskRow({ freeBytes: a }), diskRow({ freeBytes: a + more }));
      better(linkRow({ download: a, upload: b }), linkRow({ download: a + more, upload: b + more }));
    }),
  );
});
