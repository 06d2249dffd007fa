import { decodeBencode, encodeBencode, type Bencoded, type BencodedValue } from "../base/bencode.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Estimate, RelayMeasurement } from "../directory/measurements.ts";
import { decodeJoinRelay, encodeJoinRelay } from "../link/join-relay.ts";
import type { KeptGuard } from "./guards.ts";
import type { KeptRelay } from "./kept-relays.ts";

/**
 * What a member keeps of its paths in a network, on disk. Canonical bencode, times in seconds, fractions in hundredths:
 *
 *     { "g": [[join relay, until, attempts, built, uses, answered, replaced (0, 1)], …]    guards, in order
 *       "m": [[node key (32), rate, its weight, join, its weight, at], …]                  measurements
 *       "s": [[join relay, until], …] }                                                   a seeder's middle hops, in order
 */
export interface PathState {
  readonly guards: readonly KeptGuard[];
  readonly seconds: readonly KeptRelay[];
  readonly measurements: readonly [string, RelayMeasurement][];
}

export const NO_PATH_STATE: PathState = { guards: [], seconds: [], measurements: [] };

/** What a list on disk may hold; the owners keep fewer. */
const MOST_KEPT = 64;

export function encodePathState(state: PathState): Buffer {
  return encodeBencode({
    g: state.guards.map((guard): Bencoded => {
      const { attempts, built, uses, answered } = guard.counts;
      const counts = [attempts, built, uses, answered].map(hundredths);
      return [...keptFields(guard), ...counts, guard.replaced ? 1 : 0];
    }),
    m: state.measurements.map(([key, { rate, join, atMs }]): Bencoded => {
      const estimates = [rate.log2, rate.weight, join.log2, join.weight].map(hundredths);
      return [Buffer.from(key, "hex"), ...estimates, seconds(atMs)];
    }),
    s: state.seconds.map(keptFields),
  });
}

/** Raises E_STORE for anything else than `encodePathState` gives. */
export function decodePathState(bytes: Uint8Array): PathState {
  const dict = decoded(bytes);
  if (!(dict instanceof Map) || [...dict.keys()].join("") !== "gms") throw damaged();
  const list = (key: string, most: number): BencodedValue[][] => {
    const value = dict.get(key);
    if (!Array.isArray(value) || value.length > most) throw damaged();
    return value.map((item) => {
      if (!Array.isArray(item)) throw damaged();
      return item;
    });
  };
  return {
    guards: list("g", MOST_KEPT).map(decodeGuard),
    seconds: list("s", MOST_KEPT).map((item) => keptOf(item, 2)),
    measurements: list("m", LIMITS.measuredRelays).map(decodeMeasurement),
  };
}

function decodeGuard(item: BencodedValue[]): KeptGuard {
  const [attempts = 0, built = 0, uses = 0, answered = 0, replaced = 0] = item.slice(2).map(whole);
  if (built > attempts || answered > uses || replaced > 1) throw damaged();
  const counts = {
    attempts: attempts / 100,
    built: built / 100,
    uses: uses / 100,
    answered: answered / 100,
  };
  return { ...keptOf(item, 7), counts, replaced: replaced === 1 };
}

function decodeMeasurement(item: BencodedValue[]): [string, RelayMeasurement] {
  const [key] = item;
  if (item.length !== 6 || !Buffer.isBuffer(key) || key.length !== 32) throw damaged();
  const [rate = 0, rateWeight = 0, join = 0, joinWeight = 0, atS = 0] = item.slice(1).map(whole);
  const estimate = (log2: number, weight: number): Estimate => {
    // 2^64 bytes a second, or milliseconds.
    if (log2 > 6400) throw damaged();
    return { log2: log2 / 100, weight: weight / 100 };
  };
  const one = {
    rate: estimate(rate, rateWeight),
    join: estimate(join, joinWeight),
    atMs: atS * 1000,
  };
  return [key.toString("hex"), one];
}

function keptFields({ relay, untilMs }: KeptRelay): Bencoded[] {
  return [encodeJoinRelay(relay, "E_STORE"), seconds(untilMs)];
}

function keptOf(item: BencodedValue[], length: number): KeptRelay {
  const [relay, until] = item;
  if (item.length !== length || !Buffer.isBuffer(relay)) throw damaged();
  return { relay: decodeJoinRelay(relay, "E_STORE"), untilMs: whole(until) * 1000 };
}

function whole(value: BencodedValue | undefined): number {
  if (typeof value !== "number" || value < 0 || value > 2 ** 48) throw damaged();
  return value;
}

function hundredths(value: number): number {
  return Math.round(value * 100);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function decoded(bytes: Uint8Array): BencodedValue {
  try {
    return decodeBencode(bytes);
  } catch (cause) {
    if (!isBackroomError(cause)) throw cause;
    throw damaged();
  }
}

function damaged(): BackroomError {
  return new BackroomError("E_STORE", "what was kept of this computer's paths is damaged");
}
