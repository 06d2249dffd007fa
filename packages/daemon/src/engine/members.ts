import type { Network } from "@backroom/core/directory/network.ts";
import { Client, type ClientOptions } from "@backroom/core/node/client.ts";
import type { Hooks } from "@backroom/core/node/hooks.ts";
import type { DaemonContext } from "../context.ts";
import { Member } from "./member.ts";

/** How a client comes to be: `Client.open` in the daemon, over carriers in memory in tests. */
export type OpenClient = (options: ClientOptions, hooks: Hooks) => Promise<Client>;

/** This computer in each of its networks: whoever needs one takes it from here, so that there is one client for each. */
export class Members {
  readonly #context: DaemonContext;
  readonly #openClient: OpenClient;
  readonly #byNetwork = new Map<number, Member>();
  readonly #listeners = new Set<(member: Member) => void>();
  #isClosed = false;

  constructor(
    context: DaemonContext,
    openClient: OpenClient = (options, hooks) => Client.open(options, hooks),
  ) {
    this.#context = context;
    this.#openClient = openClient;
    context.settings.onChange((key) => {
      if (key === "network.proxy" || key === "network.lan")
        for (const member of this.list()) member.restart();
    });
  }

  /** Made where it is not there; it joins nothing by itself. */
  of(network: Network): Member {
    const known = this.#byNetwork.get(network.id);
    if (known !== undefined) return known;
    const { folder, settings, machine, log, events } = this.#context;
    const member = new Member({
      network,
      clock: machine.clock,
      log,
      open: (joinRelays, hooks) =>
        this.#openClient(
          {
            folder,
            network,
            joinRelays,
            profile: "standard",
            log,
            proxy: settings.get("network.proxy") ?? undefined,
            lan: settings.get("network.lan"),
          },
          hooks,
        ),
      onChange: () => {
        if (!this.#isClosed) for (const listener of this.#listeners) listener(member);
      },
      notice: (level, text) => events.publish({ name: "notice", data: { level, text, transfer: null } }),
    });
    this.#byNetwork.set(network.id, member);
    return member;
  }

  /** That of a network by its id, where something needed it in this run. */
  get(networkId: number): Member | undefined {
    return this.#byNetwork.get(networkId);
  }

  list(): Member[] {
    return [...this.#byNetwork.values()];
  }

  /** Calls back whenever a member's state, client or failure is another one. */
  onChange(listener: (member: Member) => void): void {
    this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.list().map((member) => member.close()));
  }
}
