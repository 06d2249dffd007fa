import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

/**
 * Compares this computer's clock with its neighbours' (their HELLOs). The clock is never corrected: who could move it could make old relay infos and
 * leases look new. It is only said that it is wrong. One source has one voice, however often it speaks.
 */
export interface ClockCheck {
  /** `skewMs`: the neighbour's clock minus ours (`Channel.clockSkewMs`). */
  note(source: string, skewMs: number): void;
  /** How far the others are ahead of us, in milliseconds; undefined before anybody was heard. */
  skewMs(): number | undefined;
  /** Raises E_CLOCK when the difference is more than shares tolerate. */
  assertRight(): void;
}

export function createClockCheck(): ClockCheck {
  const skews = new Map<string, number>();

  /** The median; of two middle ones the milder, so that a single liar beside a single honest neighbour raises no alarm. */
  function skewMs(): number | undefined {
    const sorted = [...skews.values()].sort((a, b) => a - b);
    const low = sorted[(sorted.length - 1) >>> 1];
    const high = sorted[sorted.length >>> 1];
    if (low === undefined || high === undefined) return undefined;
    if (Math.sign(low) !== Math.sign(high)) return 0;
    return Math.abs(low) < Math.abs(high) ? low : high;
  }

  return {
    note(source, skewMs) {
      skews.delete(source);
      if (skews.size >= LIMITS.clockSources) skews.delete(skews.keys().next().value as string);
      skews.set(source, skewMs);
    },
    skewMs,
    assertRight() {
      const skew = skewMs();
      if (skew === undefined || Math.abs(skew) <= LIMITS.clockSkewMs) return;
      const behind = skew > 0 ? "behind" : "ahead of";
      throw new BackroomError(
        "E_CLOCK",
        `this computer's clock is ${duration(Math.abs(skew))} ${behind} its neighbours'`,
      );
    },
  };
}

function duration(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 48) return `about ${Math.max(1, Math.round(hours))} h`;
  return `about ${Math.round(hours / 24)} days`;
}
