import path from "node:path";
import type { Answer, CallContext, Input } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { parseLink } from "@backroom/core/link/link.ts";
import { withOutputFolder } from "@backroom/core/node/output-folder.ts";
import { keysOf, openInto } from "@backroom/core/node/pack-files.ts";
import type { TransferRecord } from "../catalogue/catalogue.ts";
import { betterLink, keysGiven, placeBefore } from "./given-again.ts";
import { liveOf } from "./run.ts";
import { notHeldHere, storedSource } from "./stored-source.ts";
import { resumed } from "./transfer-state.ts";
import type { Transfers } from "./transfers.ts";

export interface Opening {
  openTransfer(input: Input<"openTransfer">, call: OpeningCall): Promise<Answer<"openTransfer">>;
  /** Within a change of the transfer. Raises E_NOT_HELD where the pack is not here whole, and what opening raises. */
  openStored(
    id: string,
    input: Pick<Input<"openTransfer">, "output" | "password" | "identity">,
    call: OpeningCall,
  ): Promise<void>;
}

type OpeningCall = Pick<CallContext, "signal" | "reach">;

/** Opens packs that were stored, or arrive, into files because somebody asks for it. */
export function createOpening(transfers: Transfers): Opening {
  const { settings } = transfers.context;
  const view = (id: string): Answer<"getTransfer"> => transfers.view(id);

  async function openTransfer(input: Input<"openTransfer">, call: OpeningCall) {
    const { id } = input;
    return transfers.change(id, async () => {
      const record = transfers.record(id);
      const link = input.link === undefined ? undefined : parseLink(input.link);
      if (link !== undefined) {
        if (record.root !== link.piecesRoot.toString("hex")) {
          throw new BackroomError("E_OTHER_PACK", "the link is that of another share");
        }
        const better = betterLink(record, link);
        if (better !== record) transfers.put(better);
      }
      const isUnfinished = record.role === "get" && record.finishedMs === null;
      if (!isUnfinished) {
        await openStored(id, input, call);
        return view(id);
      }
      // It is opened while it arrives: it begins anew with what is known now.
      await transfers.halt(id);
      const now = transfers.record(id);
      const keys = keysGiven(input);
      keysOf(parseLink(now.link ?? ""), { ...now.keys, ...keys });
      const output = placeFor(now, input, call);
      transfers.put({ ...resumed(now), output, keys: { ...now.keys, ...keys } });
      transfers.goOn(id);
      return view(id);
    });
  }

  function placeFor(
    before: Pick<TransferRecord, "output">,
    { output }: Pick<Input<"openTransfer">, "output">,
    { reach }: OpeningCall,
  ): string {
    return path.resolve(output ?? placeBefore(before, reach) ?? settings.get("downloads.folder"));
  }

  /** Opens a pack that is here whole. Whoever asked waits for it, and is told what becomes of it. */
  async function openStored(
    id: string,
    input: Pick<Input<"openTransfer">, "output" | "password" | "identity">,
    call: OpeningCall,
  ): Promise<void> {
    const record = transfers.record(id);
    const { root, packLength, link: text } = record;
    if (root === null || packLength === null || text === null) throw notHeldHere();
    const link = parseLink(text);
    const keys = keysOf(link, keysGiven(input));
    const { signal } = call;
    const outputFolder = placeFor(record, input, call);
    const pack = await transfers.packs.hold(root, packLength);
    try {
      const { store } = pack;
      if (!store.complete) throw notHeldHere();
      const live = liveOf(record);
      const show = (doneBytes: number, totalBytes: number): void =>
        transfers.job(id, { ...live, state: "opening", doneBytes, totalBytes });
      show(0, record.size ?? packLength);
      const progress = (_stage: unknown, done: number, total: number): void => show(done, total);
      const opened = await withOutputFolder(outputFolder, () =>
        openInto(storedSource(store), link.piecesRoot, keys, { outputFolder, signal }, { progress }),
      );
      transfers.job(id, undefined);
      const now = transfers.record(id);
      const { fileCount, size, name } = opened;
      transfers.put({ ...now, fileCount, size, name, paths: [...new Set([...now.paths, ...opened.paths])] });
      transfers.notes.happened(id, "opened");
    } finally {
      transfers.job(id, undefined);
      await pack.release();
    }
  }

  return { openTransfer, openStored };
}
