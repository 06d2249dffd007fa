import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { hasConnectWork, NONCE_LENGTH, type ConnectRequest, type ConnectWork } from "./connect-work.ts";

interface Page {
  readonly nonce: Buffer;
  readonly sinceMs: number;
  /** Solutions that opened a tunnel. */
  readonly spent: Set<string>;
}

export interface LedgerDeps {
  readonly nodeKey: Buffer;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly random: Random;
}

/**
 * A gate's nonces, and the work that was spent under them. A nonce holds for two spans of LIMITS.connectNonceMs, and what was spent is
 * forgotten with it; so what is remembered is bounded by the tunnels that a gate opens in that time.
 */
export class WorkLedger {
  readonly #deps: LedgerDeps;
  #current: Page;
  #previous: Page | undefined;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
    this.#current = this.#freshPage();
  }

  get nonce(): Buffer {
    this.#turn();
    return this.#current.nonce;
  }

  /** Work remembered as spent. */
  get size(): number {
    return this.#current.spent.size + (this.#previous?.spent.size ?? 0);
  }

  /**
   * Whether the work is real, under a nonce in force, and not spent. Costs a hash at most, after the cheap checks. Where as much is remembered
   * as may be, none is good, for it could come again.
   */
  isGood(request: ConnectRequest): boolean {
    const page = request.work && this.#pageOf(request.work);
    if (page === undefined || page.spent.has(nameOf(request))) return false;
    if (this.size >= LIMITS.connectWorkRemembered) return false;
    return hasConnectWork(this.#deps.nodeKey, request);
  }

  /** For work that is good. */
  spend(request: ConnectRequest): void {
    if (request.work !== undefined) this.#pageOf(request.work)?.spent.add(nameOf(request));
  }

  #pageOf(work: ConnectWork): Page | undefined {
    this.#turn();
    return [this.#current, this.#previous].find((page) => page?.nonce.equals(work.nonce));
  }

  #turn(): void {
    const ageMs = this.#deps.clock.monotonicMs() - this.#current.sinceMs;
    if (ageMs < LIMITS.connectNonceMs) return;
    // After a long silence the last nonce is too old as well.
    this.#previous = ageMs < 2 * LIMITS.connectNonceMs ? this.#current : undefined;
    this.#current = this.#freshPage();
  }

  #freshPage(): Page {
    const { clock, random } = this.#deps;
    return { nonce: random.bytes(NONCE_LENGTH), sinceMs: clock.monotonicMs(), spent: new Set() };
  }
}

/** Tag and solution: the same solution for another tag is other work. */
function nameOf({ tag, work }: ConnectRequest): string {
  return tag.toString("latin1") + (work?.solution.toString("latin1") ?? "");
}
