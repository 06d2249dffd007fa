import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import stringWidth from "string-width";
import { cut, displayWidth } from "../../src/ui/display-width.ts";
import { factLines, tableLines, type Column } from "../../src/ui/table.ts";

interface Row {
  readonly name: string;
  readonly size: number;
}
const COLUMNS: readonly Column<Row>[] = [
  { title: "SIZE", align: "right", text: ({ size }) => String(size) },
  { title: "NAME", align: "left", text: ({ name }) => name },
];

test("a table stands in columns, also with letters that are two wide or none", () => {
  const rows = [
    { name: "写真", size: 5 },
    { name: "e\u0301te\u0301", size: 12_345 },
  ];
  assert.deepEqual(tableLines(rows, COLUMNS, { columns: undefined }), [
    " SIZE  NAME",
    "    5  写真",
    "12345  e\u0301te\u0301",
  ]);
  assert.equal(cut("写真写真", 5), "写真…");
  assert.equal(cut("写真", 4), "写真");
});

/** Would catch: a name that moves the cursor, ends its line, or turns the reading direction of what stands beside it. */
test("whatever names are, every row is one line that fits and holds nothing that a terminal obeys", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("\u001b", "\u202e", "\n", "\r", "\u009b", "a", "写") }),
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 5 }), fc.constantFrom(40, 80, 200), (names, columns) => {
      const lines = tableLines(
        names.map((one) => ({ name: one, size: 1 })),
        COLUMNS,
        { columns },
      );
      assert.equal(lines.length, names.length + 1);
      for (const line of lines) {
        assert.ok(stringWidth(line) < columns, `${stringWidth(line)} columns`);
        assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
      }
    }),
  );
});

test("a text is as wide as another library says, letters of many scripts and pictures included", () => {
  for (const text of [
    "",
    "Holiday",
    "写真",
    "한국어",
    "e\u0301",
    "नमस्ते",
    "שלום",
    "👍",
    "👩‍👩‍👧",
    "🇩🇪",
    "❤️",
    "…—“”",
  ]) {
    assert.equal(displayWidth(text), stringWidth(text), text);
  }
});

test("facts fold below themselves", () => {
  const facts = [
    ["Id", "abc"],
    ["Why", "there is nobody who has it just now"],
    ["", "more of it that is as long"],
  ] as const;
  assert.deepEqual(factLines(facts, 30), [
    "Id:  abc",
    "Why: there is nobody who has",
    "     it just now",
    "     more of it that is as",
    "     long",
  ]);
  assert.deepEqual(factLines(facts, undefined)[1], "Why: there is nobody who has it just now");
});
