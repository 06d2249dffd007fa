import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { WAITS } from "@backroom/api/words.ts";
import { ERROR_TABLE } from "@backroom/core/base/errors.ts";
import { SETTING_KEYS } from "../../daemon/src/settings/setting-table.ts";
import { de } from "../src/messages/de.ts";
import { en } from "../src/messages/en.ts";

type Leaf = { readonly path: string; readonly value: unknown };

function leavesOf(value: unknown, path = ""): Leaf[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, `${path}.${key}`));
}

/** The compiler sees that nothing is missing; that it is translated it cannot see. */
test("every sentence is there in each language, and in that language", () => {
  const german = new Map(leavesOf(de).map(({ path, value }) => [path, value]));
  const same: string[] = [];
  for (const { path, value } of leavesOf(en)) {
    const other = german.get(path);
    assert.equal(typeof other, typeof value, path);
    if (typeof value === "string" && value.length > 12 && value === other) same.push(path);
  }
  assert.deepEqual(same, [".access.command"]);
});

/** Of commands, of what peers and relays say to each other and which is mended by itself, and of programs that use the API wrongly. */
const NEVER_ON_THE_PAGE = new Set([
  ..."USAGE DOCTOR SERVICE BENCODE DECODE FRAME WIRE LEASE RELAY_INFO DHT CURSOR NOT_FOUND".split(" "),
  ..."PEER_ADDRESS PEER_DATA PEER_FLOOD PEER_REFUSED PEER_TIMEOUT".split(" "),
]);

/** Would catch: an error that is new, and that somebody reads in English on a German page; a sentence for one that is gone. */
test("errors that may reach the page, and what is waited for, are said in each language", () => {
  const codes = Object.keys(ERROR_TABLE).filter((code) => !NEVER_ON_THE_PAGE.has(code.slice(2)));
  assert.deepEqual(Object.keys(de.said).sort(), [...WAITS, ...codes].sort());
  assert.deepEqual(en.said, {}, "the daemon's own sentences are English");
});

/** Would catch: a setting that is new, and that somebody reads of in English on a German page. */
test("every setting is described in each language", () => {
  assert.deepEqual(Object.keys(de.settings.described).sort(), [...SETTING_KEYS].sort());
});

test("numbers and plurals follow the language", () => {
  assert.equal(en.transfers.count(1), "1 transfer");
  assert.equal(en.transfers.count(12_000), "12,000 transfers");
  assert.equal(de.transfers.count(12_000), "12.000 Übertragungen");
});

/** Would catch: a sentence that was translated, and that nobody sees any more. */
test("every sentence is used somewhere", () => {
  const source = path.join(import.meta.dirname, "../src");
  const text = globSync("**/*.{ts,tsx}", { cwd: source, exclude: ["messages/{en,de}.ts"] })
    .map((file) => readFileSync(path.join(source, file), "utf8"))
    .join("\n");
  const isUsed = (keys: readonly string[]): boolean => {
    const [last, ...before] = keys.toReversed();
    const group = ["t", ...before.toReversed()].join(".");
    // By its name, by a name that is worked out, or as one of a list.
    return text.includes(`${group}.${last}`) || (before.length > 0 && text.includes(`${group}[`));
  };
  const unused = leavesOf(en)
    .map(({ path: place }) => place.split(".").filter((key) => /^[a-z]/i.test(key)))
    .filter((keys) => !isUsed(keys));
  assert.deepEqual(unused, [["plural"]]);
});
