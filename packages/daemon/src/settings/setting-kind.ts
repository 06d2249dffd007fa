import path from "node:path";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { ipBytes } from "@backroom/core/base/ip-address.ts";
import { formatProxy, parseProxy } from "@backroom/core/net/proxy.ts";

/** What a setting's value may be. `undefined` from either way in means that it does not fit. */
export interface SettingKind<T> {
  /** What fits, as the end of the sentence “it is …”. */
  readonly expects: string;
  /** From the file or a request, where numbers and truths have a type of their own. */
  fromValue(value: unknown): T | undefined;
  /** From the environment or a command line, where all is text. */
  fromText(text: string): T | undefined;
}

const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["on", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["off", false],
  ["no", false],
  ["0", false],
]);

export const truth: SettingKind<boolean> = {
  expects: "true or false",
  fromValue: (value) => (typeof value === "boolean" ? value : undefined),
  fromText: (text) => TRUTHS.get(text.toLowerCase()),
};

export function wholeNumber(least: number, most: number): SettingKind<number> {
  const fromValue = (value: unknown): number | undefined =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most
      ? value
      : undefined;
  return {
    expects: `a whole number from ${least} to ${most}`,
    fromValue,
    fromText: (text) => (/^\d+$/.test(text) ? fromValue(Number(text)) : undefined),
  };
}

export const port = wholeNumber(0, 65_535);

export function oneOf<const T extends string>(...words: readonly T[]): SettingKind<T> {
  const find = (value: unknown): T | undefined => words.find((word) => word === value);
  return { expects: `one of ${words.join(", ")}`, fromValue: find, fromText: find };
}

function text(expects: string, read: (value: string) => string | undefined): SettingKind<string> {
  return {
    expects,
    fromValue: (value) => (typeof value === "string" ? read(value) : undefined),
    fromText: read,
  };
}

/** `~/` is the home folder, as in a shell, since nobody expands it in a file. */
export function filePath(home: string): SettingKind<string> {
  return text("an absolute path, or one that begins with ~/", (value) => {
    const whole = value === "~" || /^~[/\\]/.test(value) ? path.join(home, value.slice(1)) : value;
    return path.isAbsolute(whole) && whole.length <= 4096 && !whole.includes("\0") ? whole : undefined;
  });
}

export const ipAddress = text("an IP address of this computer", (value) =>
  ipBytes(value) === undefined ? undefined : value,
);

export const ipAddresses = text("IP addresses with commas between them, or nothing", (value) => {
  const all = value.split(",").map((one) => one.trim());
  return value.trim() === "" || all.every((one) => ipBytes(one) !== undefined) ? all.join(",") : undefined;
});

/** As in a browser's address line, without the `http://`. */
export const hostNames = text(
  "host names with commas between them, each perhaps with a port, or nothing",
  (value) => (/^([a-z0-9.[\]:-]+(\s*,\s*[a-z0-9.[\]:-]+)*)?$/i.test(value.trim()) ? value.trim() : undefined),
);

export const proxyUrl = text("socks5://address:port, such as socks5://127.0.0.1:9050", (value) => {
  try {
    return formatProxy(parseProxy(value));
  } catch (error) {
    if (isBackroomError(error, "E_PROXY")) return undefined;
    throw error;
  }
});

/** Null where there is none: `none` as text; in the file the line is left out. */
export function orNone<T>(kind: SettingKind<T>): SettingKind<T | null> {
  return {
    expects: `${kind.expects}; or none`,
    fromValue: (value) => kind.fromValue(value),
    fromText: (value) => (value === "none" ? null : kind.fromText(value)),
  };
}
