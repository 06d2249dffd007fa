import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { checkOutputPath, OutputPathSet } from "../../src/pack/output-path.ts";

const isUnsafe = (error: unknown): boolean => isBackroomError(error, "E_UNSAFE_PATH");
const refused = (path: string): void =>
  assert.throws(() => checkOutputPath(path, "linux"), isUnsafe, JSON.stringify(path));

test("paths that lead out of the folder are refused, on every system's terms", () => {
  const escapes = [
    "",
    "/",
    "//",
    "..",
    ".",
    "../a",
    "a/..",
    "a/../../b",
    "a/./b",
    "./a",
    "/a",
    "//server/share",
    "a//b",
    "a//",
  ];
  const windows = [
    "C:",
    "C:/a",
    "c:a",
    "a/C:/b",
    "\\a",
    "\\\\server\\share",
    "..\\a",
    "a\\..\\b",
    "\\\\?\\C:\\a",
    "a:stream",
    "a::$DATA",
  ];
  for (const path of [...escapes, ...windows]) refused(path);
});

test("names of Windows devices are refused, with any case, ending and padding; names that only look like them are not", () => {
  for (const path of [
    "con",
    "CON",
    "a/Nul.txt",
    "aux.tar.gz",
    "prn ",
    "com1",
    "COM¹.log",
    "lpt9/x",
    "conin$",
    "CONOUT$.a",
    "nul .txt",
  ]) {
    refused(path);
  }
  for (const path of ["console", "con1", "com", "com10", "auxiliary.c", "x.con", "null", "lptx", "nu/l"]) {
    assert.deepEqual(checkOutputPath(path, "linux"), path.split("/"));
  }
});

test("names that Windows shortens are refused", () => {
  for (const path of ["a.", "a ", "a./b", "a /b", "...", "a. .", "b/ "]) refused(path);
  for (const path of [".a", " a", "a.b", ".config/x", "..a", "a..b"])
    assert.ok(checkOutputPath(path, "linux"));
});

test("names that hide what they are are refused: control, reading direction, line ends, invisible, half a character", () => {
  for (const letter of [
    "\0",
    "\n",
    "\u001B",
    "\u007F",
    "\u0085",
    "\u200E",
    "\u061C",
    "\u202E",
    "\u2066",
    "\u2028",
    "\u2029",
    "\uD800",
  ]) {
    refused(`invoice${letter}gpj.exe`);
  }
  for (const path of ["\u200B", "a/\u00AD", "\uFEFF", "\u3164", "\u3000"]) refused(path);
  for (const path of ["Zoë – 写真 (1).jpg", "שלום.txt", "👨‍👩‍👧.png", "a'b&c;d$(e)`", "-rf", "~", "%2e%2e"]) {
    assert.deepEqual(checkOutputPath(path, "linux"), [path]);
  }
});

test("what only Windows cannot store is refused there and nowhere else", () => {
  for (const path of ["Why?.txt", "a*", 'say "x"', "<a>", "a|b"]) {
    assert.ok(checkOutputPath(path, "linux"));
    assert.throws(() => checkOutputPath(path, "win32"), isUnsafe);
  }
});

test("length is counted in bytes, of a name and of a path, and depth is bounded", () => {
  assert.ok(checkOutputPath("é".repeat(127), "linux"));
  refused("é".repeat(128));
  assert.ok(checkOutputPath(Array(LIMITS.pathDepth).fill("a").join("/"), "linux"));
  refused(
    Array(LIMITS.pathDepth + 1)
      .fill("a")
      .join("/"),
  );
  refused(Array(20).fill("b".repeat(250)).join("/"));
});

test("one slash may end a directory's path, and changes nothing", () => {
  assert.deepEqual(checkOutputPath("a/b/", "linux"), ["a", "b"]);
});

test("any text either is refused with our error or stays inside, component by component", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."./\\:ab \n\u202E") }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const components = checkOutputPath(text, "linux");
        assert.equal(components.join("/"), text.replace(/\/$/, ""));
        assert.ok(components.every((name) => !/^(|\.|\.\.)$|[\\/:\0]/.test(name)));
      } catch (error) {
        assert.ok(isUnsafe(error), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

/** Pairs that some system takes for one file. */
const COLLISIONS = [
  ["README", "readme"],
  ["a", "a/"],
  ["dir/x", "DIR/x"],
  ["caf\u00E9", "cafe\u0301"],
  ["CAF\u00C9", "cafe\u0301"],
  ["straße", "STRASSE"],
  ["ΣΑΣ", "σας"],
  ["\u212A", "k"],
  ["ﬁle", "FILE"],
  ["a\u200Db", "ab"],
  ["same", "same"],
] as const;
const DISTINCT = ["a", "b", "ab", "a/b", "a b", "á", "а", "a.b", "a-b", "e", "é", "ss", "s"];

test("names that are one file on some system collide: case, accents, ligatures, invisible letters, file and folder", () => {
  for (const [first, second] of COLLISIONS) {
    for (const [one, two] of [
      [first, second],
      [second, first],
    ] as const) {
      const paths = new OutputPathSet(systemRandom);
      paths.add(one);
      assert.throws(() => paths.add(two), isUnsafe, `${one} and ${two}`);
    }
  }
});

test("names that differ everywhere do not collide", () => {
  const paths = new OutputPathSet(systemRandom);
  for (const path of DISTINCT) assert.deepEqual(paths.add(path), path.split("/"));
});

test("case and normalization never tell two paths apart", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), (name) => {
      const twins = [name.toUpperCase(), name.toLowerCase(), name.normalize("NFD"), name.normalize("NFC")];
      for (const twin of twins) {
        const paths = new OutputPathSet(systemRandom);
        try {
          paths.add(name);
        } catch {
          return;
        }
        assert.throws(() => paths.add(twin), isUnsafe, twin);
      }
    }),
    { numRuns: 300 },
  );
});

test("many paths take little memory, and the collision in them is still found", () => {
  const paths = new OutputPathSet(systemRandom);
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  const count = 200_000;
  for (let n = 0; n < count; n++) paths.add(`Folder ${n % 100}/File ${n}`);
  assert.throws(() => paths.add("folder 99/file 199999"), isUnsafe);
  const taken = process.memoryUsage().arrayBuffers - before;
  assert.ok(taken < 64 * count, `${taken} bytes`);
});
