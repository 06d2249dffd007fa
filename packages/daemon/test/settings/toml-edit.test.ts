import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { assignments, editToml, flatten, type TomlScalar } from "../../src/settings/toml-edit.ts";

const WRITTEN = `# mine
title = "x" # [page]
"odd key".'a.b' = 1

[page]   # the page
  port = 8080        # not 80
hosts = """
port = 1
""" # over lines
list = [ # a list
  "]", # with a bracket
  [1, 2],
]
when = 1979-05-27 07:32:00
point = { x = 1, y = "}" }

[other]
port = 2
[[rules]]
port = 3
[page.deep]
port = 4
`;

/** Would catch: a comment, a space or a neighbour lost, and a port changed that stands in a text or another table. */
test("one value changes, and every other letter stays", () => {
  assert.equal(editToml(WRITTEN, "page.port", 9), WRITTEN.replace("8080 ", "9 "));
  assert.equal(editToml(WRITTEN, "page.hosts", "a"), WRITTEN.replace('"""\nport = 1\n"""', '"a"'));
  assert.equal(editToml(WRITTEN, "page.deep.port", true), WRITTEN.replace("port = 4", "port = true"));
  assert.equal(editToml(WRITTEN, "title", 'q"\\'), WRITTEN.replace('"x"', String.raw`"q\"\\"`));
});

test("a new key goes behind the last one of its table, or into a new table at the end", () => {
  const point = 'point = { x = 1, y = "}" }\n';
  assert.equal(editToml(WRITTEN, "page.enabled", false), WRITTEN.replace(point, `${point}enabled = false\n`));
  assert.equal(editToml(WRITTEN, "log.level", "info"), `${WRITTEN}\n[log]\nlevel = "info"\n`);
  assert.equal(editToml("", "log.level", "info"), '[log]\nlevel = "info"\n');
  assert.equal(editToml("a = 1", "log.level", "info"), 'a = 1\n\n[log]\nlevel = "info"\n');
  assert.equal(editToml("[log]", "log.level", "info"), '[log]\nlevel = "info"\n');
  assert.equal(editToml("page.port = 1\nx = 2", "page.host", "h"), 'page.port = 1\npage.host = "h"\nx = 2');
  assert.equal(editToml("[page.deep]\nx = 1\n", "page.port", 1), "[page.deep]\nx = 1\n\n[page]\nport = 1\n");
});

test("taking a key out takes its line, however many that are, and nothing else", () => {
  assert.equal(editToml(WRITTEN, "page.port", undefined), WRITTEN.replace(/ {2}port = 8080.*\n/, ""));
  assert.equal(
    editToml(WRITTEN, "page.hosts", undefined),
    WRITTEN.replace('hosts = """\nport = 1\n""" # over lines\n', ""),
  );
  assert.equal(editToml(WRITTEN, "page.absent", undefined), WRITTEN);
  assert.equal(editToml("a.b = 1", "a.b", undefined), "");
});

test("Windows' line breaks and a byte order mark stay", () => {
  assert.equal(
    editToml("\u{feff}[page]\r\nport = 1 # c\r\n", "page.host", "h"),
    '\u{feff}[page]\r\nport = 1 # c\r\nhost = "h"\r\n',
  );
  assert.equal(editToml("\u{feff}[page]\r\nport = 1\r\n", "page.port", 2), "\u{feff}[page]\r\nport = 2\r\n");
});

/** Would catch: a table in one line that gets a second definition, after which nothing reads the file any more. */
test("what it cannot edit safely it does not edit", () => {
  assert.equal(editToml("page = { port = 1 }", "page.port", 2), undefined);
  assert.equal(editToml("page = { port = 1 }", "page.host", "h"), undefined);
  assert.equal(editToml("[[page]]\nport = 1\n", "page.port", 2), undefined);
  assert.equal(editToml("page = 1", "page.port", 2), undefined);
});

test("lines are counted as an editor counts them", () => {
  const lines = new Map(assignments(WRITTEN).map(({ key, line }) => [key, line]));
  for (const [key, start] of [
    ["title", "title"],
    ["page.port", "  port = 8080"],
    ["page.list", "list"],
    ["other.port", "port = 2"],
    ["page.deep.port", "port = 4"],
  ] as const) {
    const line = lines.get(key) ?? 0;
    assert.ok(WRITTEN.split("\n")[line - 1]?.startsWith(start), `${key}: ${line}`);
  }
});

const SECTIONS = ["page", "log", "page.deep"];
const NAMES = ["port", "host", "level"];
const scalar = fc.oneof(fc.boolean(), fc.integer(), fc.string({ unit: "grapheme" }));
const comment = fc.string({ unit: fc.constantFrom(..."#[]{}\"'=., abc") }).map((text) => `#${text}`);
const value = fc.oneof(
  scalar.map((one) => JSON.stringify(one)),
  fc.constantFrom(
    '"""\na = "b"\n"""',
    "'''\n[page]\n'''",
    '""""quoted""""',
    "[1, # ]\n 2]",
    '{ a = "#" }',
    "07:32:00",
  ),
);
const indent = fc.constantFrom("", "  ", "\t");

/** TOML as people write it: tables in any order, comments everywhere, values of all kinds; what the parser refuses is left out. */
const document = fc
  .array(
    fc.record({
      header: fc.option(fc.constantFrom(...SECTIONS), { nil: undefined }),
      lines: fc.array(fc.tuple(fc.constantFrom(...NAMES), value, indent, fc.option(comment)), {
        maxLength: 3,
      }),
      before: fc.array(comment, { maxLength: 2 }),
    }),
    { maxLength: 4 },
  )
  .map((blocks) =>
    blocks
      .flatMap(({ header, lines, before }) => [
        ...before,
        ...(header === undefined ? [] : [`[ ${header} ]`]),
        ...lines.map(
          ([name, text, lead, note]) => `${lead}${name} = ${text}${note === null ? "" : ` ${note}`}`,
        ),
      ])
      .join("\n"),
  )
  .filter((text) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  });

test("whatever the file: a change changes that key alone, keeps each comment, and undoing it brings the values back", () => {
  fc.assert(
    fc.property(
      document,
      fc.constantFrom(...SECTIONS),
      fc.constantFrom(...NAMES),
      scalar,
      (text, table, name, wanted) => {
        const key = `${table}.${name}`;
        const before = flatten(parse(text));
        const edited = editToml(text, key, wanted);
        assert.ok(edited !== undefined || /\{/.test(text));
        if (edited === undefined) return;
        assert.deepEqual(flatten(parse(edited)), new Map<string, unknown>([...before, [key, wanted]]));
        const comments = text.split("\n").filter((line) => line.startsWith("#"));
        for (const line of comments) assert.ok(edited.split("\n").includes(line), line);
        const undone = editToml(edited, key, before.get(key) as TomlScalar | undefined);
        if (isScalar(before.get(key))) assert.deepEqual(flatten(parse(undone ?? "")), before);
      },
    ),
    { numRuns: 300 },
  );
});

function isScalar(value: unknown): boolean {
  return value === undefined || ["string", "number", "boolean"].includes(typeof value);
}
