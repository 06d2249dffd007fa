import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { doctorLines } from "../../src/doctor/doctor-lines.ts";

type Row = Parameters<typeof doctorLines>[0][number];

function row(check: string, status: Row["status"], found: string, more: Partial<Row> = {}): Row {
  return { check, status, found, minimum: null, recommended: null, fix: null, ...more };
}

const ROWS: readonly Row[] = [
  row("memory", "ok", "16 GiB", { minimum: "2 GiB", recommended: "6 GiB" }),
  row("link", "unknown", "too little was transferred so far to tell", {
    minimum: "15 Mbit/s",
    recommended: "35 Mbit/s",
  }),
  row("cores", "warn", "1.9, by a limit; the computer has 8", {
    minimum: "2",
    recommended: "4",
    fix: "raise the limit of the container or service",
  }),
  row("permissions", "fail", "3 of 90 files and folders are open to other users of this computer", {
    fix: "keys and links are among them: chmod -R go-rwx ~/.local/share/backroom",
  }),
  row("version", "ok", "Backroom 1.2.3"),
];
const plain = (_: string, text: string): string => text;

test("the table as it is without a terminal: a row a line, words for what is well and what is not", () => {
  assert.deepEqual(doctorLines(ROWS, { columns: undefined, paint: plain }), [
    "This computer           at least   recommended  has",
    "memory         ok       2 GiB      6 GiB        16 GiB",
    "link           unknown  15 Mbit/s  35 Mbit/s    too little was transferred so far to tell",
    "cores          warn     2          4            1.9, by a limit; the computer has 8",
    "               raise the limit of the container or service",
    "",
    "Backroom on it",
    "permissions    fail     3 of 90 files and folders are open to other users of this computer",
    "               keys and links are among them: chmod -R go-rwx ~/.local/share/backroom",
    "version        ok       Backroom 1.2.3",
  ]);
});

/** Would catch: a terminal that breaks lines in the middle of words, or a column that begins elsewhere on the next line. */
test("in a terminal no line is wider than it, and what is folded goes on in its column", () => {
  for (const columns of [60, 80, 120]) {
    const lines = doctorLines(ROWS, { columns, paint: plain });
    for (const line of lines) assert.ok(line.length < columns, `${columns}: ${line}`);
  }
  const narrow = doctorLines(ROWS, { columns: 60, paint: plain });
  const at = narrow.findIndex((line) => line.startsWith("permissions"));
  assert.match(narrow[at + 1] ?? "", /^ {24}\S/);
});

test("a colour is on the status alone, whose word says the same", () => {
  const lines = doctorLines(ROWS, { columns: 80, paint: (color, text) => `<${color}:${text}>` });
  const statuses = lines.flatMap((line) => /^[a-z]+ +(<[a-z]+:[a-z]+>)/.exec(line)?.[1] ?? []);
  assert.deepEqual(statuses, ["<green:ok>", "<dim:unknown>", "<yellow:warn>", "<red:fail>", "<green:ok>"]);
});

test("what came from elsewhere moves no cursor", () => {
  const lines = doctorLines([row("network", "ok", "“\u001b[2J”", { fix: "a\nb" })], {
    columns: 80,
    paint: plain,
  });
  const text = lines.join("\n");
  assert.equal(stripVTControlCharacters(text), text);
});
