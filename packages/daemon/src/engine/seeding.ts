import { BackroomError } from "@backroom/core/base/errors.ts";
import { networkIdOf } from "@backroom/core/link/link.ts";
import type { Live } from "./live.ts";
import type { Member } from "./member.ts";
import { NetworkSeeding } from "./network-seeding.ts";
import { alone, type ListedShare, type SeatDeps } from "./seats.ts";

/** All shares that are handed out, by their network. */
export class Seeding {
  readonly #deps: SeatDeps;
  readonly #memberOf: (networkId: number) => Promise<Member | undefined>;
  readonly #networks = new Map<number, NetworkSeeding>();
  readonly #networkOf = new Map<string, number>();

  constructor(deps: SeatDeps, memberOf: (networkId: number) => Promise<Member | undefined>) {
    this.#deps = deps;
    this.#memberOf = memberOf;
  }

  /** From the one that was active longest ago to the latest, each with its link as text. A network that is unknown fails its shares. */
  async add(shares: readonly ListedShare[]): Promise<void> {
    const byNetwork = new Map<number, ListedShare[]>();
    for (const share of shares) {
      const networkId = alone(share.id, this.#deps, () => networkIdOf(share.link));
      if (networkId === undefined) continue;
      this.#networkOf.set(share.id, networkId);
      const ofNetwork = byNetwork.get(networkId) ?? [];
      byNetwork.set(networkId, ofNetwork);
      ofNetwork.push(share);
    }
    for (const [networkId, ofNetwork] of byNetwork) {
      const network = await this.#network(networkId);
      const left = ofNetwork.filter(({ id }) => this.#networkOf.get(id) === networkId);
      if (network !== undefined) network.add(left);
      else for (const { id } of left) this.#deps.onFailed(id, unknownNetwork());
    }
  }

  has(id: string): boolean {
    return this.#networkOf.has(id);
  }

  /** How many of them are in which state. */
  counts(): { readonly state: "seeding" | "joining"; readonly count: number }[] {
    return [...this.#networks.values()].map(({ state, roster }) => ({ state, count: roster.size }));
  }

  touch(id: string): void {
    this.#of(id)?.touch(id);
  }

  /** Ids of the latest active ones. */
  latest(): string[] {
    return [...this.#networks.values()].flatMap(({ roster }) => roster.own());
  }

  async remove(id: string): Promise<void> {
    const network = this.#of(id);
    this.#networkOf.delete(id);
    await network?.remove(id);
  }

  live(id: string): Live | undefined {
    return this.#of(id)?.live(id);
  }

  busy(): string[] {
    return [...this.#networks.values()].flatMap((network) => network.busy());
  }

  tick(): void {
    for (const network of this.#networks.values()) network.tick();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#networks.values()].map((network) => network.close()));
  }

  #of(id: string): NetworkSeeding | undefined {
    return this.#networks.get(this.#networkOf.get(id) ?? -1);
  }

  async #network(networkId: number): Promise<NetworkSeeding | undefined> {
    const member = await this.#memberOf(networkId);
    if (member === undefined) return undefined;
    const network = this.#networks.get(networkId) ?? new NetworkSeeding(member, this.#deps);
    this.#networks.set(networkId, network);
    return network;
  }
}

function unknownNetwork(): BackroomError {
  return new BackroomError(
    "E_NO_NETWORK",
    "the network that this share belongs to is not known here any more",
  );
}
