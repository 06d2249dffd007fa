import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { askSample, publishQuestion, type AskRelay } from "./questions.ts";
import { isGuest, type RelayInfo, type RelayInfoDecoder } from "./relay-info.ts";
import { sourceOf } from "./subnets.ts";
import { PROVEN, type RelayTable } from "./table.ts";

export interface GossipDeps {
  readonly table: RelayTable;
  readonly network: { readonly id: number; readonly test: boolean };
  readonly clock: Clock;
  readonly random: Random;
  readonly decodeInfo: RelayInfoDecoder;
  readonly log: Log;
  readonly askRelay: AskRelay;
  /** This relay's info, signed anew every hour or so, and whenever its addresses change; undefined while it has neither addresses nor hosts. */
  ownInfo(): Uint8Array | undefined;
  /** Looks for relays by other means (join relays, cache): in the first round, and while the table is nearly empty. May reject. */
  seek(): Promise<void>;
}

export interface Gossip {
  /** Starts rounds: the first at once, then at growing distances up to five minutes. */
  start(): void;
  stop(): void;
  /** One round: publishes this relay's info to a few others and asks each for a sample. Never rejects. */
  round(): Promise<void>;
}

const FIRST_PAUSE_MS = 5_000;
const LAST_PAUSE_MS = 5 * 60_000;
/** Relays asked in a round; in five-minute rounds each relay of 5,000 is asked every six days, and hears of a newcomer within the hour. */
const PEERS_A_ROUND = 3;
/** Below this many other relays a relay also looks for some by other means. */
const ENOUGH_TO_GOSSIP = 3;

/** How relays tell each other about relays (DESIGN 7). What was heard is hearsay until a second source or a dial bears it out (`RelayTable`). */
export function createGossip(deps: GossipDeps): Gossip {
  const { table, network, clock, random, decodeInfo } = deps;
  let cancel: (() => void) | undefined;
  let running = false;
  let looked = false;

  async function round(): Promise<void> {
    const bytes = deps.ownInfo();
    const own = bytes === undefined ? undefined : decodeInfo(bytes);
    if (own !== undefined) table.add(own, PROVEN);
    if (!looked || table.size <= ENOUGH_TO_GOSSIP) await deps.seek().catch(noteFailure);
    looked = true;
    const others = table.sample(PEERS_A_ROUND + 1).filter((relay) => relay.key !== own?.key);
    await Promise.all(others.slice(0, PEERS_A_ROUND).map((relay) => exchange(relay, own).catch(noteFailure)));
  }

  async function exchange(relay: RelayInfo, own: RelayInfo | undefined): Promise<void> {
    const infos = await askSample((question) => deps.askRelay(relay, question), decodeInfo);
    const source = sourceOf(relay, network);
    for (const info of infos) table.add(info, source);
    // A guest tells its hosts alone: others could not find out whether there is anything to it.
    if (own !== undefined && !isGuest(own)) await deps.askRelay(relay, publishQuestion(own.bytes));
  }

  function noteFailure(error: unknown): void {
    if (!isBackroomError(error)) throw error;
    deps.log("debug", "gossip: a relay did not answer, or refused", { code: error.code });
  }

  function schedule(pauseMs: number): void {
    // Spread by a quarter, so that relays started together do not ask together for ever.
    const spreadMs = random.below(Math.ceil(pauseMs / 2)) - pauseMs / 4;
    cancel = clock.after(pauseMs + spreadMs, () => {
      void round().finally(() => {
        if (running) schedule(Math.min(pauseMs * 2, LAST_PAUSE_MS));
      });
    });
  }

  return {
    round,
    start() {
      if (running) return;
      running = true;
      void round().finally(() => {
        if (running) schedule(FIRST_PAUSE_MS);
      });
    },
    stop() {
      running = false;
      cancel?.();
    },
  };
}
