import { BackroomError } from "@backroom/core/base/errors.ts";
import type { PackReader } from "@backroom/core/pack/pack-reader.ts";
import { Selection } from "@backroom/core/pack/selection.ts";
import { knownPaths, trimmedPath } from "@backroom/core/node/patterns.ts";
import type { Choice, Wanted } from "@backroom/core/node/choosing.ts";
import type { Plan } from "@backroom/core/node/piece-levels.ts";
import { heldPieces } from "@backroom/core/store/held-pieces.ts";
import type { PieceStore } from "@backroom/core/store/piece-store.ts";
import { LEVELS } from "@backroom/core/swarm/pick-order.ts";
import { Bitfield } from "@backroom/core/torrent/bitfield.ts";
import { pieceBytes, type TorrentInfo } from "@backroom/core/torrent/info.ts";
import type { StoredSelection } from "../catalogue/catalogue.ts";
import type { Run } from "./run.ts";
import { pathsOf } from "./choosing.ts";

/** What somebody has to do where nothing is chosen. */
export const NOTHING_CHOSEN = {
  code: "WAIT_CHOICE",
  why: "the share's files are known, and none of them is chosen",
  fix: "choose some: backroom files ID --only PATH, or on the page",
} as const;

/** What is chosen of a transfer's files, and what was opened of them before. */
export function chosenIn(stored: StoredSelection | undefined): {
  readonly selection: Selection;
  readonly opened: Selection | undefined;
} {
  const opened = stored?.opened ?? null;
  return {
    selection: Selection.of(stored?.choices ?? []),
    opened: opened === null ? undefined : Selection.kept(opened),
  };
}

/** What a download of it is to bring. `onPlan` hears what that comes to, which is kept with the transfer, too. */
export function choiceOf(run: Run, info: TorrentInfo, onPlan: (plan: Plan) => void): Choice {
  const { deps } = run;
  return {
    selection: wantedOf(run),
    opened: chosenIn(deps.selection()).opened,
    isKept: run.record().seed,
    onPlan(plan) {
      const record = run.record();
      const wantedBytes = plan.levels.every((level) => level > LEVELS.skip)
        ? null
        : bytesOf(plan.levels, info);
      const fileCount = plan.wantedCount + plan.skippedCount;
      const { skippedCount, wantedSize } = plan;
      const found = {
        wantedBytes,
        skippedCount,
        fileCount,
        chosenSize: skippedCount === 0 ? null : wantedSize,
      };
      const names = Object.keys(found) as (keyof typeof found)[];
      if (names.some((name) => record[name] !== found[name])) deps.put({ ...record, ...found });
      onPlan(plan);
    },
  };
}

/** What is chosen now; where names were given, that is found out from the index. */
export function wantedOf(run: Run): Wanted {
  const stored = run.deps.selection();
  const areNamed = stored !== undefined && pathsOf(stored.choices).size > 0;
  return areNamed ? (reader) => checked(run, reader) : chosenIn(stored).selection;
}

/**
 * What is chosen, which may have been before anybody knew which files there are: from here on it is kept by the names that the share has for them, and without
 * what it does not hold.
 */
export async function checked(run: Run, reader: PackReader): Promise<Selection> {
  const { deps } = run;
  const named = pathsOf(deps.selection()?.choices ?? []);
  const known = named.size === 0 ? new Map<string, string>() : await knownPaths(reader.entries(), named);
  // Others may have been chosen meanwhile, by whoever knew.
  const stored = deps.selection();
  const choices = (stored?.choices ?? []).flatMap((choice) => {
    const path = trimmedPath(choice.path);
    return named.has(path) && !known.has(path) ? [] : [{ ...choice, path: known.get(path) ?? path }];
  });
  const selection = Selection.of(choices);
  const unknownCount = named.size - known.size;
  const areOthers = [...known].some(([said, path]) => said !== path);
  if (stored !== undefined && (areOthers || unknownCount > 0))
    deps.putWith(run.record(), { ...stored, choices: selection.choices() });
  if (unknownCount > 0) {
    const what = unknownCount === 1 ? "one path that was" : `${unknownCount} paths that were`;
    deps.notice("warn", `The share holds neither a file nor a folder of ${what} chosen.`);
  }
  return selection;
}

function bytesOf(levels: Uint8Array, info: TorrentInfo): number {
  return levels.reduce((sum, level, piece) => sum + (level > LEVELS.skip ? pieceBytes(info, piece) : 0), 0);
}

/** The pieces that are here, to be kept; null where all are. */
export function heldIn(store: PieceStore): string | null {
  return store.complete ? null : heldPieces(store).encode().toString("base64");
}

/** How soon pieces are wanted of a pack that is not to become whole; undefined of one that is. Raises E_CATALOGUE_DAMAGED. */
export function heldLevels(
  { held }: Pick<StoredSelection, "held">,
  { pieceCount }: Pick<TorrentInfo, "pieceCount">,
): Uint8Array | undefined {
  if (held === null) return undefined;
  const bits = decodeHeld(held, pieceCount);
  return Uint8Array.from({ length: pieceCount }, (_, piece) =>
    bits.has(piece) ? LEVELS.normal : LEVELS.skip,
  );
}

function decodeHeld(held: string, pieceCount: number): Bitfield {
  try {
    return Bitfield.decode(Buffer.from(held, "base64"), pieceCount);
  } catch (cause) {
    throw new BackroomError("E_CATALOGUE_DAMAGED", "which part of the share is kept can be read no longer", {
      why: "what the daemon noted of this transfer is damaged, and nothing else is",
      fix: "fetch it again: backroom rm ID, then backroom get LINK --seed with what was chosen; and check the disk",
      cause,
    });
  }
}

/** Whether all is here that the pack is handed out with. */
export function isAllHeld(store: PieceStore, levels: Uint8Array | undefined): boolean {
  return levels === undefined
    ? store.complete
    : levels.every((level, piece) => level === LEVELS.skip || store.have(piece));
}
