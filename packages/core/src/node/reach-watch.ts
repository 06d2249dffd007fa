import type { Clock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import { shuffled, type Random } from "../base/random.ts";
import { ChannelPool } from "../circuit/channel-pool.ts";
import { buildCircuit } from "../circuit/client-circuit.ts";
import { askService } from "../circuit/messages.ts";
import { SERVICE } from "../circuit/stream.ts";
import { askReach, type Reached } from "../directory/questions.ts";
import { hopTarget, type RelayInfo } from "../directory/relay-info.ts";
import { sourceOf } from "../directory/subnets.ts";
import type { RelayTable } from "../directory/table.ts";
import type { Dialer, Endpoint } from "../net/channel.ts";
import { behindRouter, familiesOf, type OwnAddress } from "./own-addresses.ts";
import {
  Reachability,
  type AskableRelay,
  type Family,
  type ReachabilityAction,
  type ReachabilityEvent,
} from "./reachability.ts";

/** How often the interfaces are looked at: the system tells nobody when they change. */
const LOOK_MS = 15_000;
/** With fewer relays than these there is nobody to ask: the first round waits for more, but not for ever. */
const ENOUGH_RELAYS = 3;
const WAIT_FOR_RELAYS_MS = 500;
const MOST_WAITS = 40;

export interface ReachWatchDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly table: RelayTable;
  readonly network: { readonly test: boolean };
  /** This relay's own. */
  readonly nodeKey: Buffer;
  /** Where it listens. */
  readonly port: number;
  /** Anonymous: what is found out is not announced before it is known. */
  readonly dialer: Dialer;
  addresses(): readonly OwnAddress[];
  /** Has the router hand on `port`; gives the router's port, or undefined. Never rejects. */
  mapPort(): Promise<number | undefined>;
  onVerdict(endpoints: readonly Endpoint[]): void;
}

/** Runs `Reachability`: asks relays, watches this computer's addresses, and asks again now and then. */
export class ReachWatch {
  readonly #deps: ReachWatchDeps;
  readonly #machine: Reachability;
  #seen = "";
  #waits = 0;
  #cancelDue = (): void => {};
  #cancelLook = (): void => {};
  #cancelHurry = (): void => {};
  #stopped = false;

  constructor(deps: ReachWatchDeps) {
    this.#deps = deps;
    this.#machine = new Reachability(deps.port);
  }

  start(): void {
    this.#seen = nameOf(this.#deps.addresses());
    this.#look();
    this.#due();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelDue();
    this.#cancelLook();
    this.#cancelHurry();
  }

  /** The router's port, or whether there is one, is another than before. */
  moved(): void {
    this.#take({ kind: "moved" });
  }

  #look(): void {
    this.#cancelLook = this.#deps.clock.after(LOOK_MS, () => {
      const now = nameOf(this.#deps.addresses());
      const changed = now !== this.#seen;
      this.#seen = now;
      this.#look();
      if (changed) this.moved();
    });
  }

  #due(): void {
    const { table, network, random, clock, nodeKey } = this.#deps;
    const own = nodeKey.toString("hex");
    const others = table.forPaths().filter(({ key }) => key !== own);
    if (others.length < ENOUGH_RELAYS && this.#waits++ < MOST_WAITS) {
      this.#cancelDue = clock.after(WAIT_FOR_RELAYS_MS, () => this.#due());
      return;
    }
    const relays = shuffled(others, random).map((info): AskableRelay => ({
      key: info.key,
      source: sourceOf(info, network),
      families: ([4, 6] as const).filter((family) => endpointsBy(info, family).length > 0),
    }));
    this.#take({ kind: "due", relays, families: familiesOf(this.#deps.addresses(), network.test) });
  }

  #take(event: ReachabilityEvent): void {
    if (this.#stopped) return;
    for (const action of this.#machine.take(event)) this.#do(action);
  }

  #do(action: ReachabilityAction): void {
    switch (action.kind) {
      case "ask":
        void this.#ask(action).then((answer) => this.#take(answer));
        return;
      case "map":
        void this.#map().then((port) => this.#take({ kind: "mapped", map: action.map, port }));
        return;
      case "hurry":
        this.#cancelHurry();
        this.#cancelHurry = this.#deps.clock.after(action.ms, () => this.#take({ kind: "slow" }));
        return;
      case "verdict":
        return this.#deps.onVerdict(action.endpoints);
      case "wait":
        this.#cancelDue();
        this.#cancelDue = this.#deps.clock.after(action.ms, () => this.#due());
    }
  }

  #map(): Promise<number | undefined> {
    return behindRouter(this.#deps.addresses()) ? this.#deps.mapPort() : Promise.resolve(undefined);
  }

  async #ask(action: Extract<ReachabilityAction, { kind: "ask" }>): Promise<ReachabilityEvent> {
    const { ask, key, family, port } = action;
    const info = this.#deps.table.get(key)?.info;
    if (info === undefined) return { kind: "silence", ask };
    try {
      const { endpoint, reached } = await this.#askRelay(info, family, port);
      return { kind: "answer", ask, seen: endpoint, reached };
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      return { kind: "silence", ask };
    }
  }

  /** Over a connection of its own, by that family: what the relay sees of it is what the question is about. */
  async #askRelay(info: RelayInfo, family: Family, port: number): Promise<Reached> {
    const { dialer, clock, nodeKey } = this.#deps;
    const channels = new ChannelPool({ dialer, clock });
    try {
      const target = { ...hopTarget(info), endpoints: endpointsBy(info, family) };
      const circuit = await buildCircuit({ channels, clock }, [target]);
      return await askReach(
        (question) => askService(circuit, SERVICE.directory, question, { clock }),
        nodeKey,
        port,
      );
    } finally {
      channels.close();
    }
  }
}

function endpointsBy(info: RelayInfo, family: Family): Endpoint[] {
  return info.endpoints.filter(({ host }) => host.includes(":") === (family === 6));
}

function nameOf(addresses: readonly OwnAddress[]): string {
  return addresses
    .map(({ host }) => host)
    .toSorted()
    .join();
}
