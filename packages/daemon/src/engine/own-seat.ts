import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Client } from "@backroom/core/node/client.ts";
import { startHandingOut } from "@backroom/core/node/handing-out.ts";
import type { Swarming } from "@backroom/core/node/swarming.ts";
import { isAllHeld } from "./chosen-files.ts";
import { clientFor } from "./network-use.ts";
import type { HeldPack } from "./packs.ts";
import type { SeatDeps, SeatStats, SeededShare } from "./seats.ts";

/** Between looks at a pack that a process in the foreground works on. */
const LOCKED_AGAIN_MS = 15_000;

/** A share on circuits of its own, its pack open. Opens by itself. */
export class OwnSeat {
  readonly #share: SeededShare;
  readonly #deps: SeatDeps;
  readonly #opening: Promise<void>;
  #pack: HeldPack | undefined;
  #swarming: Swarming | undefined;
  #uploadedBytes = 0;
  #isClosed = false;
  /** Ends the wait for a pack that somebody else has. */
  #stopWaiting: (() => void) | undefined;
  #waitsFor: BackroomError | undefined;

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
      waitsFor: this.#waitsFor,
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
    this.#stopWaiting?.();
    await this.#opening;
    this.tick();
    this.#swarming?.close();
    await this.#pack?.release();
  }

  async #open(client: Client): Promise<void> {
    const { folder, limits, log } = this.#deps;
    const { link, sharer, profile, id, levels } = this.#share;
    this.#pack = await this.#holdPack();
    if (this.#pack === undefined || this.#isClosed) return;
    const { store } = this.#pack;
    if (store.haveCount() === 0) throw packGone();
    if (!isAllHeld(store, levels)) return this.#deps.onIncomplete(id);
    const made = { folder, client: clientFor(client, profile), store, link, sharer, levels, limits, log };
    const swarming = await startHandingOut(made);
    if (this.#isClosed) return swarming.close();
    this.#swarming = swarming;
    swarming.failed.catch((error: unknown) => this.#onFailed(error));
  }

  /** Waits while a process in the foreground works on it; undefined once this seat is closed. */
  async #holdPack(): Promise<HeldPack | undefined> {
    const { packs, clock } = this.#deps;
    const { piecesRoot, packLength } = this.#share.link;
    while (!this.#isClosed) {
      try {
        const pack = await packs.hold(piecesRoot.toString("hex"), packLength);
        this.#waitsFor = undefined;
        return pack;
      } catch (error) {
        if (!isBackroomError(error, "E_LOCKED")) throw error;
        this.#waitsFor = error;
      }
      await new Promise<void>((resolve) => {
        const cancel = clock.after(LOCKED_AGAIN_MS, resolve);
        this.#stopWaiting = () => {
          cancel();
          resolve();
        };
      });
    }
    return undefined;
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
