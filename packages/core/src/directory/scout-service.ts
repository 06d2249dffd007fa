import type { Bencoded, BencodedDict } from "../base/bencode.ts";
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { silentLog, type Log } from "../base/log.ts";
import { shuffled, type Random } from "../base/random.ts";
import type { Endpoint } from "../net/channel.ts";
import { addressKey, mayDial } from "./address.ts";
import { createAllowance, createAllowances } from "./allowance.ts";
import { orBad, type QuestionService } from "./directory-service.ts";
import { readBytes } from "./fields.ts";
import { askAt, infosAnswer, refusal, type AskRelay } from "./questions.ts";
import type { RelayInfo, RelayInfoDecoder } from "./relay-info.ts";
import { sourceOf } from "./subnets.ts";
import type { RelayTable } from "./table.ts";

export interface ScoutServiceDeps {
  readonly table: RelayTable;
  readonly network: { readonly id: number; readonly test: boolean };
  readonly clock: Clock;
  readonly random: Random;
  readonly decodeInfo: RelayInfoDecoder;
  /** Asks the DHT who announced the hash. May reject. */
  lookup(topicHash: Buffer): Promise<readonly Endpoint[]>;
  readonly askRelay: AskRelay;
  readonly log?: Log;
}

/** Relays that a scout asks about one address that is not in its table. */
const ASKED_ABOUT_MISS = 2;

/**
 * A scout (PROTOCOL 7.2, `gates`): asks the DHT and answers with signed relay infos. What the DHT says is unauthenticated, so addresses
 * out of it are looked up in the table or asked about, and never dialled.
 */
export function createScoutService(deps: ScoutServiceDeps): QuestionService {
  const { clock, log = silentLog } = deps;
  const perCircuit = createAllowances(
    { burst: LIMITS.scoutBurstCount, perSecond: LIMITS.scoutPerSecond },
    LIMITS.allowanceCircuits,
    clock,
  );
  const lookups = createAllowance(
    { burst: LIMITS.scoutAllBurstCount, perSecond: LIMITS.scoutAllPerSecond },
    clock,
  );
  const cache = new Map<string, { readonly untilMs: number; readonly gates: Promise<RelayInfo[]> }>();

  async function gates(topicHash: Buffer): Promise<Record<string, Bencoded>> {
    const name = topicHash.toString("hex");
    const hit = cache.get(name);
    if (hit !== undefined && hit.untilMs > clock.monotonicMs()) return infosAnswer(await hit.gates);
    if (!lookups.take()) {
      log("debug", "a look-up was refused", { reason: "busy" });
      return refusal("busy");
    }
    cache.delete(name);
    if (cache.size >= LIMITS.scoutCacheCount) cache.delete(cache.keys().next().value as string);
    // The promise is kept, so that many who ask at once cost one lookup.
    const found = findGates(Buffer.from(topicHash), deps);
    cache.set(name, { untilMs: clock.monotonicMs() + LIMITS.scoutCacheMs, gates: found });
    try {
      const gates = await found;
      log("debug", "a topic was looked up", { gateCount: gates.length });
      return infosAnswer(gates);
    } catch {
      // A failure is not worth remembering: the next one who asks may be luckier.
      cache.delete(name);
      return refusal("unreachable");
    }
  }

  return {
    async answer(question: BencodedDict, circuit: number) {
      if (!perCircuit(circuit).take()) return refusal("busy");
      return orBad(async () => {
        const kind = question.get("q");
        if (!Buffer.isBuffer(kind) || kind.toString("latin1") !== "gates") return refusal("bad");
        return gates(readBytes(question, "t", 20, "E_DECODE"));
      });
    },
  };
}

async function findGates(topicHash: Buffer, deps: ScoutServiceDeps): Promise<RelayInfo[]> {
  const { table, network, random } = deps;
  const named = (await deps.lookup(topicHash)).filter((endpoint) => mayDial(endpoint, network));
  const unique = new Map(named.map((endpoint) => [addressKey(endpoint), endpoint]));
  // At random, so that whoever floods the announcement does not decide which ones are looked at.
  const endpoints = shuffled([...unique.values()], random).slice(0, LIMITS.scoutEndpoints);
  const known = endpoints.map((endpoint) => table.at(endpoint));
  const missing = endpoints.filter((_, index) => known[index] === undefined).slice(0, LIMITS.scoutMisses);
  const found = [...known, ...(await Promise.all(missing.map((endpoint) => askOthers(endpoint, deps))))];
  const gates = found.filter((info): info is RelayInfo => info?.gate === true);
  return [...new Map(gates.map((info) => [info.key, info])).values()].slice(0, LIMITS.scoutGates);
}

async function askOthers(endpoint: Endpoint, deps: ScoutServiceDeps): Promise<RelayInfo | undefined> {
  const { table, network, decodeInfo } = deps;
  for (const relay of table.sample(ASKED_ABOUT_MISS)) {
    try {
      const info = await askAt((question) => deps.askRelay(relay, question), endpoint, decodeInfo);
      // Only what the table takes is passed on: of this network, of today, dialable, within its bounds.
      if (info !== undefined && table.add(info, sourceOf(relay, network)) !== "refused") {
        return table.get(info.key)?.info;
      }
    } catch {
      // That relay does not answer; the next one may.
    }
  }
  return undefined;
}
