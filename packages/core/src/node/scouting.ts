import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { askService } from "../circuit/messages.ts";
import { SERVICE } from "../circuit/stream.ts";
import { askGates } from "../directory/questions.ts";
import type { RelayInfo } from "../directory/relay-info.ts";
import type { Client } from "./client.ts";

/** Asked at once: one of them may lie. */
const SCOUTS = 2;
const ASK_TIMEOUT_MS = 15_000;
/** For this long others are asked than those that were asked already. */
const AVOID_MS = 2 * 60_000;

/**
 * Asks scouts for the gates of a topic. Whoever asks again does so because nobody was found, or too few: so each question goes to scouts that have not
 * been asked lately, as far as there are any, and to one more where those name no gate at all. Of scouts drawn anew each time, a share of liars would be
 * met again and again; where each is asked once, few rounds are enough to have met an honest one.
 */
export class Scouting {
  readonly #client: Pick<Client, "open" | "vet" | "decodeInfo" | "machine">;
  /** By node key in hex, the latest last: until when they are left out. Monotonic. */
  readonly #asked = new Map<string, number>();

  constructor(client: Pick<Client, "open" | "vet" | "decodeInfo" | "machine">) {
    this.#client = client;
  }

  /** The gates that any of them names. Raises why the last one failed when none answers. */
  async ask(topicHash: Buffer): Promise<RelayInfo[]> {
    const answers = await Promise.allSettled(Array.from({ length: SCOUTS }, () => this.#askOne(topicHash)));
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    const gates = found.length > 0 ? found : await this.#askOne(topicHash);
    return [...new Map(gates.map((info) => [info.key, info])).values()];
  }

  async #askOne(topicHash: Buffer): Promise<RelayInfo[]> {
    const { decodeInfo, machine } = this.#client;
    const { circuit, path } = await this.#open();
    const scout = path.at(-1);
    if (scout !== undefined) this.#note(scout.key);
    try {
      const infos = await askGates(
        (question) =>
          askService(circuit, SERVICE.scout, question, { clock: machine.clock, timeoutMs: ASK_TIMEOUT_MS }),
        topicHash,
        decodeInfo,
      );
      return infos.filter((info) => this.#isUsable(info));
    } finally {
      circuit.destroy();
    }
  }

  async #open(): ReturnType<Client["open"]> {
    const nowMs = this.#client.machine.clock.monotonicMs();
    for (const [key, untilMs] of this.#asked) if (untilMs <= nowMs) this.#asked.delete(key);
    try {
      return await this.#client.open({ role: "lookup", notLast: new Set(this.#asked.keys()) });
    } catch (error) {
      // All that there are have been asked.
      if (this.#asked.size === 0 || !isBackroomError(error, "E_NETWORK_TOO_SMALL")) throw error;
      this.#asked.clear();
      return this.#client.open({ role: "lookup" });
    }
  }

  #note(key: string): void {
    this.#asked.delete(key);
    this.#asked.set(key, this.#client.machine.clock.monotonicMs() + AVOID_MS);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > LIMITS.scoutsAvoided && oldest !== undefined) this.#asked.delete(oldest);
  }

  #isUsable(info: RelayInfo): boolean {
    try {
      this.#client.vet(info.bytes);
      return true;
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return false;
    }
  }
}
