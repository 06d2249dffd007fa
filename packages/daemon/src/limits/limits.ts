import { LimitsStatus, type Limits, type ScheduleRule } from "@backroom/api/schemas/daemon.ts";
import type { Answer, Input } from "@backroom/api/routes.ts";
import { RateLimit } from "@backroom/core/base/rate-limit.ts";
import type { SwarmLimits } from "@backroom/core/swarm/swarm.ts";
import type { DaemonContext, Part } from "../context.ts";
import { limitsAt, localHour, type LocalHour } from "./schedule.ts";

/** Under which the limits are kept in the catalogue. */
const VALUE = "limits";
const NONE: Limits = { downloadRate: null, uploadRate: null, relayRate: null };
const Kept = LimitsStatus.omit({ now: true });
const MINUTE_MS = 60_000;

/** The daemon's limits of speed, as they hold now. */
export interface LimitsPart extends Part<"limits" | "setLimits"> {
  /** For every swarm. */
  readonly swarm: SwarmLimits;
  /** For the relay; a rate of 0 means that it is not to run. */
  readonly relay: RateLimit;
  /** Called after the relay's rate has changed. */
  onRelayRate(listener: () => void): void;
}

type LimitsContext = Pick<DaemonContext, "catalogue" | "log"> & {
  readonly machine: Pick<DaemonContext["machine"], "clock">;
};

/**
 * Keeps the limits and their schedule, and holds swarms and relay to the hour. While there is a schedule it is looked at every full minute: zones begin their hours at
 * one, so a change of clocks, a computer that slept or a clock that was put right needs nothing of its own. Without one there is no timer.
 */
export function createLimits(
  { catalogue, machine, log }: LimitsContext,
  hourAt: (nowMs: number) => LocalHour = localHour,
): LimitsPart {
  const { clock } = machine;
  const swarm = { download: new RateLimit(clock), upload: new RateLimit(clock) };
  const relay = new RateLimit(clock);
  const listeners: (() => void)[] = [];
  let { always, schedule } = kept();
  let cancelLook = (): void => {};
  look();

  function kept(): { always: Limits; schedule: ScheduleRule[] } {
    const value = catalogue.value(VALUE);
    if (value === undefined) return { always: NONE, schedule: [] };
    const parsed = Kept.safeParse(value);
    if (parsed.success) return parsed.data;
    log("warn", "the kept limits of speed are damaged: there are none now");
    return { always: NONE, schedule: [] };
  }

  function now(): Limits {
    return limitsAt(hourAt(clock.nowMs()), schedule, always);
  }

  function look(): void {
    cancelLook();
    const { downloadRate, uploadRate, relayRate } = now();
    swarm.download.rate = downloadRate;
    swarm.upload.rate = uploadRate;
    const isNews = relay.rate !== relayRate;
    relay.rate = relayRate;
    if (isNews) for (const listener of listeners) listener();
    cancelLook = schedule.length === 0 ? () => {} : clock.after(untilNextMinuteMs(clock.nowMs()), look);
  }

  function status(): Answer<"limits"> {
    return { always, schedule, now: now() };
  }

  function set(change: Input<"setLimits">): Answer<"setLimits"> {
    const next = {
      always: { ...always, ...withoutUndefined(change.always ?? {}) },
      schedule: change.schedule ?? schedule,
    };
    catalogue.putValue(VALUE, next);
    ({ always, schedule } = next);
    look();
    return status();
  }

  return {
    swarm,
    relay,
    onRelayRate: (listener) => void listeners.push(listener),
    handlers: {
      limits: () => Promise.resolve(status()),
      setLimits: async (change) => set(change),
    },
    close: async () => cancelLook(),
  };
}

/** A moment after it, or a clock that is a little early would look at the hour that just ends. */
function untilNextMinuteMs(nowMs: number): number {
  return MINUTE_MS - (nowMs % MINUTE_MS) + 50;
}

function withoutUndefined(limits: {
  readonly [Name in keyof Limits]?: Limits[Name] | undefined;
}): Partial<Limits> {
  return Object.fromEntries(Object.entries(limits).filter(([, rate]) => rate !== undefined));
}
