import type { SeededRandom } from "./seeded-random.ts";

/** Slots of a quarter of an hour: about as often as somebody can look at every relay, and at the gates of a share. */
export const SLOTS_A_DAY = 96;
const SLOTS_AN_HOUR = 4;
const BITS_A_WORD = 32;

/** One member's habits. A home computer is on in the evening of its own time zone; a server all day, but for outages. */
export type Habit =
  | { readonly kind: "evening"; readonly startHour: number; readonly lengthHours: number }
  | { readonly kind: "server" };

/** On most days, an hour early or late, for longer or shorter. */
const USED_DAYS = 0.85;
const START_SPREAD_HOURS = 0.75;
const LENGTH_SPREAD_HOURS = 1;
/** Updates, power cuts, a provider's bad night. */
const DAYS_BETWEEN_OUTAGES = 14;
const OUTAGE_SLOTS = 3;

export function drawHabit(kind: Habit["kind"], random: SeededRandom): Habit {
  if (kind === "server") return { kind };
  // People live everywhere, so in one time of day the evening is anywhere.
  const startHour = random.below(24) + random.unit();
  return { kind, startHour, lengthHours: Math.max(1, random.normal(5, 1.5)) };
}

/** In which slots of a day a member is there: a bit each, in three words. */
export type Presence = readonly [number, number, number];
const ALWAYS: Presence = [-1, -1, -1];
const NEVER: Presence = [0, 0, 0];

export function dayOf(habit: Habit, random: SeededRandom): Presence {
  if (habit.kind === "server") {
    if (random.unit() > 1 / DAYS_BETWEEN_OUTAGES) return ALWAYS;
    const from = random.below(SLOTS_A_DAY);
    const down = slots(from, from + 1 + Math.round(random.exponential(OUTAGE_SLOTS - 1)));
    return [~down[0], ~down[1], ~down[2]];
  }
  if (random.unit() > USED_DAYS) return NEVER;
  const start = habit.startHour + random.normal(0, START_SPREAD_HOURS);
  const length = Math.max(0.5, habit.lengthHours + random.normal(0, LENGTH_SPREAD_HOURS));
  return slots(Math.round(start * SLOTS_AN_HOUR), Math.round((start + length) * SLOTS_AN_HOUR));
}

/** Slots from `from` to before `to`; what passes midnight counts on the same day's other end, which is as good for telling members apart. */
function slots(from: number, to: number): Presence {
  const words: [number, number, number] = [0, 0, 0];
  for (let slot = from; slot < Math.min(to, from + SLOTS_A_DAY); slot++) {
    const at = ((slot % SLOTS_A_DAY) + SLOTS_A_DAY) % SLOTS_A_DAY;
    words[Math.floor(at / BITS_A_WORD) as 0 | 1 | 2] |= 1 << (at % BITS_A_WORD);
  }
  return words;
}

export function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
