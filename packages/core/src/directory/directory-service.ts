import type { Bencoded, BencodedDict } from "../base/bencode.ts";
import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { isAcceptable } from "./acceptable.ts";
import { addressKey, decodeAddress } from "./address.ts";
import { createAllowance, createAllowances } from "./allowance.ts";
import { readInteger } from "./fields.ts";
import { infosAnswer, refusal } from "./questions.ts";
import type { RelayInfo, RelayInfoDecoder } from "./relay-info.ts";
import { PROVEN, type RelayTable } from "./table.ts";

export interface DirectoryServiceDeps {
  readonly table: RelayTable;
  readonly network: { readonly id: number; readonly test: boolean };
  readonly clock: Clock;
  readonly decodeInfo: RelayInfoDecoder;
  /**
   * Dials every address of the info, which `mayDial` has allowed, and tells whether its node key answers at each. Never rejects.
   * Without that, a relay could claim an address of somebody else's, and shut its owner out of its subnet's places in tables.
   */
  probe(info: RelayInfo): Promise<boolean>;
}

/** Answers questions that arrive on a stream of service 1 or 2. `circuit` is `ServedCircuit.id`: rates are counted by it. Never rejects. */
export interface QuestionService {
  answer(question: BencodedDict, circuit: number): Promise<Record<string, Bencoded>>;
}

/** The directory of a relay (PROTOCOL 7.2): `sample`, `publish`, `at`. */
export function createDirectoryService(deps: DirectoryServiceDeps): QuestionService {
  const { table, network, clock, decodeInfo } = deps;
  const perCircuit = createAllowances(
    { burst: LIMITS.directoryBurstCount, perSecond: LIMITS.directoryPerSecond },
    LIMITS.allowanceCircuits,
    clock,
  );
  const probes = createAllowance({ burst: LIMITS.probeBurstCount, perSecond: LIMITS.probePerSecond }, clock);
  /** When which relay with which addresses was last reached; bounded like the allowances. */
  const reachedMs = new Map<string, number>();
  const probing = new Set<string>();

  async function publish(bytes: unknown): Promise<Record<string, Bencoded>> {
    if (!Buffer.isBuffer(bytes)) return refusal("bad");
    const info = decodeInfo(bytes);
    if (!isAcceptable(info, network, clock.nowMs())) return refusal("refused");
    if (!recentlyReached(info)) {
      // One dial a relay at a time, and few for all: publishing must not be a way to make relays scan.
      if (probing.has(info.key) || !probes.take()) return refusal("busy");
      probing.add(info.key);
      const reached = await deps.probe(info).finally(() => probing.delete(info.key));
      if (!reached) return refusal("unreachable");
      remember(info);
    }
    return table.add(info, PROVEN) === "refused" ? refusal("refused") : { ok: 1 };
  }

  function recentlyReached(info: RelayInfo): boolean {
    const whenMs = reachedMs.get(placeName(info));
    return whenMs !== undefined && clock.monotonicMs() - whenMs < LIMITS.probeAgainMs;
  }

  function remember(info: RelayInfo): void {
    if (reachedMs.size >= LIMITS.allowanceCircuits) reachedMs.delete(reachedMs.keys().next().value as string);
    reachedMs.set(placeName(info), clock.monotonicMs());
  }

  async function dispatch(question: BencodedDict): Promise<Record<string, Bencoded>> {
    const kind = question.get("q");
    switch (Buffer.isBuffer(kind) ? kind.toString("latin1") : "") {
      case "sample":
        return infosAnswer(
          table.sample(Math.min(readInteger(question, "n", 2 ** 32, "E_DECODE"), LIMITS.sampleInfos)),
        );
      case "publish":
        return publish(question.get("i"));
      case "at":
        return at(question.get("a"));
      default:
        return refusal("bad");
    }
  }

  function at(address: unknown): Record<string, Bencoded> {
    if (!Buffer.isBuffer(address)) return refusal("bad");
    const info = table.at(decodeAddress(address));
    return infosAnswer(info === undefined ? [] : [info]);
  }

  return {
    async answer(question, circuit) {
      if (!perCircuit(circuit).take()) return refusal("busy");
      return orBad(() => dispatch(question));
    },
  };
}

/** The answer, or "bad" for a question that is malformed. Anything else that is thrown is a bug of ours, and stays one. */
export async function orBad(
  answer: () => Promise<Record<string, Bencoded>>,
): Promise<Record<string, Bencoded>> {
  try {
    return await answer();
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return refusal("bad");
  }
}

function placeName(info: RelayInfo): string {
  return [info.key, ...info.endpoints.map(addressKey)].join();
}
