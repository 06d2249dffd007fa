import type { Limits, ScheduleRule } from "@backroom/api/schemas/daemon.ts";

/** An hour of the week where this computer is. */
export interface LocalHour {
  /** 0 is Monday. */
  readonly day: number;
  readonly hour: number;
}

/** By this computer's time zone. Where the clocks are put back an hour comes twice, where they are put forward one is left out: rules go by what a clock on the wall shows. */
export function localHour(nowMs: number): LocalHour {
  const now = new Date(nowMs);
  return { day: dayBefore(now.getDay()), hour: now.getHours() };
}

/** What holds in that hour: what the first rule that fits names, and the limits of always for the rest. */
export function limitsAt(
  { day, hour }: LocalHour,
  schedule: readonly ScheduleRule[],
  always: Limits,
): Limits {
  const { downloadRate, uploadRate, relayRate } =
    schedule.find((rule) => fits(rule, { day, hour }))?.limits ?? {};
  return {
    downloadRate: downloadRate === undefined ? always.downloadRate : downloadRate,
    uploadRate: uploadRate === undefined ? always.uploadRate : uploadRate,
    relayRate: relayRate === undefined ? always.relayRate : relayRate,
  };
}

function fits({ days, fromHour, toHour }: ScheduleRule, { day, hour }: LocalHour): boolean {
  const begins = days.includes(day) && hour >= fromHour;
  if (toHour > fromHour) return begins && hour < toHour;
  // It goes on past midnight: then the day that counts is that on which it began.
  return begins || (days.includes(dayBefore(day)) && hour < toHour);
}

function dayBefore(day: number): number {
  return (day + 6) % 7;
}
