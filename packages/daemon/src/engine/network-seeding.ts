import { isBackroomError } from "@backroom/core/base/errors.ts";
import { GroupSeats } from "./group-seats.ts";
import type { Live } from "./live.ts";
import type { Consent, Held, Member } from "./member.ts";
import { clientFor, waitsFor } from "./network-use.ts";
import { OwnSeat } from "./own-seat.ts";
import { Roster } from "./roster.ts";
import { alone, type ListedShare, type SeatDeps, type SeatStats } from "./seats.ts";

/** How long a group is on the air where there are more than may be: longer than the longest pause of whoever waits for a share of it. */
const TURN_MS = 30 * 60_000;
/** Changes that come together, as when a daemon starts, are made together. */
const SETTLE_MS = 200;

/** All shares that are handed out in one network: keeps the roster's word while the network is joined. */
export class NetworkSeeding {
  readonly roster = new Roster();
  readonly #deps: SeatDeps;
  readonly #member: Member;
  readonly #stop = new AbortController();
  readonly #own = new Map<string, OwnSeat>();
  #groups: GroupSeats[] = [];
  /** What was accepted for any of them, which holds after a start, too. */
  readonly #accepted = new Set<Consent>();
  #held: Held | undefined;
  #isHolding = false;
  /** Which groups come first is chance, or those at the front would be found after every start, and those at the end never. */
  #turn: number;
  #cancelTurn: (() => void) | undefined;
  #cancelSettle: (() => void) | undefined;
  /** Seats are opened and closed one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(member: Member, deps: SeatDeps) {
    this.#member = member;
    this.#deps = { ...deps, share: (id) => alone(id, deps, () => deps.share(id)) };
    this.#turn = deps.random.below(2 ** 16);
  }

  /** From the one that was active longest ago to the latest. */
  add(shares: Iterable<Pick<ListedShare, "id" | "profile" | "accept">>): void {
    for (const { id, profile, accept } of shares) {
      this.roster.add(id, profile);
      for (const consent of accept) this.#accepted.add(consent);
    }
    this.#settleSoon();
  }

  touch(id: string): void {
    this.roster.touch(id);
    this.#settleSoon();
  }

  /** Fulfilled when nothing of it is open any more. */
  async remove(id: string): Promise<void> {
    this.roster.remove(id);
    await this.#closeSeat(id);
    this.#settleSoon();
    await this.#work;
    // What was being brought together meanwhile went by a roster that still had it.
    if (!this.roster.has(id)) await this.#closeSeat(id);
  }

  live(id: string): Live | undefined {
    if (!this.roster.has(id)) return undefined;
    const stats = this.#stats(id);
    const { state } = this;
    return {
      state,
      downloadRate: 0,
      uploadRate: stats?.uploadRate ?? 0,
      peerCount: stats?.peerCount ?? 0,
      gateCount: stats?.gateCount ?? 0,
      waits: state === "seeding" ? this.#waits(stats) : waitsFor(this.#member.failure),
    };
  }

  /** What all of them do just now. */
  get state(): "seeding" | "joining" {
    return this.#held !== undefined && !this.#held.gone.aborted ? "seeding" : "joining";
  }

  /** Shares that are open just now: their numbers may change. */
  busy(): string[] {
    return [...this.#own.keys(), ...this.#groups.flatMap((group) => group.awake())];
  }

  /** Every second: counts what was handed out, and lets go of what is not used. */
  tick(): void {
    for (const seat of this.#own.values()) seat.tick();
    for (const group of this.#groups) group.tick();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancelTurn?.();
    this.#cancelSettle?.();
    await this.#work;
    await this.#closeSeats();
    this.#held?.release();
  }

  async #closeSeat(id: string): Promise<void> {
    const own = this.#own.get(id);
    this.#own.delete(id);
    await own?.close();
    await Promise.all(this.#groups.map((group) => group.remove(id)));
  }

  #stats(id: string): SeatStats | undefined {
    const own = this.#own.get(id)?.stats();
    return own ?? this.#groups.map((group) => group.stats(id)).find((stats) => stats !== undefined);
  }

  #waits(stats: SeatStats | undefined): Live["waits"] {
    if (stats !== undefined) {
      if (stats.waitsFor !== undefined) return waitsFor(stats.waitsFor);
      if (stats.gateCount > 0) return null;
      return {
        code: "WAIT_GATE",
        why: "no relay has taken the share on as a gate yet, so it cannot be found",
        fix: "wait: other relays are asked by themselves",
      };
    }
    const turns = this.roster.turnCount();
    if (turns === 1) return null;
    return {
      code: "WAIT_ROUND",
      why: `this computer hands out more shares than can be found at a time: this one takes turns, ${TURN_MS / 60_000} minutes in every ${(turns * TURN_MS) / 60_000}`,
      fix: "whoever fetches it waits for its turn; what was fetched lately can be found all the time. Pausing shares that nobody needs shortens the rounds",
    };
  }

  #settleSoon(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelSettle ??= this.#deps.clock.after(SETTLE_MS, () => {
      this.#cancelSettle = undefined;
      this.#settle();
    });
  }

  /** Brings seats and roster together. */
  #settle(): void {
    this.#work = this.#work
      .then(() => this.#reconcile())
      .catch((error: unknown) => {
        if (!isBackroomError(error)) throw error;
        this.#deps.log("warn", "shares could not be registered", { code: error.code });
      });
  }

  async #reconcile(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if (this.roster.size === 0) {
      await this.#closeSeats();
      this.#held?.release();
      this.#held = undefined;
      return;
    }
    const held = this.#held;
    if (held === undefined || held.gone.aborted) return this.#hold();
    const own = new Set(this.roster.own());
    const gone = [...this.#own].filter(([id]) => !own.has(id));
    for (const [id, seat] of gone) {
      this.#own.delete(id);
      await seat.close();
    }
    for (const id of own) {
      if (this.#own.has(id)) continue;
      const share = this.#deps.share(id);
      if (share !== undefined) this.#own.set(id, new OwnSeat(share, held.client, this.#deps));
    }
    await this.#reconcileGroups(held);
  }

  async #reconcileGroups(held: Held): Promise<void> {
    const wanted = this.roster.onAir(this.#turn);
    for (const group of this.#groups.splice(wanted.length)) await group.close();
    for (const [place, { profile, ids }] of wanted.entries()) {
      let group = this.#groups[place];
      if (group !== undefined && group.profile !== profile) await group.close();
      if (group?.profile !== profile) {
        group = await GroupSeats.open(place, clientFor(held.client, profile), {
          ...this.#deps,
          profile,
          network: this.#member.network,
        });
      }
      this.#groups[place] = group;
      await group.set(ids);
    }
    if (this.roster.turnCount() === 1) {
      this.#cancelTurn?.();
      this.#cancelTurn = undefined;
      return;
    }
    this.#cancelTurn ??= this.#deps.clock.after(TURN_MS, () => {
      this.#cancelTurn = undefined;
      this.#turn++;
      this.#settle();
    });
  }

  /** Waits for the network as long as it takes: shares that were handed out before are to be found again whenever that is possible. */
  #hold(): void {
    if (this.#isHolding) return;
    this.#isHolding = true;
    void this.#closeSeats();
    const need = { accept: this.#accepted, isFinal: () => false, signal: this.#stop.signal };
    this.#member
      .use(need)
      .then((held) => {
        this.#held = held;
        held.gone.addEventListener("abort", () => {
          this.#held = undefined;
          this.#settle();
        });
        this.#settle();
      })
      .catch((error: unknown) => {
        if (!isBackroomError(error, "E_INTERRUPTED")) throw error;
      })
      .finally(() => {
        this.#isHolding = false;
      });
  }

  async #closeSeats(): Promise<void> {
    const seats = [...this.#own.values(), ...this.#groups];
    this.#own.clear();
    this.#groups = [];
    await Promise.all(seats.map((seat) => seat.close()));
  }
}
