import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import path from "node:path";
import type { Answer, CallContext, Handlers, Input } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { formatLink, type ShareLink } from "@backroom/core/link/link.ts";
import { currentNetwork } from "@backroom/core/node/networks.ts";
import { keysOf } from "@backroom/core/node/pack-files.ts";
import { Selection } from "@backroom/core/pack/selection.ts";
import type { StoredSelection, TransferRecord } from "../catalogue/catalogue.ts";
import { isIn } from "../is-in.ts";
import { newId } from "../new-id.ts";
import { assertKeepable } from "./choosing.ts";
import { assertFolder, linkToFetch, rootsToShare } from "./asked-for.ts";
import { newRecord } from "./new-record.ts";
import { UPLOADS_FOLDER } from "../uploads-folder.ts";
import { betterLink, keysGiven, placeBefore } from "./given-again.ts";
import type { Opening } from "./opening.ts";
import { fetchedAgain, fetchedBeside, resumed, WHOLE } from "./transfer-state.ts";
import type { Transfers } from "./transfers.ts";

/** How transfers begin: what is shared, and what is fetched, also once more. */
export function newTransferHandlers(
  transfers: Transfers,
  { openStored }: Pick<Opening, "openStored">,
): Pick<Handlers, "addShare" | "addGet"> {
  const { catalogue, folder, settings, machine } = transfers.context;
  const nowMs = (): number => machine.clock.nowMs();
  const view = (id: string): Answer<"getTransfer"> => transfers.view(id);

  async function addShare(input: Input<"addShare">) {
    const { password, recipients, paths, profile, accept } = input;
    // What is wrong with it is better said now than when it is its turn.
    const roots = await rootsToShare(input);
    await refuseOwnData(roots.map(({ diskPath }) => diskPath));
    await currentNetwork(folder);
    const record: TransferRecord = {
      ...newRecord(newId(machine.random), nowMs()),
      role: "share",
      state: "sealing",
      name: input.name ?? roots[0]?.name ?? "",
      profile,
      inputs: paths,
      keys: {
        ...(password === undefined ? {} : { password }),
        ...(recipients === undefined ? {} : { recipients }),
      },
      seed: true,
      wait: true,
      accept,
    };
    begin(record);
    return view(record.id);
  }

  function begin(record: TransferRecord, choices?: Input<"addGet">["choices"]): void {
    catalogue.together(() => {
      catalogue.put(record);
      if (choices === undefined) return;
      catalogue.putSelection(record.id, {
        choices: Selection.of(choices).choices(),
        opened: null,
        held: null,
      });
    });
    transfers.publish(record.id);
    transfers.notes.happened(record.id, "begun");
    transfers.launch(record.id);
  }

  /** Whoever may share could read every key and link otherwise: of the data folder only what was sent here to be shared is. */
  async function refuseOwnData(places: readonly string[]): Promise<void> {
    const own = await realpath(folder.root);
    const sent = path.join(own, UPLOADS_FOLDER) + path.sep;
    if (!places.some((place) => isIn(own, place) || (isIn(place, own) && !place.startsWith(sent)))) return;
    throw new BackroomError("E_INPUT", "Backroom's own data lies there", {
      why: "this computer's keys and links would be shared",
      fix: "share what lies beside it, or move the data elsewhere (--data)",
    });
  }

  async function addGet(input: Input<"addGet">, { reach }: Pick<CallContext, "reach">) {
    const link = linkToFetch(input.link);
    if (!input.mirror) keysOf(link, input);
    else if (input.choices !== undefined)
      throw new BackroomError("E_SELECTION", "a mirror stores all of a share");
    const root = link.piecesRoot.toString("hex");
    const output = path.resolve(input.output ?? settings.get("downloads.folder"));
    if (!input.mirror && catalogue.byRoot(root) === undefined) await assertFolder(output);
    // From here to `begin` nothing is waited for: whoever asks for the same share at the same time would get a transfer of their own.
    const known = catalogue.byRoot(root);
    if (known !== undefined) return transfers.change(known.id, () => getAgain(known.id, link, input, reach));
    const record: TransferRecord = {
      ...newRecord(newId(machine.random), nowMs()),
      role: input.mirror ? "mirror" : "get",
      state: "active",
      name: link.name ?? "",
      kind: link.kind,
      size: link.filesBytes ?? null,
      packLength: link.packLength,
      root,
      link: formatLink(link),
      output: input.mirror ? null : output,
      ...wishesOf(input),
    };
    begin(record, input.choices);
    return view(record.id);
  }

  /** The same share once more: it takes over what is wished now, and goes on. */
  async function getAgain(id: string, link: ShareLink, input: Input<"addGet">, reach: string | null) {
    const here = transfers.record(id);
    if (here.role === "share" || (here.role === "mirror" && !input.mirror && here.finishedMs !== null)) {
      if (input.choices !== undefined && !Selection.of(input.choices).wantsAll)
        throw new BackroomError("E_SELECTION", "the share is here already, and is opened as a whole");
      // It is here already, and is opened from here.
      const better = betterLink(here, link);
      if (better !== here) transfers.put(better);
      if (!input.mirror) await openStored(id, input, { signal: new AbortController().signal, reach });
      return view(id);
    }
    await transfers.halt(id);
    try {
      wishAgain(id, link, input, reach);
    } finally {
      transfers.goOn(id);
    }
    return view(id);
  }

  /** Keeps what is wished of it now. Raises E_OTHER_PACK, E_SELECTION; then it is as it was. */
  function wishAgain(id: string, link: ShareLink, input: Input<"addGet">, reach: string | null): void {
    // Not before: it may have come to its end while it was being stopped.
    const before = transfers.record(id);
    const better = betterLink(before, link);
    const stored = catalogue.selection(id);
    // What was deleted since is put there again, from the pack as far as that is kept.
    const isThere = before.paths.length > 0 && before.paths.every((file) => existsSync(file));
    const { selection, opened } = chosenAgain(stored, before, { input, isThere });
    const isComplete = before.finishedMs !== null && isThere && opened.covers(selection);
    // Where nothing is put anywhere any more, the place is nobody's question.
    const known = isComplete ? before.output : placeBefore(before, reach);
    const output = path.resolve(input.output ?? known ?? settings.get("downloads.folder"));
    const isMoved = output !== before.output;
    const wanted: TransferRecord = {
      ...better,
      ...(selection.wantsAll ? WHOLE : {}),
      ...wishesOf(input),
      // Who hands it out goes on with that.
      seed: input.seed || before.seed,
      wait: input.wait || before.wait,
      role:
        input.mirror && before.finishedMs === null
          ? "mirror"
          : before.role === "mirror" && !input.mirror
            ? "get"
            : before.role,
      output: input.mirror ? before.output : output,
      failure: null,
    };
    transfers.notes.happened(id, "again");
    const isOver = isComplete && !isMoved;
    const isUnchanged = isOver && (!input.seed || before.seed);
    // Files that were not chosen before come beside those that were, and so does the pack that is to be handed out now.
    const isKnown = stored !== undefined || wanted.finishedMs !== null;
    const isBeside = !isUnchanged && isThere && !isMoved && isKnown;
    const next = ((): TransferRecord => {
      if (isUnchanged) return resumed(wanted);
      if (wanted.role === "mirror" && wanted.finishedMs !== null) return { ...wanted, state: "active" };
      return isBeside ? fetchedBeside({ ...wanted, state: "active" }) : fetchedAgain(wanted);
    })();
    catalogue.together(() => {
      catalogue.put(next);
      const isAll = stored === undefined && input.choices === undefined && !isBeside;
      if (next.role !== "get" || isAll) return;
      catalogue.putSelection(id, {
        choices: selection.choices(),
        opened: isOver || isBeside ? opened.choices() : null,
        held: stored?.held ?? null,
      });
    });
    transfers.publish(id);
  }

  return { addShare, addGet };
}

/**
 * Who asks for a share once more without saying which files wants all of it. Files that are said come beside those that were chosen before and arrive, or are
 * where they belong; where those are gone, or others are put elsewhere, they come alone. Raises E_SELECTION.
 */
function chosenAgain(
  stored: StoredSelection | undefined,
  { role, finishedMs, output }: TransferRecord,
  { input, isThere }: { readonly input: Input<"addGet">; readonly isThere: boolean },
): { readonly selection: Selection; readonly opened: Selection } {
  const known = stored?.opened ?? (finishedMs === null ? [{ path: "", priority: "skip" as const }] : []);
  const opened = Selection.kept(known);
  if (input.choices === undefined) return { selection: Selection.everything, opened };
  const isMoved = input.output !== undefined && path.resolve(input.output) !== output;
  const isAdded = role === "get" && (finishedMs === null || (isThere && !isMoved));
  const said = Selection.of(input.choices);
  const selection = isAdded ? Selection.of(stored?.choices ?? []).plus(said) : said;
  selection.assertBounded();
  assertKeepable(opened, selection);
  return { selection, opened };
}

function wishesOf(
  input: Input<"addGet">,
): Pick<TransferRecord, "keys" | "seed" | "wait" | "profile" | "accept"> {
  const { seed, wait, profile, accept } = input;
  return { keys: keysGiven(input), seed, wait, profile, accept };
}
