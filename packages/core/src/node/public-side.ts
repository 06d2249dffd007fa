import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Network } from "../directory/network.ts";
import { networkTopic } from "../directory/network-topic.ts";
import type { RelayTable } from "../directory/table.ts";
import type { Endpoint } from "../net/channel.ts";
import { startDht, type Dht } from "../net/dht/dht.ts";
import type { Machine } from "./machine.ts";
import { relayServices, type RelayServices, type RelayServicesOptions } from "./relay-services.ts";

export interface PublicSideOptions extends Omit<RelayServicesOptions, "dht"> {
  readonly machine: Machine;
  readonly network: Network;
  readonly table: RelayTable;
  /** Where this relay listens: the DHT takes the same number for UDP. */
  readonly port: number;
  readonly log: Log;
  /** What the relay offers at its end of circuits; filled while this side is open. */
  readonly handlers: RelayServices["handlers"];
}

/** What only a relay that others can dial has: a node of the DHT, and services at the end of circuits. */
export class PublicSide {
  readonly #options: PublicSideOptions;
  #open: { readonly dht: Dht; readonly services: RelayServices; readonly announcePort: number } | undefined;

  constructor(options: PublicSideOptions) {
    this.#options = options;
  }

  /**
   * Opens it, or leaves it as it is where it is open under that port. Where `anyPort`, a UDP port that is taken is no obstacle.
   * Raises E_PORT_IN_USE or E_LISTEN.
   */
  async open(announcePort: number, anyPort: boolean): Promise<void> {
    if (this.#open?.announcePort === announcePort) return;
    await this.close();
    const { port, handlers } = this.#options;
    const dht = await this.#startDht(port, announcePort).catch((error: unknown) => {
      if (!anyPort || !isBackroomError(error, "E_PORT_IN_USE")) throw error;
      return this.#startDht(0, announcePort);
    });
    dht.announce(networkTopic(this.#options.network.id));
    const services = relayServices({ ...this.#options, dht });
    Object.assign(handlers, services.handlers);
    this.#open = { dht, services, announcePort };
  }

  /** Nodes that may speak DHT. */
  addNodes(nodes: readonly Endpoint[]): void {
    this.#open?.dht.addNodes(nodes);
  }

  /** Where the DHT says that there are relays of this network. Nowhere while this side is closed. Raises E_DHT. */
  async findRelays(): Promise<Endpoint[]> {
    return (await this.#open?.dht.lookup(networkTopic(this.#options.network.id))) ?? [];
  }

  async close(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    for (const service of Object.keys(open.services.handlers)) {
      Reflect.deleteProperty(this.#options.handlers, service);
    }
    open.services.close();
    await open.dht.close();
  }

  #startDht(port: number, announcePort: number): Promise<Dht> {
    const { network, table, machine, log } = this.#options;
    const known = table.entries().flatMap(({ info }) => info.endpoints);
    return startDht({
      port,
      announcePort,
      bootstrap: [...network.bootstrap, ...network.relays, ...known],
      testNetwork: network.test,
      clock: machine.clock,
      log,
    });
  }
}
