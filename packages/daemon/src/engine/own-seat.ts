import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Client } from "@backroom/core/node/client.ts";
import { startHandingOut } from "@backroom/core/node/handing-out.ts";
import type { Swarming } from "@backroom/core/node/swarming.ts";
import { clientFor } from "./network-use.ts";
import type { HeldPack } from "./packs.ts";
import type { SeatDeps, SeatStats, SeededShare } from "./seeding.ts";

/** A share on circuits of its own, its pack open. Opens by itself. */
export class OwnSeat {
  readonly #share: SeededShare;
  readonly #deps: SeatDeps;
  readonly #opening: Promise<void>;
  #pack: HeldPack | undefined;
  #swarming: Swarming | undefined;
  #uploadedBytes = 0;
  #isClosed = false;

  constructor(share: SeededShare, client: Client, deps: SeatDeps) {
    this.#share = share;
    this.#deps = deps;
    this.#opening = this.#open(client).catch((error: unknown) => {
      this.#onFailed(error);
    });
  }

  stats(): SeatStats {
    const stats = this.#swarming?.swarm.stats();
    return {
      gateCount: this.#swarming?.gateCount ?? 0,
      peerCount: stats?.peerCount ?? 0,
      uploadRate: stats?.uploadRate ?? 0,
    };
  }

  tick(): void {
    if (this.#swarming === undefined || this.#pack === undefined) return;
    const { uploadedBytes, complete } = this.#swarming.swarm.stats();
    if (uploadedBytes > this.#uploadedBytes) {
      this.#deps.onUploaded(this.#share.id, uploadedBytes - this.#uploadedBytes);
      this.#deps.onActive(this.#share.id);
      this.#uploadedBytes = uploadedBytes;
    }
    if (!complete && !this.#isClosed) this.#deps.onIncomplete(this.#share.id);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening;
    this.tick();
    this.#swarming?.close();
    await this.#pack?.release();
  }

  async #open(client: Client): Promise<void> {
    const { folder, packs, limits, log } = this.#deps;
    const { link, sharer, profile, id } = this.#share;
    this.#pack = await packs.hold(link.piecesRoot.toString("hex"), link.packLength);
    const { store } = this.#pack;
    if (this.#isClosed) return;
    if (store.haveCount() === 0) throw packGone();
    if (!store.complete) return this.#deps.onIncomplete(id);
    const made = { folder, client: clientFor(client, profile), store, link, sharer, limits, log };
    const swarming = await startHandingOut(made);
    if (this.#isClosed) return swarming.close();
    this.#swarming = swarming;
    swarming.failed.catch((error: unknown) => this.#onFailed(error));
  }

  #onFailed(error: unknown): void {
    if (this.#isClosed) return;
    const known = isBackroomError(error)
      ? error
      : new BackroomError("E_INTERNAL", "a share could not be handed out", { cause: error });
    this.#deps.onFailed(this.#share.id, known);
  }
}

/** Nothing of it is there any more, so that there is nothing to mend: it was deleted, or its disk is not there. */
export function packGone(): BackroomError {
  return new BackroomError("E_NOT_HELD", "the pack of this share is gone from the data folder", {
    why: "somebody deleted it, or the disk that it is on is not there",
    fix: "bring it back and resume the transfer; or remove it, and share the files anew",
  });
}
