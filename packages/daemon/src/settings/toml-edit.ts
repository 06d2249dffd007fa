import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "smol-toml";

/**
 * Changes one value in a TOML text and leaves every other letter as a person wrote it: no library for TOML keeps comments when it writes. The
 * places are found by reading the text once more (`assignments`), which may be simple, because the parser has the last word: what does not read
 * as the old text with that one change is not written.
 */
export type TomlScalar = string | number | boolean;

/** A line `key = value`, the key with all the parts that its table gives it. */
interface Assignment {
  readonly key: string;
  /** The table's name, as in its `[header]`; empty before the first one. */
  readonly table: string;
  /** From 1. */
  readonly line: number;
  /** The line or, where the value goes over several, the lines: the end is behind the line break. */
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

interface Header {
  readonly table: string;
  readonly end: number;
}

/** The text with `key` set, or without it where `value` is undefined; undefined where that takes a person. */
export function editToml(text: string, key: string, value: TomlScalar | undefined): string | undefined {
  const edited = value === undefined ? without(text, key) : having(text, key, literal(value));
  const wanted = flatten(parse(text));
  if (value === undefined) wanted.delete(key);
  else wanted.set(key, value);
  try {
    return isDeepStrictEqual(flatten(parse(edited)), wanted) ? edited : undefined;
  } catch {
    // The parser refuses what came out, such as a table that stands there twice.
    return undefined;
  }
}

/** Every value with its whole key, in the order of the text; lists and dates are values. */
export function flatten(table: Readonly<Record<string, unknown>>, prefix = ""): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, value] of Object.entries(table)) {
    const key = prefix === "" ? name : `${prefix}.${name}`;
    if (isTable(value)) for (const [inner, one] of flatten(value, key)) found.set(inner, one);
    else found.set(key, value);
  }
  return found;
}

/** The assignments of a text that the parser has taken. */
export function assignments(text: string): Assignment[] {
  return scan(text).found;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function literal(value: TomlScalar): string {
  return stringify({ value })
    .trim()
    .replace(/^value = /, "");
}

function having(text: string, key: string, written: string): string {
  const { found, headers } = scan(text);
  const there = found.find((one) => one.key === key);
  if (there !== undefined) return text.slice(0, there.valueStart) + written + text.slice(there.valueEnd);

  const lineBreak = text.includes("\r\n") ? "\r\n" : "\n";
  const dot = key.lastIndexOf(".");
  const table = key.slice(0, dot);
  const header = headers.find((one) => one.table === table);
  const siblings = found.filter((one) => one.key.startsWith(`${table}.`));
  if (header !== undefined) {
    const last = siblings.findLast((one) => one.table === table);
    return insertLine(text, last?.end ?? header.end, `${key.slice(dot + 1)} = ${written}`, lineBreak);
  }
  // A table that exists through `table.key = …` must not get a header as well.
  const dotted = siblings.findLast((one) => one.table === "");
  if (dotted !== undefined) return insertLine(text, dotted.end, `${key} = ${written}`, lineBreak);
  const before = text.trim() === "" ? text : insertLine(text, text.length, "", lineBreak);
  return `${before}[${table}]${lineBreak}${key.slice(dot + 1)} = ${written}${lineBreak}`;
}

function without(text: string, key: string): string {
  const there = scan(text).found.find((one) => one.key === key);
  return there === undefined ? text : text.slice(0, there.start) + text.slice(there.end);
}

function insertLine(text: string, at: number, line: string, lineBreak: string): string {
  const before = text.slice(0, at);
  const ended = before === "" || before.endsWith("\n") ? before : before + lineBreak;
  return `${ended}${line}${lineBreak}${text.slice(at)}`;
}

function scan(text: string): { readonly found: Assignment[]; readonly headers: Header[] } {
  const found: Assignment[] = [];
  const headers: Header[] = [];
  let table = "";
  let at = text.startsWith("\u{feff}") ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = at;
    at = skip(text, at, /[ \t]*/y);
    const first = text[at];
    if (first === "[") {
      const isList = text[at + 1] === "[";
      const key = readKey(text, at + (isList ? 2 : 1));
      // What stands in a list of tables is no setting's place; no key has such a letter in it.
      table = isList ? `${key.name}[]` : key.name;
      at = endOfLine(text, key.end);
      headers.push({ table, end: at });
    } else if (first === undefined || first === "#" || first === "\n" || first === "\r") {
      at = endOfLine(text, at);
    } else {
      const key = readKey(text, at);
      const valueStart = skip(text, skip(text, key.end, /[ \t]*=/y), /[ \t]*/y);
      const valueEnd = endOfValue(text, valueStart);
      at = endOfLine(text, valueEnd);
      const name = table === "" ? key.name : `${table}.${key.name}`;
      found.push({ key: name, table, line, start, end: at, valueStart, valueEnd });
    }
    line += text.slice(start, at).split("\n").length - 1;
  }
  return { found, headers };
}

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** Behind the line break, or at the end of the text. */
function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end + 1;
}

/** Bare and quoted parts with dots between them. */
function readKey(text: string, from: number): { readonly name: string; readonly end: number } {
  const parts: string[] = [];
  let at = from;
  for (;;) {
    at = skip(text, at, /[ \t]*/y);
    const end = endOfString(text, at) ?? skip(text, at, /[A-Za-z0-9_-]*/y);
    const part = text.slice(at, end);
    parts.push(/^["']/.test(part) ? (parse(`value = ${part}`)["value"] as string) : part);
    at = skip(text, end, /[ \t]*/y);
    if (text[at] !== ".") return { name: parts.join("."), end: at };
    at++;
  }
}

/** Behind the string that begins here, or undefined where none does. */
function endOfString(text: string, at: number): number | undefined {
  const quote = /"""|'''|"|'/y;
  quote.lastIndex = at;
  const open = quote.exec(text)?.[0];
  if (open === undefined) return undefined;
  let end = at + open.length;
  while (end < text.length) {
    if (open.startsWith('"') && text[end] === "\\") end += 2;
    else if (text.startsWith(open, end)) {
      end += open.length;
      // The last quotes of such a string may be content: up to two more.
      while (open.length === 3 && text[end] === open[0]) end++;
      return end;
    } else end++;
  }
  return end;
}

/** Behind a value: what is in brackets may go over lines and hold comments. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const letter = text[at] as string;
    const end = endOfString(text, at);
    if (end !== undefined) at = end;
    else if (letter === "[" || letter === "{") depth++;
    else if (letter === "]" || letter === "}") depth--;
    else if (depth === 0 && /[#\r\n]/.test(letter)) break;
    else if (letter === "#") at = endOfLine(text, at) - 1;
    if (end === undefined) at++;
  }
  return from + text.slice(from, at).trimEnd().length;
}
