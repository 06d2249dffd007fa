import { systemClock } from "../base/clock.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import { SERVICE } from "../circuit/stream.ts";
import { askService } from "../circuit/messages.ts";
import { askGates } from "../directory/questions.ts";
import { hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import type { Swarm } from "../swarm/swarm.ts";
import { Finder } from "../tunnel/finder.ts";
import type { ShareTopic } from "../tunnel/topic.ts";
import type { Client } from "./client.ts";

/** Tunnels that a download keeps up where there are so many seeders: more add circuits, not speed. */
const TUNNELS_WANTED = 6;
const SCOUTS = 2;
const ASK_TIMEOUT_MS = 15_000;
/** Pauses between rounds: short while nobody is connected, long while data flows. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const TOP_UP_MS = 20_000;
/** How long nobody may be found: at first, and once something has come. */
const PATIENCE_MS = 25_000;
const PATIENCE_WITH_DATA_MS = 120_000;

export interface FetchingOptions {
  readonly client: Client;
  readonly topic: ShareTopic;
  readonly swarm: Swarm;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Keeps a download supplied with tunnels to seeders. */
export class Fetching {
  readonly #options: FetchingOptions;
  readonly #finder: Finder;
  /** Seeders by lease key that are connected, and those that sent wrong data. */
  readonly #connected = new Map<object, string>();
  readonly #banned = new Set<string>();
  #wake: (() => void) | undefined;
  #aloneSinceMs = systemClock.monotonicMs();

  constructor(options: FetchingOptions) {
    this.#options = options;
    const { client, log } = options;
    this.#finder = new Finder(options.topic, {
      clock: systemClock,
      random: systemRandom,
      log,
      askScouts: async (topicHash) => (await this.#askScouts(topicHash)).map(hopTarget),
      openGateCircuit: async (gate) => {
        const { circuit } = await client.open({ role: "downloader", gate: client.vet(gate.info) });
        return circuit;
      },
      readRelayInfo: (info) => hopTarget(client.vet(info)),
    });
  }

  /** For the swarm's events. */
  onPeerClosed(peer: object, error: BackroomError | undefined): void {
    const seeder = this.#connected.get(peer);
    if (seeder === undefined) return;
    this.#connected.delete(peer);
    // Who sent wrong data or addresses does so again; who went away may be back.
    if (error !== undefined && /^E_(PEER_|HASH)/.test(error.code)) this.#banned.add(seeder);
    if (this.#connected.size === 0) {
      this.#aloneSinceMs = systemClock.monotonicMs();
      this.#wake?.();
    }
  }

  /** Runs until `done` is aborted. Raises E_NO_SEEDERS and its kin when nobody is to be had for too long, E_INTERRUPTED when stopped. */
  async run(done: AbortSignal): Promise<void> {
    const { signal } = this.#options;
    const stop = AbortSignal.any([signal, done]);
    for (let failures = 0; !stop.aborted;) {
      const failure = await this.#round(stop);
      failures = failure === undefined ? 0 : failures + 1;
      if (this.#connected.size === 0) this.#losePatience(failure);
      const alone = this.#connected.size === 0;
      await this.#pause(alone ? Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) : TOP_UP_MS, stop);
    }
    if (signal.aborted) throw new BackroomError("E_INTERRUPTED", "the download was stopped");
  }

  async #round(stop: AbortSignal): Promise<BackroomError | undefined> {
    const want = TUNNELS_WANTED - this.#connected.size;
    if (want <= 0) return undefined;
    const connected = new Set(this.#connected.values());
    const isWanted = (seeder: string): boolean => !connected.has(seeder) && !this.#banned.has(seeder);
    try {
      for await (const { tunnel, seeder } of this.#finder.find({ want, isWanted })) {
        if (stop.aborted) {
          tunnel.close();
          break;
        }
        const peer = this.#options.swarm.addPeer(tunnel, { initiator: true });
        if (peer !== undefined) this.#connected.set(peer, seeder);
      }
      return undefined;
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      this.#options.log("debug", "looking for seeders failed", { code: error.code });
      return error;
    }
  }

  #losePatience(failure: BackroomError | undefined): void {
    const begun = this.#options.swarm.stats().haveCount > 0;
    const patienceMs = begun ? PATIENCE_WITH_DATA_MS : PATIENCE_MS;
    if (
      systemClock.monotonicMs() - this.#aloneSinceMs < patienceMs &&
      failure?.code !== "E_NETWORK_TOO_SMALL"
    )
      return;
    throw failure ?? new BackroomError("E_NO_SEEDERS", "no seeder of the share was found");
  }

  async #askScouts(topicHash: Buffer): Promise<RelayInfo[]> {
    const answers = await Promise.allSettled(Array.from({ length: SCOUTS }, () => this.#askScout(topicHash)));
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    const failed = answers.find((answer) => answer.status === "rejected");
    if (failed !== undefined && answers.every((answer) => answer.status === "rejected")) throw failed.reason;
    return [...new Map(found.map((info) => [info.key, info])).values()];
  }

  async #askScout(topicHash: Buffer): Promise<RelayInfo[]> {
    const { client } = this.#options;
    const { circuit } = await client.open({ role: "lookup" });
    try {
      const options = { clock: systemClock, timeoutMs: ASK_TIMEOUT_MS };
      const infos = await askGates(
        (question) => askService(circuit, SERVICE.scout, question, options),
        topicHash,
        client.decodeInfo,
      );
      return infos.filter((info) => usable(() => client.vet(info.bytes)));
    } finally {
      circuit.destroy();
    }
  }

  #pause(ms: number, stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        stop.removeEventListener("abort", end);
        this.#wake = undefined;
        resolve();
      };
      const cancel = systemClock.after(ms, end);
      stop.addEventListener("abort", end);
      this.#wake = end;
      if (stop.aborted) end();
    });
  }
}

function usable(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return false;
  }
}
