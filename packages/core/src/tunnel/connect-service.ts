import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { SERVICE, type CircuitStream, type ServedCircuit, type StreamHandlers } from "../circuit/stream.ts";
import { createAllowances } from "../directory/allowance.ts";
import { ConnectQueue } from "./connect-queue.ts";
import { decodeConnect, type ConnectRequest, type ConnectTerms } from "./connect-work.ts";
import type { Place, Registry } from "./registry.ts";
import { SpliceTotal } from "./splice-total.ts";
import { WorkLedger, type LedgerDeps } from "./work-ledger.ts";

export interface ConnectDeps extends LedgerDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A gate's connect service (PROTOCOL 8): opens tunnels to the seeders of a registry, at once while there is room, and by the work that is shown
 * when there is not.
 */
export class ConnectService {
  readonly #registry: Pick<Registry, "placeOf">;
  readonly #splices: SpliceTotal;
  readonly #queue: ConnectQueue;
  readonly #ledger: WorkLedger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ofCircuit: (circuit: number) => { take(): boolean };
  /** Tunnels of a downloader's circuit, waiting ones too. */
  readonly #perCircuit = new Map<ServedCircuit, number>();

  constructor(registry: Pick<Registry, "placeOf">, deps: ConnectDeps) {
    this.#registry = registry;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#splices = new SpliceTotal(deps.clock);
    this.#queue = new ConnectQueue(deps.clock);
    this.#ledger = new WorkLedger(deps);
    const rate = { burst: LIMITS.gateAttemptBurst, perSecond: LIMITS.gateAttemptsPerSecond };
    this.#ofCircuit = createAllowances(rate, LIMITS.allowanceCircuits, deps.clock);
  }

  get tunnels(): number {
    return this.#splices.tunnels;
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  /** What it takes to open a tunnel to one of these seeders. */
  termsFor(places: readonly Place[]): ConnectTerms {
    const effort = this.#queue.effortFor(new Set(places.map(({ circuit }) => circuit)));
    return { nonce: this.#ledger.nonce, effort };
  }

  /** The cheapest checks come first: what is refused costs a look, and wrong work one hash. */
  connect(stream: CircuitStream, args: Buffer, circuit: ServedCircuit): StreamHandlers | undefined {
    const open = this.#perCircuit.get(circuit) ?? 0;
    if (open >= LIMITS.gateTunnelsPerCircuit || !this.#ofCircuit(circuit.id).take())
      return this.#refuse("full");
    const request = requestFrom(args);
    const place = request && this.#registry.placeOf(request.tag);
    if (request === undefined || place === undefined) return this.#refuse("not-allowed");
    if (request.work !== undefined && !this.#ledger.isGood(request)) return this.#refuse("not-allowed");
    return this.#offer(stream, request, place, circuit);
  }

  close(): void {
    this.#queue.close();
  }

  #refuse(reason: "full" | "not-allowed"): undefined {
    this.#log("debug", "a tunnel was refused", { reason });
    return undefined;
  }

  #offer(
    stream: CircuitStream,
    request: ConnectRequest,
    place: Place,
    circuit: ServedCircuit,
  ): StreamHandlers | undefined {
    const seeder = place.circuit;
    this.#count(circuit, 1);
    const splice = this.#splices.splice(() => this.#count(circuit, -1), seeder);
    const effort = request.work?.effort ?? 0;
    const clock = this.#clock;
    let accepted = false;
    this.#queue.offer(seeder, {
      effort,
      sinceMs: clock.monotonicMs(),
      get gone() {
        return splice.done;
      },
      open: () => {
        // It may have left while this one waited.
        if (this.#registry.placeOf(request.tag) !== place) return "never";
        // Once more: it may have been spent by another stream, or its nonce be over.
        if (request.work !== undefined && !this.#ledger.isGood(request)) return "never";
        if (!this.#splices.makePlace(seeder, effort > 0)) return "later";
        return this.#join(stream, request, place, splice);
      },
      refuse: () => {
        this.#refuse("full");
        splice.abort();
        if (accepted) stream.end();
      },
    });
    accepted = !splice.done;
    return accepted ? splice.downloaderSide : undefined;
  }

  #join(
    stream: CircuitStream,
    request: ConnectRequest,
    { circuit: seeder }: Place,
    splice: ReturnType<SpliceTotal["splice"]>,
  ): "opened" | "later" | "never" {
    try {
      splice.join(stream, seeder.openStream(SERVICE.incoming, request.tag, splice.seederSide));
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return error.code === "E_REFUSED" ? "later" : "never";
    }
    this.#ledger.spend(request);
    this.#log("debug", "a tunnel was joined", { tunnelCount: this.#splices.tunnels });
    return "opened";
  }

  #count(circuit: ServedCircuit, by: 1 | -1): void {
    const count = (this.#perCircuit.get(circuit) ?? 0) + by;
    if (count === 0) this.#perCircuit.delete(circuit);
    else this.#perCircuit.set(circuit, count);
  }
}

/** Undefined for what is none. Copies: what is kept may lie in a frame, and waits longer than that lives. */
function requestFrom(args: Buffer): ConnectRequest | undefined {
  try {
    return decodeConnect(Buffer.from(args));
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return undefined;
  }
}
