import type { ByteDuplex } from "@backroom/core/base/duplex.ts";
import { BackroomError, codeOf, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Network } from "@backroom/core/directory/network.ts";
import type { Profile } from "@backroom/core/directory/path.ts";
import { topicSecret, type ShareLink } from "@backroom/core/link/link.ts";
import type { Client } from "@backroom/core/node/client.ts";
import { openGroupGates } from "@backroom/core/node/kept-gates.ts";
import { openPresence } from "@backroom/core/node/seeding.ts";
import { relaysInLink } from "@backroom/core/node/share-link.ts";
import { newSeederKeys, Swarming } from "@backroom/core/node/swarming.ts";
import type { SeederKeys } from "@backroom/core/tunnel/lease.ts";
import type { SeederPlace, SeederPresence } from "@backroom/core/tunnel/seeder-presence.ts";
import { isAllHeld } from "./chosen-files.ts";
import { packGone } from "./own-seat.ts";
import type { HeldPack } from "./packs.ts";
import type { SeatDeps, SeatStats, SeededShare } from "./seats.ts";

/** A pack that nobody fetched from for this long is closed again. */
const DOZE_MS = 60_000;

interface Seat {
  readonly share: SeededShare;
  readonly seederKeys: SeederKeys;
  readonly place: SeederPlace;
  /** While somebody fetches it, or did lately. */
  awake: Promise<Awake | undefined> | undefined;
  now: Awake | undefined;
}

interface Awake {
  readonly pack: HeldPack;
  readonly swarming: Swarming;
  uploadedBytes: number;
  /** When somebody was last there; monotonic. */
  usedMs: number;
}

type GroupClient = Pick<Client, "open" | "vet" | "machine" | "relays">;

interface GroupDeps extends SeatDeps {
  readonly profile: Profile;
  readonly network: Pick<Network, "id">;
}

/** Shares that are registered over the same two circuits. Nothing of their packs is open before somebody comes. */
export class GroupSeats {
  /** Of its circuits. */
  readonly profile: Profile;
  readonly #deps: SeatDeps;
  readonly #client: GroupClient;
  readonly #presence: SeederPresence;
  readonly #seats = new Map<string, Seat>();
  /** Relays that links of the group name, who see newcomers come: none of them is to be a gate of it while there are others (DESIGN 4). */
  readonly #inLinks: Set<string>;

  private constructor(client: GroupClient, presence: SeederPresence, inLinks: Set<string>, deps: GroupDeps) {
    this.profile = deps.profile;
    this.#inLinks = inLinks;
    this.#client = client;
    this.#presence = presence;
    this.#deps = deps;
  }

  /** `client` builds circuits of the group's profile. `place` names the group among those on the air: it stays at the gates that the one in that place was at before. Raises E_STORE. */
  static async open(place: number, client: GroupClient, deps: GroupDeps): Promise<GroupSeats> {
    const { folder, log, network } = deps;
    const relays = (): ReturnType<Client["relays"]> => client.relays();
    const gates = await openGroupGates({ folder, network, place, log, relays });
    const inLinks = new Set<string>();
    const presence = openPresence({ client, notGates: inLinks, log, gates });
    return new GroupSeats(client, presence, inLinks, deps);
  }

  /** From now on these are in the group, and no others. */
  async set(ids: readonly string[]): Promise<void> {
    const wanted = new Set(ids);
    const gone = [...this.#seats.keys()].filter((id) => !wanted.has(id));
    await Promise.all(gone.map((id) => this.remove(id)));
    for (const id of ids) if (!this.#seats.has(id)) this.#add(id);
  }

  async remove(id: string): Promise<void> {
    const seat = this.#seats.get(id);
    if (seat === undefined) return;
    this.#seats.delete(id);
    this.#noteLinks();
    seat.place.leave();
    await this.#doze(seat);
  }

  #noteLinks(...more: readonly ShareLink[]): void {
    this.#inLinks.clear();
    for (const link of [...[...this.#seats.values()].map(({ share }) => share.link), ...more]) {
      for (const key of relaysInLink(link)) this.#inLinks.add(key);
    }
  }

  stats(id: string): SeatStats | undefined {
    const seat = this.#seats.get(id);
    if (seat === undefined) return undefined;
    const stats = seat.now?.swarming.swarm.stats();
    return {
      gateCount: seat.place.gateCount,
      peerCount: stats?.peerCount ?? 0,
      uploadRate: stats?.uploadRate ?? 0,
    };
  }

  awake(): string[] {
    return [...this.#seats].filter(([, seat]) => seat.now !== undefined).map(([id]) => id);
  }

  tick(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const seat of this.#seats.values()) {
      const { now } = seat;
      if (now === undefined) continue;
      const { peerCount, complete } = now.swarming.swarm.stats();
      this.#count(seat, now);
      if (!complete) this.#deps.onIncomplete(seat.share.id);
      if (peerCount > 0) now.usedMs = nowMs;
      if (nowMs - now.usedMs < DOZE_MS) continue;
      const wasFetched = now.uploadedBytes > 0;
      void this.#doze(seat).then(() => {
        // Not before: on circuits of its own it would begin anew in the middle of a download.
        if (wasFetched) this.#deps.onActive(seat.share.id);
      });
    }
  }

  async close(): Promise<void> {
    this.#presence.close();
    const seats = [...this.#seats.values()];
    this.#seats.clear();
    await Promise.all(seats.map((seat) => this.#doze(seat)));
  }

  #add(id: string): void {
    const share = this.#deps.share(id);
    if (share === undefined) return;
    const { link, sharer } = share;
    const seederKeys = newSeederKeys(sharer?.keys);
    const topic = { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint };
    // Before the presence looks for gates.
    this.#noteLinks(link);
    const place = this.#presence.add({
      ...topic,
      seederKeys,
      onTunnel: (tunnel) => void this.#onTunnel(id, tunnel),
    });
    this.#seats.set(id, { share, seederKeys, place, awake: undefined, now: undefined });
  }

  /** Never rejects. */
  async #onTunnel(id: string, tunnel: ByteDuplex): Promise<void> {
    const seat = this.#seats.get(id);
    if (seat === undefined) return tunnel.close();
    try {
      seat.awake ??= this.#wake(seat);
      const awake = await seat.awake;
      if (awake === undefined) return tunnel.close();
      awake.usedMs = this.#deps.clock.monotonicMs();
      awake.swarming.swarm.addPeer(tunnel, { initiator: false });
    } catch (error) {
      seat.awake = undefined;
      tunnel.close();
      this.#deps.log("warn", "a share could not be opened for somebody who came", { code: codeOf(error) });
      // A process in the foreground has it just now, which passes.
      if (!isBackroomError(error, "E_LOCKED")) this.#onFailed(id, error);
    }
  }

  async #wake(seat: Seat): Promise<Awake | undefined> {
    const { packs, clock, limits, log } = this.#deps;
    const { link, sharer, id, levels } = seat.share;
    const pack = await packs.hold(link.piecesRoot.toString("hex"), link.packLength);
    const isGone = pack.store.haveCount() === 0;
    const isWhole = isAllHeld(pack.store, levels);
    if (this.#seats.get(id) !== seat || !isWhole) {
      await pack.release();
      if (isGone) throw packGone();
      if (!isWhole) this.#deps.onIncomplete(id);
      return undefined;
    }
    const swarming = new Swarming({
      client: this.#client,
      topic: { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint },
      store: pack.store,
      sharerKeys: sharer?.keys,
      notGates: new Set(),
      seat: seat,
      limits,
      log,
    });
    if (levels !== undefined) swarming.swarm.want({ levels });
    swarming.failed.catch((error: unknown) => this.#onFailed(id, error));
    seat.now = { pack, swarming, uploadedBytes: 0, usedMs: clock.monotonicMs() };
    return seat.now;
  }

  async #doze(seat: Seat): Promise<void> {
    const awake = await seat.awake?.catch(() => undefined);
    seat.awake = undefined;
    seat.now = undefined;
    if (awake === undefined) return;
    this.#count(seat, awake);
    awake.swarming.close();
    await awake.pack.release();
  }

  #count(seat: Seat, awake: Awake): void {
    const { uploadedBytes } = awake.swarming.swarm.stats();
    if (uploadedBytes === awake.uploadedBytes) return;
    this.#deps.onUploaded(seat.share.id, uploadedBytes - awake.uploadedBytes);
    awake.uploadedBytes = uploadedBytes;
  }

  #onFailed(id: string, error: unknown): void {
    if (!this.#seats.has(id)) return;
    const known = isBackroomError(error)
      ? error
      : new BackroomError("E_INTERNAL", "a share could not be handed out", { cause: error });
    this.#deps.onFailed(id, known);
  }
}
