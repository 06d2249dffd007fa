import { BackroomError } from "@backroom/core/base/errors.ts";
import { showableLine } from "./showable.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export interface Hours {
  readonly fromHour: number;
  readonly toHour: number;
}

/** `mon-fri`, `sat,sun`, `fri-mon`, `daily`: numbers of days, Monday 0, in order. Raises E_USAGE. */
export function parseDays(text: string): number[] {
  if (text.toLowerCase() === "daily") return DAYS.map((_, day) => day);
  const days = new Set<number>();
  for (const part of text.toLowerCase().split(",")) {
    const [from = "", to = from] = part.split("-");
    const [first, last] = [from, to].map((name) => DAYS.findIndex((day) => day === name.slice(0, 3))) as [
      number,
      number,
    ];
    if (first < 0 || last < 0 || part.split("-").length > 2) throw noDays(text);
    for (let day = first; ; day = (day + 1) % DAYS.length) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].toSorted((a, b) => a - b);
}

/** `9-17`, `22-6`, `0-24`: full hours, past midnight where the second is not greater. Raises E_USAGE. */
export function parseHours(text: string): Hours {
  const [, from = "", to = ""] = /^(\d{1,2})-(\d{1,2})$/.exec(text) ?? [];
  const hours = { fromHour: Number(from), toHour: Number(to) };
  if (from === "" || hours.fromHour > 23 || hours.toHour > 24) {
    throw new BackroomError("E_USAGE", `“${showableLine(text)}” is no span of hours`, {
      why: "it is two full hours with - between them, the first from 0 to 23, the second from 0 to 24",
      fix: "write it like 9-17, or 22-6 for past midnight",
    });
  }
  return hours;
}

/** As `parseDays` takes it: days that follow each other as a span. */
export function formatDays(days: readonly number[]): string {
  if (days.length === DAYS.length) return "daily";
  const spans: [number, number][] = [];
  for (const day of days) {
    const last = spans.at(-1);
    if (last !== undefined && last[1] === day - 1) last[1] = day;
    else spans.push([day, day]);
  }
  return spans
    .map(([first, last]) => (first === last ? DAYS[first] : `${DAYS[first]}-${DAYS[last]}`))
    .join(",");
}

function noDays(text: string): BackroomError {
  return new BackroomError("E_USAGE", `“${showableLine(text)}” names no days`, {
    why: `days are ${DAYS.join(", ")}, with - for a span and commas between; or daily`,
    fix: "write it like mon-fri, or sat,sun",
  });
}
