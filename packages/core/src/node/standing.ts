import type { Log } from "../base/log.ts";
import { codeOf } from "../base/errors.ts";
import type { RelayInfo } from "../directory/relay-info.ts";
import type { Endpoint } from "../net/channel.ts";
import { GuestSide, type GuestSideDeps } from "./guest-side.ts";
import type { OwnInfo } from "./own-info.ts";
import type { PublicSide } from "./public-side.ts";

export interface StandingDeps extends Omit<GuestSideDeps, "infoNaming" | "onHosts"> {
  readonly own: OwnInfo;
  readonly publicSide: PublicSide;
  readonly log: Log;
  /** Others are to hear of it soon. */
  announce(): void;
  /** Told once it has taken effect. */
  onStanding(standing: { readonly reachable: boolean; readonly hosts: number }): void;
}

/** Turns what was found out about this computer into what it is in the network: a relay that others dial, or a guest behind hosts. */
export class Standing {
  readonly #deps: StandingDeps;
  #guest: GuestSide | undefined;
  /** Changes wait for each other: opening and closing take a while. */
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: StandingDeps) {
    this.#deps = deps;
  }

  set(endpoints: readonly Endpoint[]): void {
    this.#changing = this.#changing.then(() => this.#change(endpoints));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#guest?.stop();
    await this.#changing;
    await this.#deps.publicSide.close();
  }

  async #change(endpoints: readonly Endpoint[]): Promise<void> {
    if (this.#closed) return;
    const reachable = endpoints.length > 0 && (await this.#goPublic(endpoints));
    if (!reachable) await this.#goBehindHosts();
    this.#deps.log("info", "where this relay can be found has changed", { isReachable: reachable });
    if (reachable) this.#tell();
  }

  async #goPublic(endpoints: readonly Endpoint[]): Promise<boolean> {
    const { publicSide, own, log } = this.#deps;
    try {
      // The DHT speaks of IPv4 addresses, which come first.
      await publicSide.open((endpoints[0] as Endpoint).port, true);
    } catch (error) {
      log("warn", "the DHT could not be started, so this relay stays behind hosts", { code: codeOf(error) });
      return false;
    }
    this.#guest?.stop();
    this.#guest = undefined;
    own.where = { kind: "reachable", endpoints };
    this.#deps.announce();
    return true;
  }

  async #goBehindHosts(): Promise<void> {
    const { publicSide, own } = this.#deps;
    await publicSide.close();
    if (this.#guest !== undefined) return;
    own.where = { kind: "nowhere" };
    const guest = new GuestSide({
      ...this.#deps,
      infoNaming: (hosts: readonly RelayInfo[]) => {
        if (this.#guest === guest) own.where = { kind: "guest", hosts };
        return own.bytes();
      },
      onHosts: () => this.#tell(),
    });
    this.#guest = guest;
    await guest.start();
    if (guest.hostCount === 0) this.#tell();
  }

  #tell(): void {
    if (this.#closed) return;
    this.#deps.onStanding({ reachable: this.#guest === undefined, hosts: this.#guest?.hostCount ?? 0 });
  }
}
