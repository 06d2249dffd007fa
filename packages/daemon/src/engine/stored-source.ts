import { BackroomError } from "@backroom/core/base/errors.ts";
import { throwIfAborted } from "@backroom/core/base/abort.ts";
import type { PackSpan } from "@backroom/core/pack/pack-reader.ts";
import type { PackSource } from "@backroom/core/pack/source.ts";
import type { PieceStore } from "@backroom/core/store/piece-store.ts";

/** A pack that does not arrive just now: what is not there cannot be waited for, and raises E_NOT_HELD. */
export function storedSource(store: PieceStore): PackSource {
  return {
    length: store.info.length,
    async read(offset, length, signal, into) {
      throwIfAborted(signal);
      if (!hasSpan(store, { offset, length })) throw notHeldHere();
      return store.read(offset, length, into);
    },
  };
}

export function hasSpan(store: PieceStore, { offset, length }: PackSpan): boolean {
  const { pieceLength } = store.info;
  const last = Math.floor((offset + Math.max(1, length) - 1) / pieceLength);
  for (let piece = Math.floor(offset / pieceLength); piece <= last; piece++)
    if (!store.have(piece)) return false;
  return true;
}

export function notHeldHere(): BackroomError {
  return new BackroomError("E_NOT_HELD", "the pack of this share is not here, or not this part of it", {
    why: "a download that is not handed out keeps its files and not its pack, and one that is paused fetches nothing",
    fix: "resume it, or fetch it again with --seed to keep the pack",
  });
}
