import { BackroomError } from "@backroom/core/base/errors.ts";
import { formatRate } from "./format.ts";
import { showableLine } from "./showable.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** More than any line has; keeps numbers exact. */
const MOST = 2 ** 40;

type RateName = "down" | "up" | "relay";
export type Rates = Partial<Record<RateName, number | null>>;

/** `500k`, `2M`, `1.5 MiB/s`, `off`: bytes a second, or null for no limit. Raises E_USAGE. */
export function parseRate(text: string): number | null {
  const plain = text.trim().toLowerCase();
  if (plain === "off" || plain === "none") return null;
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?(?:\/s)?$/.exec(plain) ?? [];
  const rate = Math.round(Number(number) * (UNITS[unit] ?? 0));
  if (number === "" || (rate < 1 && Number(number) > 0) || rate > MOST) {
    throw new BackroomError("E_USAGE", `“${showableLine(text)}” is no rate`, {
      why: "a rate is a number of bytes a second, with k, M or G for 1024, 1024² or 1024³ of them; or off for no limit",
      fix: "write it like 500k, 2M or off",
    });
  }
  return rate;
}

/** `down 2M up 500k`, as words. Raises E_USAGE. */
export function parseRates(words: readonly string[]): Rates {
  const rates: Rates = {};
  for (let at = 0; at < words.length; at += 2) {
    const [name = "", rate] = words.slice(at, at + 2);
    if (name !== "down" && name !== "up" && name !== "relay") {
      throw new BackroomError("E_USAGE", `“${showableLine(name)}” is none of down, up and relay`, {
        fix: "say what is to be limited and how: down 2M up 500k relay off",
      });
    }
    if (rate === undefined) throw new BackroomError("E_USAGE", `a rate is missing after ${name}`);
    rates[name] = parseRate(rate);
  }
  return rates;
}

export function rateOrNone(rate: number | null): string {
  return rate === null ? "no limit" : formatRate(rate);
}
