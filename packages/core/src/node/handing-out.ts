import type { Log } from "../base/log.ts";
import { topicSecret, type ShareLink } from "../link/link.ts";
import type { SharerKey } from "../link/sharer-key.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { SwarmLimits } from "../swarm/swarm.ts";
import type { Client } from "./client.ts";
import type { DataFolder } from "./data-folder.ts";
import { openKeptGates } from "./kept-gates.ts";
import { relaysInLink } from "./share-link.ts";
import { Swarming, type SwarmingOptions } from "./swarming.ts";

export interface HandingOutOptions {
  readonly folder: DataFolder;
  readonly client: SwarmingOptions["client"] & Pick<Client, "relays">;
  /** Complete, or with all pieces of `levels`. Not closed with the swarm. */
  readonly store: PieceStore;
  readonly link: ShareLink;
  /** Undefined where somebody else shared it. */
  readonly sharer: SharerKey | undefined;
  /** Of a pack that is not to become whole: the pieces that it has, as LEVELS. */
  readonly levels?: Uint8Array | undefined;
  /** Shared with the member's other shares. */
  readonly limits?: SwarmLimits | undefined;
  readonly log: Log;
}

/** Hands out a pack that is here, whole or as far as it is to be, at the gates that it was at before where they are still there, until closed. Raises E_STORE. */
export async function startHandingOut(options: HandingOutOptions): Promise<Swarming> {
  const { folder, client, store, link, sharer, levels, log, limits } = options;
  const swarming = new Swarming({
    client,
    store,
    topic: { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint },
    sharerKeys: sharer?.keys,
    notGates: relaysInLink(link),
    limits,
    log,
    gates: await openKeptGates({ folder, root: link.piecesRoot, log, relays: () => client.relays() }),
  });
  if (levels !== undefined) swarming.swarm.want({ levels });
  swarming.seed();
  return swarming;
}
