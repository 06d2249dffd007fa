import type { Answer } from "@backroom/api/routes.ts";

type Rule = Answer<"limits">["schedule"][number];

export const DAYS = 7;
export const HOURS = 24;

/** The hours of a week for which some rule holds, by `24 · day + hour`. Rules past midnight go on into the next day. */
export function cellsOf(rules: readonly Pick<Rule, "days" | "fromHour" | "toHour">[]): ReadonlySet<number> {
  const cells = new Set<number>();
  for (const { days, fromHour, toHour } of rules) {
    const length = toHour > fromHour ? toHour - fromHour : toHour + HOURS - fromHour;
    for (const day of days) {
      for (let hour = 0; hour < length; hour++) cells.add((HOURS * day + fromHour + hour) % (DAYS * HOURS));
    }
  }
  return cells;
}

/** The fewest rules that hold in exactly those hours: one for each stretch of a day, days with the same stretch together. */
export function rulesOf(cells: ReadonlySet<number>, limits: Rule["limits"]): Rule[] {
  const byStretch = new Map<string, { fromHour: number; toHour: number; days: number[] }>();
  for (let day = 0; day < DAYS; day++) {
    for (let hour = 0; hour < HOURS; hour++) {
      if (!cells.has(HOURS * day + hour)) continue;
      const fromHour = hour;
      while (hour + 1 < HOURS && cells.has(HOURS * day + hour + 1)) hour++;
      const stretch = { fromHour, toHour: hour + 1, days: [] };
      const name = `${fromHour} ${hour + 1}`;
      const rule = byStretch.get(name) ?? stretch;
      rule.days.push(day);
      byStretch.set(name, rule);
    }
  }
  return [...byStretch.values()].map((rule) => ({ ...rule, limits }));
}
