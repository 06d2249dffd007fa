import path from "node:path";
import { decodeBencode, encodeBencode } from "../base/bencode.ts";
import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Network } from "../directory/network.ts";
import { pickGuards } from "../directory/path.ts";
import type { RelayInfo } from "../directory/relay-info.ts";
import { decodeJoinRelay, encodeJoinRelay, type JoinRelay } from "../link/join-relay.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import type { DataFolder } from "./data-folder.ts";
import { joinRelayOf, networkIdText } from "./networks.ts";

/** Guards that are in use and known to be there. */
const GUARDS = 3;
/** Guards that this member ever shows its address to within their life: an outage, or somebody who makes one, must not walk it through the network. */
const MOST_GUARDS = 9;
/** Long, because each change is another chance to meet a hostile one; not for ever, because a hostile one would stay as well. */
const LIFE_MS = 90 * 24 * 3600 * 1000;
const MOST_BYTES = 4096;

interface Guard {
  readonly relay: JoinRelay;
  readonly sinceMs: number;
}

export interface GuardsDeps {
  readonly network: Pick<Network, "test">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
}

/**
 * The relays that this member enters the network through, kept for months (DESIGN 1), in order: the first one that answers is used. With new
 * ones for each run, a few evenings would show one's address to every relay that cares to see it.
 */
export class Guards {
  readonly #deps: GuardsDeps;
  #guards: Guard[];

  constructor(saved: readonly Guard[], deps: GuardsDeps) {
    this.#deps = deps;
    const nowMs = deps.clock.nowMs();
    // One from the future was noted while the clock was wrong: it is as good as new.
    this.#guards = saved.filter(({ sinceMs }) => nowMs - sinceMs < LIFE_MS).slice(0, MOST_GUARDS);
  }

  /** Where they were when last heard of: whom to ask first for other relays. */
  joinRelays(): JoinRelay[] {
    return this.#guards.map(({ relay }) => relay);
  }

  /** Those that are there, topped up from `relays` (the table's order). */
  among(relays: readonly RelayInfo[]): RelayInfo[] {
    const present = this.#present(relays);
    return present.length < GUARDS ? this.#grow(relays, GUARDS - present.length) : present;
  }

  /** None of them answers: takes more, as far as that is allowed; false when it is not. */
  takeMore(relays: readonly RelayInfo[], avoid: ReadonlySet<string>): boolean {
    const before = this.#present(relays).length;
    const left = relays.filter((relay) => !avoid.has(relay.key));
    return this.#grow(relays, Math.min(GUARDS, MOST_GUARDS - before), left).length > before;
  }

  encode(): Buffer {
    return encodeBencode({
      g: this.#guards.map(({ relay, sinceMs }) => [
        encodeJoinRelay(relay, "E_STORE"),
        Math.floor(sinceMs / 1000),
      ]),
    });
  }

  #present(relays: readonly RelayInfo[]): RelayInfo[] {
    const byKey = new Map(relays.map((relay) => [relay.key, relay]));
    return this.#guards.flatMap(({ relay }) => byKey.get(relay.nodeKey.toString("hex")) ?? []);
  }

  #grow(relays: readonly RelayInfo[], count: number, pool: readonly RelayInfo[] = relays): RelayInfo[] {
    const { network, random, clock } = this.#deps;
    const held = new Set(this.#guards.map(({ relay }) => relay.nodeKey.toString("hex")));
    const candidates = pool.filter((relay) => !held.has(relay.key));
    for (const relay of pickGuards(candidates, count, network, random)) {
      this.#guards.push({ relay: joinRelayOf(relay), sinceMs: clock.nowMs() });
    }
    // Those that are gone make room first, the oldest before the others.
    const here = new Set(relays.map((relay) => relay.key));
    while (this.#guards.length > MOST_GUARDS) {
      const gone = this.#guards.findIndex(({ relay }) => !here.has(relay.nodeKey.toString("hex")));
      this.#guards.splice(gone < 0 ? this.#guards.length - 1 : gone, 1);
    }
    return this.#present(relays);
  }
}

/** File `networks/<id>.guards`: bencoded `{g: [[join relay, since (s)], …]}`. One that is damaged counts as none. Raises E_STORE. */
export async function openGuards(
  folder: DataFolder,
  network: Network,
  deps: Omit<GuardsDeps, "network">,
): Promise<Guards> {
  const bytes = await readStateFile(guardsFile(folder, network), MOST_BYTES);
  return new Guards(bytes === undefined ? [] : decodeGuards(bytes), { ...deps, network });
}

export async function saveGuards(folder: DataFolder, network: Network, guards: Guards): Promise<void> {
  await writeStateFile(guardsFile(folder, network), guards.encode());
}

function decodeGuards(bytes: Buffer): Guard[] {
  try {
    const dict = decodeBencode(bytes);
    const list = dict instanceof Map ? dict.get("g") : undefined;
    if (!Array.isArray(list)) return [];
    return list.flatMap((item) => {
      const [relay, sinceS] = Array.isArray(item) ? item : [];
      if (!Buffer.isBuffer(relay) || typeof sinceS !== "number") return [];
      return [{ relay: decodeJoinRelay(relay, "E_STORE"), sinceMs: sinceS * 1000 }];
    });
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return [];
  }
}

function guardsFile(folder: DataFolder, network: Network): string {
  return path.join(folder.networks, `${networkIdText(network.id)}.guards`);
}
