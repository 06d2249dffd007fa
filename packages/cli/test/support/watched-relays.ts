import assert from "node:assert/strict";
import { systemClock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { currentNetwork } from "@backroom/core/node/networks.ts";
import { PathStore } from "@backroom/core/node/path-store.ts";
import type { CommandProcess } from "../../src/demo/children.ts";
import type { Rules } from "./leaks.ts";
import type { Lab } from "./namespaces.ts";
import type { TestNetwork } from "./network.ts";
import { TCP, UDP, type Packet } from "./pcap.ts";

/** Of so many of the last packets it is said who sent most. */
const LATE_PACKETS = 500;

/** The relays of a network that a lab watches, and what they are to two members of it. */
export class WatchedRelays {
  readonly #lab: Lab;
  readonly #network: TestNetwork;
  readonly #names: readonly string[];

  constructor(lab: Lab, network: TestNetwork, names: readonly string[]) {
    this.#lab = lab;
    this.#network = network;
    this.#names = names;
  }

  /** The relay that sends most to a member just now. */
  guardOf(member: string): CommandProcess {
    const own = this.#lab.addresses(member);
    return this.#busiest(({ target }) => own.includes(target), []);
  }

  /** The relay that announced a topic last, other than those. There is one share in the network, so it is a gate of that. */
  gate(but: readonly CommandProcess[]): CommandProcess {
    const announcements = this.#lab
      .soFar()
      .filter(({ protocol, payload }) => protocol === UDP && payload.includes("13:announce_peer"));
    const others = this.#running(but);
    for (const { source } of announcements.toReversed()) {
      const gate = others.find((relay) => this.#isAt(relay, source));
      if (gate !== undefined) return gate;
    }
    throw new Error("no relay announces");
  }

  /** Of the others, the relay that sends most. */
  middle(but: readonly CommandProcess[]): CommandProcess {
    return this.#busiest(({ protocol }) => protocol === TCP, but);
  }

  /** Kills it at once and starts it again. */
  async bounce(relay: CommandProcess): Promise<void> {
    relay.kill("SIGKILL");
    await relay.ended();
    await this.#network.restartRelay(relay.name);
  }

  /** Whom those members may speak with: their guards and the relays through which they joined. */
  async rules(...members: readonly string[]): Promise<Rules> {
    const neighbours = new Map<string, ReadonlySet<string>>();
    for (const member of members) {
      const folder = await openDataFolder(this.#network.dataFolder(member));
      const known = await currentNetwork(folder);
      const deps = { clock: systemClock, random: systemRandom, log: silentLog };
      const { guards } = await PathStore.open(folder, known, deps);
      const hosts = [...guards.joinRelays(), ...known.relays].map(({ host }) => host);
      const relays = this.#names.filter((name) =>
        hosts.some((host) => this.#lab.addresses(name).includes(host)),
      );
      assert.ok(
        relays.length < this.#names.length,
        `${member} may speak with all relays, so little would be proved`,
      );
      const addresses = new Set(relays.flatMap((name) => this.#lab.addresses(name)));
      for (const own of this.#lab.addresses(member)) neighbours.set(own, addresses);
    }
    return {
      ends: members.map((member) => this.#lab.addresses(member)),
      relays: new Set(this.#names.flatMap((name) => this.#lab.addresses(name))),
      neighbours: (end) => neighbours.get(end) ?? new Set(),
    };
  }

  #busiest(wanted: (packet: Packet) => boolean, but: readonly CommandProcess[]): CommandProcess {
    const late = this.#lab.soFar().filter(wanted).slice(-LATE_PACKETS);
    const bytesOf = (relay: CommandProcess): number =>
      late
        .filter(({ source }) => this.#isAt(relay, source))
        .reduce((sum, { payload }) => sum + payload.length, 0);
    const [first] = this.#running(but).toSorted((a, b) => bytesOf(b) - bytesOf(a));
    assert.ok(first !== undefined && bytesOf(first) > 0, "no relay does that");
    return first;
  }

  #running(but: readonly CommandProcess[]): CommandProcess[] {
    return this.#network
      .processes()
      .filter((one) => this.#names.includes(one.name) && !but.some(({ name }) => name === one.name));
  }

  #isAt(relay: CommandProcess, address: string): boolean {
    return this.#lab.addresses(relay.name).includes(address);
  }
}
