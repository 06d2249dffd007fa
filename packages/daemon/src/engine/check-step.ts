import { isBackroomError } from "@backroom/core/base/errors.ts";
import { pieceBytes } from "@backroom/core/torrent/info.ts";
import { interrupted, type Run } from "./run.ts";

/** Hashes every piece that is marked as there; what is damaged loses its mark, and is fetched again by the step that comes next. Raises E_STORE. */
export async function checkStep(run: Run): Promise<void> {
  const { root, packLength } = run.record();
  if (root === null || packLength === null) return;
  run.begin("checking");
  run.show({ doneBytes: 0, totalBytes: packLength });
  const pack = await run.deps.packs.hold(root, packLength);
  const { store } = pack;
  let damagedCount = 0;
  let doneBytes = 0;
  run.activity = { refresh: () => run.show({ doneBytes }) };
  try {
    for (let piece = 0; piece < store.info.pieceCount; piece++) {
      if (run.signal.aborted) throw interrupted();
      try {
        // A store that was just opened believes no mark: the first read of a piece hashes all of it.
        if (store.have(piece)) await store.read(piece * store.info.pieceLength, 1);
      } catch (error) {
        if (!isBackroomError(error, "E_HASH")) throw error;
        damagedCount++;
      }
      doneBytes += pieceBytes(store.info, piece);
    }
    const record = run.record();
    // Of a part there may be more than is wanted now, and of what is over only the list of files is kept.
    const most = record.wantedBytes ?? store.info.length;
    if (record.state !== "done")
      run.deps.putProgress({ ...record, doneBytes: Math.min(haveBytesOf(store), most) });
  } finally {
    run.activity = {};
    await pack.release();
  }
  run.deps.note("checked");
  if (damagedCount > 0)
    run.deps.notice(
      "warn",
      `${damagedCount} damaged ${damagedCount === 1 ? "piece was" : "pieces were"} found.`,
    );
}

/** Of the pack: what its marks say. */
function haveBytesOf(store: {
  readonly info: { readonly pieceLength: number; readonly length: number };
  haveCount(): number;
}): number {
  return Math.min(store.haveCount() * store.info.pieceLength, store.info.length);
}
