import type { Profile } from "@backroom/core/directory/path.ts";

/**
 * Shares on circuits of their own, two each. A relay takes 64 circuits of one client (LIMITS.circuitsPerClient): these, those of the groups, and those that
 * replace them take about half, and leave the rest to downloads.
 */
export const OWN_MOST = 12;
/** A gate takes 128 registrations of one circuit, and near the turn of an epoch each share has two. */
export const GROUP_SHARES = 64;
/** Groups that are registered at a time. */
export const GROUPS_ON_AIR = 5;

export interface Group {
  readonly profile: Profile;
  readonly ids: readonly string[];
}

/**
 * Which of a member's shares are registered how (DESIGN 6): those that were active last on circuits of their own, the others in groups; and where there
 * are more groups than may be registered at a time, they take turns. Pure: who is where depends on what was said here alone.
 */
export class Roster {
  /** Ids in the order in which they were active: the last one is the latest. */
  readonly #shares = new Set<string>();
  /** In the order of coming, so that groups stay the same sets. */
  readonly #joined = new Map<string, Profile>();
  /** What follows from both, until one of them changes: it is asked for every share that is shown. */
  #derived: { readonly own: readonly string[]; readonly groups: readonly Group[] } | undefined;

  get size(): number {
    return this.#shares.size;
  }

  has(id: string): boolean {
    return this.#shares.has(id);
  }

  /** Counts as the latest one that was active. */
  add(id: string, profile: Profile): void {
    if (this.#shares.has(id)) return;
    this.#joined.set(id, profile);
    this.#shares.add(id);
    this.#derived = undefined;
  }

  remove(id: string): void {
    this.#shares.delete(id);
    this.#joined.delete(id);
    this.#derived = undefined;
  }

  /** Somebody fetched it. */
  touch(id: string): void {
    if (!this.#shares.delete(id)) return;
    this.#shares.add(id);
    // The order among those on circuits of their own decides nothing.
    if (this.#derived?.own.includes(id) !== true) this.#derived = undefined;
  }

  /** Those on circuits of their own. */
  own(): readonly string[] {
    return this.#derive().own;
  }

  /** The groups that are registered at the `turn`-th turn, by their place on the air; as few as there are. */
  onAir(turn: number): Group[] {
    const { groups } = this.#derive();
    const first = groups.length <= GROUPS_ON_AIR ? 0 : (turn * GROUPS_ON_AIR) % groups.length;
    const count = Math.min(GROUPS_ON_AIR, groups.length);
    return Array.from({ length: count }, (_, n) => groups[(first + n) % groups.length] as Group);
  }

  /** Turns until every group was on the air; 1 where all are all the time. */
  turnCount(): number {
    return Math.max(1, Math.ceil(this.#derive().groups.length / GROUPS_ON_AIR));
  }

  /** A group's circuits are of one profile, so shares of the two are not mixed. */
  #derive(): { readonly own: readonly string[]; readonly groups: readonly Group[] } {
    if (this.#derived !== undefined) return this.#derived;
    const own = [...this.#shares].slice(-OWN_MOST);
    const groups: Group[] = [];
    for (const profile of ["strong", "standard"] as const) {
      const ids = [...this.#joined]
        .filter(([id, its]) => its === profile && !own.includes(id))
        .map(([id]) => id);
      for (let at = 0; at < ids.length; at += GROUP_SHARES)
        groups.push({ profile, ids: ids.slice(at, at + GROUP_SHARES) });
    }
    this.#derived = { own, groups };
    return this.#derived;
  }
}
