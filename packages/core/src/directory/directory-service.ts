import type { Bencoded, BencodedDict } from "../base/bencode.ts";
import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { silentLog, type Log } from "../base/log.ts";
import { isAcceptable } from "./acceptable.ts";
import type { Endpoint } from "../net/channel.ts";
import { addressKey, decodeAddress, encodeAddress, mayDial } from "./address.ts";
import { createAllowances } from "./allowance.ts";
import { readBytes, readInteger } from "./fields.ts";
import { infosAnswer, refusal } from "./questions.ts";
import { isGuest, type RelayInfo, type RelayInfoDecoder } from "./relay-info.ts";
import { StrangerDials } from "./stranger-dials.ts";
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
  /** Keeps the channel of a guest that names this relay among its hosts; false where none is there, or no room for it. Absent: takes none. */
  takeGuest?(info: RelayInfo): boolean;
  /** Dials that address and tells whether the node key answers. Never rejects. Absent: `reach` is refused. */
  dialBack?(nodeKey: Buffer, endpoint: Endpoint): Promise<boolean>;
  /** What EXTEND shares with it. */
  readonly dials?: StrangerDials;
  readonly log?: Log;
}

/**
 * Answers questions that arrive on a stream of service 1 or 2. `circuit` is `ServedCircuit.id`: rates are counted by it; `clientHost` is what that
 * has. Never rejects.
 */
export interface QuestionService {
  answer(question: BencodedDict, circuit: number, clientHost?: string): Promise<Record<string, Bencoded>>;
}

/** The directory of a relay (PROTOCOL 7.2): `sample`, `publish`, `at`, `reach`. */
export function createDirectoryService(deps: DirectoryServiceDeps): QuestionService {
  const { table, network, clock, decodeInfo, log = silentLog } = deps;
  const perCircuit = createAllowances(
    { burst: LIMITS.directoryBurstCount, perSecond: LIMITS.directoryPerSecond },
    LIMITS.allowanceCircuits,
    clock,
  );
  const dials = deps.dials ?? new StrangerDials({ clock, network });
  const publishesOf = createAllowances(
    { burst: LIMITS.publishBurstCount, perSecond: LIMITS.publishPerSecond },
    LIMITS.allowanceCircuits,
    clock,
  );
  /** When which relay with which addresses was last reached; bounded like the allowances. */
  const reachedMs = new Map<string, number>();
  const probing = new Set<string>();

  async function publish(bytes: unknown, circuit: number): Promise<Record<string, Bencoded>> {
    if (!Buffer.isBuffer(bytes)) return refusal("bad");
    const info = decodeInfo(bytes);
    if (!isAcceptable(info, network, clock.nowMs())) return refusal("refused");
    if (isGuest(info)) {
      return deps.takeGuest?.(info) === true && table.add(info, PROVEN) !== "refused"
        ? { ok: 1 }
        : refusal("unreachable");
    }
    if (!recentlyReached(info)) {
      // One dial a relay at a time, and few for all: publishing must not be a way to make relays scan.
      if (probing.has(info.key) || !publishesOf(circuit).take()) return refusal("busy");
      if (!dials.take("probe", info.endpoints)) return refusal("busy");
      probing.add(info.key);
      const reached = await deps.probe(info).finally(() => probing.delete(info.key));
      log("debug", "a relay that published itself was dialled", { isReachable: reached });
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

  /**
   * Only ever dials the address that the question's own connection comes from: nobody is made to knock at a third party's door, and who asks
   * learns from the answer where it was seen.
   */
  async function reach(
    question: BencodedDict,
    clientHost: string | undefined,
  ): Promise<Record<string, Bencoded>> {
    const nodeKey = readBytes(question, "k", 32, "E_DECODE");
    const port = readInteger(question, "p", 65_535, "E_DECODE");
    if (clientHost === undefined || deps.dialBack === undefined) return refusal("refused");
    const endpoint = { host: clientHost, port };
    if (!mayDial(endpoint, network)) return refusal("refused");
    // Its own subnet does not count: whoever knocks there is whoever lives there.
    if (!dials.take("probe", [])) return refusal("busy");
    const reached = await deps.dialBack(nodeKey, endpoint);
    return { a: encodeAddress(endpoint), r: reached ? 1 : 0 };
  }

  async function dispatch(
    question: BencodedDict,
    circuit: number,
    clientHost: string | undefined,
  ): Promise<Record<string, Bencoded>> {
    const kind = question.get("q");
    switch (Buffer.isBuffer(kind) ? kind.toString("latin1") : "") {
      case "sample":
        return infosAnswer(
          sample(Math.min(readInteger(question, "n", 2 ** 32, "E_DECODE"), LIMITS.sampleInfos)),
        );
      case "publish":
        return publish(question.get("i"), circuit);
      case "at":
        return at(question.get("a"));
      case "reach":
        return reach(question, clientHost);
      default:
        return refusal("bad");
    }
  }

  function sample(count: number): RelayInfo[] {
    const guests = table.guests.sample(Math.floor((count * LIMITS.sampleGuests) / LIMITS.sampleInfos));
    return [...table.sample(count - guests.length), ...guests];
  }

  function at(address: unknown): Record<string, Bencoded> {
    if (!Buffer.isBuffer(address)) return refusal("bad");
    const info = table.at(decodeAddress(address));
    return infosAnswer(info === undefined ? [] : [info]);
  }

  return {
    async answer(question, circuit, clientHost) {
      if (!perCircuit(circuit).take()) return refusal("busy");
      return orBad(() => dispatch(question, circuit, clientHost));
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
