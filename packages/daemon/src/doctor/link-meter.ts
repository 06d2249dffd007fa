import { z } from "zod";
import type { Clock } from "@backroom/core/base/clock.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { TransferTotals } from "../context.ts";

/** The most that own transfers reached within the last month, in bytes a second. */
export interface LinkRates {
  readonly download: number;
  readonly upload: number;
}

export interface LinkMeter {
  /** Undefined while too little was transferred to tell. */
  rates(): LinkRates | undefined;
  close(): void;
}

interface LinkMeterDeps {
  readonly catalogue: Pick<Catalogue, "value" | "putValue">;
  readonly clock: Clock;
  totals(): Pick<TransferTotals, "downloadedBytes" | "uploadedBytes">;
}

const VALUE = "link-rates";
const DAY_MS = 24 * 3600 * 1000;
/** A line that was replaced by a slower one is forgotten after as many days. */
const DAYS = 30;
/** Long enough that what a buffer swallows at once does not count as a rate. */
const SAMPLE_MS = 10_000;
/** Ten seconds of the recommended line are 44 MB; what is less says nothing of a line that is faster. */
const TELLING_BYTES = 100e6;
/** A best that is hardly better is not worth writing down. */
const WORTH = 1.05;

const Day = z.object({
  day: z.int(),
  download: z.number().nonnegative(),
  upload: z.number().nonnegative(),
  bytes: z.number().nonnegative(),
});
type Day = z.infer<typeof Day>;

/**
 * Watches what the own transfers reach, in the bytes that they moved. Nothing is sent to measure, and nobody is asked: how fast somebody's line is would
 * be one more mark to know them by.
 */
export function createLinkMeter(deps: LinkMeterDeps): LinkMeter {
  const { catalogue, clock } = deps;
  const parsed = z.array(Day).max(DAYS).safeParse(catalogue.value(VALUE));
  // Damaged or of another version: measured anew.
  let days: readonly Day[] = parsed.success ? parsed.data : [];
  let kept = days;
  let before = { ...deps.totals(), atMs: clock.monotonicMs() };
  let cancel = clock.after(SAMPLE_MS, sample);

  function sample(): void {
    cancel = clock.after(SAMPLE_MS, sample);
    const { downloadedBytes, uploadedBytes } = deps.totals();
    const atMs = clock.monotonicMs();
    // At least the time it was meant to be: a timer that comes early must not make a rate.
    const seconds = Math.max(SAMPLE_MS, atMs - before.atMs) / 1000;
    const down = Math.max(0, downloadedBytes - before.downloadedBytes);
    const up = Math.max(0, uploadedBytes - before.uploadedBytes);
    before = { downloadedBytes, uploadedBytes, atMs };
    if (down + up > 0) note(down / seconds, up / seconds, down + up);
  }

  function note(download: number, upload: number, bytes: number): void {
    const day = Math.floor(clock.nowMs() / DAY_MS);
    const today = days.find((one) => one.day === day) ?? { day, download: 0, upload: 0, bytes: 0 };
    const better: Day = {
      day,
      download: Math.max(today.download, download),
      upload: Math.max(today.upload, upload),
      bytes: today.bytes + bytes,
    };
    days = [...recent(days).filter((one) => one.day !== day), better];
    if (
      isWorthKeeping(
        better,
        kept.find((one) => one.day === day),
      )
    )
      keep();
  }

  function keep(): void {
    kept = days;
    catalogue.putValue(VALUE, days);
  }

  function recent(all: readonly Day[]): readonly Day[] {
    const today = Math.floor(clock.nowMs() / DAY_MS);
    // A clock that was wrong may have left days of the future.
    return all.filter(({ day }) => day <= today && day > today - DAYS);
  }

  return {
    rates() {
      const all = recent(days);
      if (all.reduce((sum, { bytes }) => sum + bytes, 0) < TELLING_BYTES) return undefined;
      return {
        download: Math.max(...all.map(({ download }) => download)),
        upload: Math.max(...all.map(({ upload }) => upload)),
      };
    },
    close() {
      cancel();
      if (days !== kept) keep();
    },
  };
}

function isWorthKeeping(now: Day, before: Day | undefined): boolean {
  if (before === undefined) return true;
  const isTelling = before.bytes < TELLING_BYTES && now.bytes >= TELLING_BYTES;
  return isTelling || now.download > before.download * WORTH || now.upload > before.upload * WORTH;
}
