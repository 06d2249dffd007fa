import path from "node:path";
import type { Answer, Handlers, Input } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { moveNew } from "@backroom/core/pack/move-new.ts";
import { withOutputFolder } from "@backroom/core/node/output-folder.ts";
import { readState, packPaths } from "@backroom/core/store/store-files.ts";
import { choosingHandlers } from "./choosing.ts";
import { newTransferHandlers } from "./new-transfers.ts";
import { createOpening } from "./opening.ts";
import { infoOf } from "./packs.ts";
import { queryHandlers } from "./query-handlers.ts";
import { moveInto } from "./relocation.ts";
import { afterMove, type Move } from "./unfinished.ts";
import { notHeldHere } from "./stored-source.ts";
import type { ShareFiles } from "./share-content.ts";
import { paused, resumed } from "./transfer-state.ts";
import type { Transfers } from "./transfers.ts";

export type EngineRoutes =
  | "listTransfers"
  | "getTransfer"
  | "addShare"
  | "addGet"
  | "pause"
  | "resume"
  | "remove"
  | "recheck"
  | "relocate"
  | "openTransfer"
  | "files"
  | "chooseFiles"
  | "pieces"
  | "notes"
  | "links"
  | "inspectLink";

/** The API's operations on transfers and links. */
export function transferHandlers(transfers: Transfers, files: ShareFiles): Pick<Handlers, EngineRoutes> {
  const { folder } = transfers.context;
  const { unfinished } = transfers;
  const opening = createOpening(transfers);
  const view = (id: string): Answer<"getTransfer"> => transfers.view(id);

  async function pause({ id }: Input<"pause">) {
    return transfers.change(id, async () => {
      await transfers.halt(id);
      const record = transfers.record(id);
      const next = paused(record);
      if (next !== record) {
        transfers.put(next);
        transfers.notes.happened(id, "paused");
      }
      return view(id);
    });
  }

  async function resume({ id }: Input<"resume">) {
    return transfers.change(id, async () => {
      const record = transfers.record(id);
      const next = resumed(record);
      if (next === record) return view(id);
      transfers.put(next);
      transfers.notes.happened(id, "resumed");
      transfers.goOn(id);
      return view(id);
    });
  }

  async function remove({ id, keepPack }: Input<"remove">) {
    await transfers.change(id, () => transfers.forget(id, keepPack));
    return {};
  }

  async function recheck({ id }: Input<"recheck">) {
    return transfers.change(id, async () => {
      const { root, packLength } = transfers.record(id);
      if (root === null || packLength === null) throw notHeldHere();
      await transfers.halt(id);
      const info = infoOf(root, packLength);
      const marks = await readState(info, packPaths(folder.packs, info.root).state);
      if (marks === undefined || marks.have.count === 0) {
        transfers.goOn(id);
        throw notHeldHere();
      }
      transfers.launch(id, { isCheck: true });
      return view(id);
    });
  }

  async function relocate({ id, output }: Input<"relocate">, { signal }: { readonly signal: AbortSignal }) {
    return transfers.change(id, async () => {
      const before = transfers.record(id);
      if (before.output === null) {
        throw new BackroomError("E_REQUEST", "this transfer put no files anywhere that could be moved");
      }
      if (!path.isAbsolute(output))
        throw new BackroomError("E_REQUEST", "the folder is not an absolute path");
      await transfers.halt(id);
      try {
        // One after the other, each kept at once: what was moved is known to be there, whatever becomes of the next.
        for (const place of before.paths) {
          const onMoving = (move: Move): void => unfinished.moving(id, move);
          const to = await withOutputFolder(output, () =>
            moveInto(place, output, signal, { moveNew, onMoving }).catch((error: unknown) => {
              unfinished.moved(place);
              throw error;
            }),
          );
          transfers.put(afterMove(transfers.record(id), { from: place, to }));
          unfinished.moved(place);
        }
        transfers.put({ ...transfers.record(id), output: path.resolve(output) });
        transfers.notes.happened(id, "moved");
      } finally {
        transfers.goOn(id);
      }
      return view(id);
    });
  }

  return {
    ...queryHandlers(transfers, files),
    ...newTransferHandlers(transfers, opening),
    ...choosingHandlers(transfers, files),
    openTransfer: (input, context) => opening.openTransfer(input, context),
    pause,
    resume,
    remove,
    recheck,
    relocate,
  };
}
