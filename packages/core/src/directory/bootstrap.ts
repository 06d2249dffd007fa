import type { Clock } from "../base/clock.ts";
import { BackroomError, isBackroomError, type ErrorCode } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { shuffled, type Random } from "../base/random.ts";
import { within } from "../base/within.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import { mayDial } from "./address.ts";
import type { ClockCheck } from "./clock-check.ts";
import { askSample, publishQuestion, type Ask } from "./questions.ts";
import { isGuest, type RelayInfo, type RelayInfoDecoder } from "./relay-info.ts";
import { sourceOf } from "./subnets.ts";
import { PROVEN, type RelayTable } from "./table.ts";

/** A relay that was dialled and proved its key, with a circuit of one hop to its directory. */
export interface DirectoryPeer {
  /** `Channel.peerInfo` and `Channel.clockSkewMs`. */
  readonly info: Buffer | undefined;
  readonly clockSkewMs: number;
  readonly ask: Ask;
  close(): void;
}

export interface BootstrapDeps {
  readonly table: RelayTable;
  readonly network: { readonly id: number; readonly test: boolean };
  readonly clock: Clock;
  readonly random: Random;
  readonly decodeInfo: RelayInfoDecoder;
  readonly clockCheck: ClockCheck;
  readonly log: Log;
  /** Dials a relay and sets up questions. Rejects as `Dialer` does; brings its own timeout. */
  connect(relay: JoinRelay): Promise<DirectoryPeer>;
}

export interface BootstrapOptions {
  /** Out of links, invites, the network file and the cache; duplicates are fine. */
  readonly relays: readonly JoinRelay[];
  /** Asked after those; whoever found them has judged whether they may be dialled. */
  readonly hints?: readonly Hint[];
  /**
   * Tells those that answer of each other where one has not heard of the other: so two halves of a network that were apart come together. Not for
   * guards, who would learn which others there are.
   */
  readonly introduce?: boolean;
  /** The person said that relays named by a single source will do. */
  readonly acceptFewSources: boolean;
}

/**
 * A relay that strangers pointed to, such as the local network's. `source` stands for whoever did so: however many of them answer, they
 * count as one, since one liar could have pointed to all.
 */
export interface Hint {
  readonly relay: JoinRelay;
  readonly source: string;
}

/** Independent sources that are asked if there are as many; two are demanded. */
const SOURCES_WANTED = 3;
const SOURCES_NEEDED = 2;
/**
 * Who has not told everything by then is likely to be off, which a dial finds out after ten seconds: the next one is asked as well, and once enough have
 * answered nobody waits any more. Longer than a dial, a handshake and four samples take over a slow line.
 */
const PATIENCE_MS = 3_000;
/** Samples taken of each: 256 relays, more than most paths ever need, and in a small network all of them. */
const SAMPLES_EACH = 4;

interface Candidate {
  readonly relay: JoinRelay;
  readonly source: string | undefined;
}

/** What one source told: nothing of it enters the table before enough sources have answered. */
interface Heard {
  readonly source: string;
  readonly self: RelayInfo;
  /** It answered where it says it is: a hint may lead to it by another way, such as its address at home. */
  readonly isAtHome: boolean;
  readonly others: readonly RelayInfo[];
  /** That is all it knows. */
  readonly isAll: boolean;
  readonly peer: DirectoryPeer;
}

/**
 * Fills the table from relays that the person was given (DESIGN 7). Only those count as sources, not relays that one of them named: one liar would
 * name as many as it likes. Raises E_CLOCK, E_OTHER_NETWORK, E_NO_RELAYS, E_PROXY or E_FEW_SOURCES, with the table unchanged.
 */
export async function bootstrap(
  options: BootstrapOptions,
  deps: BootstrapDeps,
): Promise<{ sourceCount: number; relayCount: number }> {
  const { table, network, clockCheck } = deps;
  const candidates: Candidate[] = [
    ...newAndOld(shuffled(uniqueRelays(options.relays), deps.random), table)
      .filter((relay) => mayDial(relay, network))
      .map((relay) => ({ relay, source: undefined })),
    ...shuffled(options.hints ?? [], deps.random),
  ];
  const heard: Heard[] = [];
  const failures: BackroomError[] = [];
  let isOver = false;
  try {
    await askSome();
    // First, since with a wrong clock everything that was heard looks stale or not yet signed.
    clockCheck.assertRight();
    if (heard.length === 0) throw nobody(failures);
    const sources = new Set([...sourcesIn(heard), ...table.entries().flatMap((entry) => entry.sources)]);
    if (sources.size < SOURCES_NEEDED && !network.test && !options.acceptFewSources) {
      throw new BackroomError("E_FEW_SOURCES", "only one independent relay could be asked for the others");
    }
    for (const { source, self, isAtHome, others } of heard) {
      table.add(self, isAtHome ? PROVEN : source);
      for (const info of others) table.add(info, source);
    }
    if (table.size === 0) throw nobody(failures);
    if (options.introduce === true) await introduce(heard, noteFailure);
    deps.log("info", "bootstrap: the table of relays is filled", { relayCount: table.size });
    return { sourceCount: sources.size, relayCount: table.size };
  } finally {
    isOver = true;
    for (const { peer } of heard) peer.close();
  }

  /** Until enough sources have answered, or there is nobody left to ask or worth waiting for. */
  async function askSome(): Promise<void> {
    const asked = new Set<Promise<void>>();
    const late = new Set<Promise<void>>();
    for (;;) {
      const count = sourcesIn(heard).size;
      const awaited = asked.size - late.size;
      for (const one of candidates.splice(0, Math.max(0, SOURCES_WANTED - count - awaited))) ask(one);
      const isEnough = count >= SOURCES_WANTED || (count >= SOURCES_NEEDED && asked.size === late.size);
      if (isEnough || asked.size === 0) return;
      if (!(await isSilent(asked, deps.clock))) continue;
      for (const one of asked) late.add(one);
      deps.log("debug", "bootstrap: a relay is waited for, and another one asked");
    }

    function ask(one: Candidate): void {
      const answer: Promise<void> = hear(one, deps)
        .then((told) => {
          if (isOver) told.peer.close();
          else heard.push(told);
        }, noteFailure)
        .finally(() => {
          asked.delete(answer);
          late.delete(answer);
        });
      asked.add(answer);
    }
  }

  function noteFailure(error: unknown): void {
    if (!isBackroomError(error)) throw error;
    failures.push(error);
    deps.log("debug", "bootstrap: a relay could not be asked", { code: error.code });
  }
}

/** Whether none of them ends within the patience. */
async function isSilent(asked: ReadonlySet<Promise<void>>, clock: Clock): Promise<boolean> {
  const anyEnded = Promise.race([...asked].map((one) => one.then(() => true)));
  return (await within(clock, PATIENCE_MS, anyEnded)) === undefined;
}

async function hear({ relay, source: pointedTo }: Candidate, deps: BootstrapDeps): Promise<Heard> {
  const { decodeInfo, network } = deps;
  const peer = await deps.connect(relay);
  try {
    if (peer.info === undefined) throw new BackroomError("E_RELAY_INFO", "a relay did not describe itself");
    const self = decodeInfo(peer.info);
    if (!self.nodeKey.equals(relay.nodeKey)) {
      throw new BackroomError("E_CHANNEL_IDENTITY", "a relay described another one than itself");
    }
    if (self.networkId !== network.id) {
      throw new BackroomError("E_OTHER_NETWORK", "a relay describes itself as one of another network");
    }
    if (isGuest(self))
      throw new BackroomError("E_RELAY_INFO", "a relay that was dialled says that it cannot be");
    const source = pointedTo ?? sourceOf(self, network);
    const isAtHome =
      pointedTo === undefined ||
      self.endpoints.some(({ host, port }) => host === relay.host && port === relay.port);
    deps.clockCheck.note(source, peer.clockSkewMs);
    return { source, self, isAtHome, peer, ...(await samples(peer.ask, decodeInfo)) };
  } catch (error) {
    peer.close();
    throw error;
  }
}

/**
 * A relay that told all it knows and did not know another one that answered is told of it; it dials that one before it believes so. In a network of
 * more relays than one answer holds nobody can tell, and nothing is said.
 */
async function introduce(heard: readonly Heard[], onFailure: (error: unknown) => void): Promise<void> {
  const news = heard.flatMap(({ self, others, isAll, peer }) =>
    heard
      .filter((other) => isAll && other.isAtHome && other.self.key !== self.key)
      .filter((other) => !others.some(({ key }) => key === other.self.key))
      .map((other) => peer.ask(publishQuestion(other.self.bytes)).catch(onFailure)),
  );
  await Promise.all(news);
}

/** Several samples, until one brings little that is new: then the relay has no more to tell. */
async function samples(
  ask: Ask,
  decodeInfo: RelayInfoDecoder,
): Promise<{ readonly others: RelayInfo[]; readonly isAll: boolean }> {
  const infos = new Map<string, RelayInfo>();
  for (let round = 0; round < SAMPLES_EACH; round++) {
    const before = infos.size;
    const sample = await askSample(ask, decodeInfo);
    for (const info of sample) infos.set(info.key, info);
    if (infos.size - before < sample.length / 4) break;
  }
  return { others: [...infos.values()], isAll: infos.size < LIMITS.sampleInfos };
}

/** In turns relays that the table does not know and relays that it does: of two parts of a network each is asked. */
function newAndOld(relays: readonly JoinRelay[], table: RelayTable): JoinRelay[] {
  const isOld = ({ nodeKey }: JoinRelay): boolean => table.get(nodeKey.toString("hex")) !== undefined;
  const [fresh, old] = [relays.filter((one) => !isOld(one)), relays.filter(isOld)];
  return relays.flatMap((_, n) => [fresh[n], old[n]]).filter((one) => one !== undefined);
}

function uniqueRelays(relays: readonly JoinRelay[]): JoinRelay[] {
  const name = ({ nodeKey, host, port }: JoinRelay): string => `${nodeKey.toString("hex")} ${host} ${port}`;
  return [...new Map(relays.map((relay) => [name(relay), relay])).values()];
}

function sourcesIn(heard: readonly Heard[]): Set<string> {
  return new Set(heard.map(({ source }) => source));
}

function nobody(failures: readonly BackroomError[]): BackroomError {
  const all = (code: ErrorCode): boolean => failures.length > 0 && failures.every((one) => one.code === code);
  // What the proxy said helps more than that nobody answered.
  const [first] = failures;
  if (first !== undefined && all("E_PROXY")) return first;
  return all("E_OTHER_NETWORK")
    ? new BackroomError("E_OTHER_NETWORK", "the relays that answered belong to another network")
    : new BackroomError("E_NO_RELAYS", "no relay of the network could be asked");
}
