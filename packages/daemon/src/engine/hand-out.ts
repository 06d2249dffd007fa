import { parseLink } from "@backroom/core/link/link.ts";
import { sharerKeyFromSeed } from "@backroom/core/link/sharer-key.ts";
import type { Catalogue, TransferOutline } from "../catalogue/catalogue.ts";
import { heldLevels } from "./chosen-files.ts";
import { consentsOf } from "./network-use.ts";
import { infoOf } from "./packs.ts";
import type { ListedShare, SeededShare } from "./seats.ts";
import { nextStep } from "./transfer-state.ts";

/** What the roster has to know; undefined for what is not to be handed out, or not yet. */
export function listedOf(record: TransferOutline): ListedShare | undefined {
  const { id, link, profile } = record;
  if (nextStep(record) !== "hand-out" || link === null) return undefined;
  return { id, link, profile, accept: consentsOf(record) };
}

/** What handing it out takes; undefined once it is removed. Raises where what is kept of it cannot be read. */
export function seededFrom(
  catalogue: Pick<Catalogue, "get" | "selection">,
  id: string,
): SeededShare | undefined {
  const record = catalogue.get(id);
  if (record?.link === null || record === undefined) return undefined;
  const { sharerSeed, profile, root, packLength } = record;
  const sharer = sharerSeed === null ? undefined : sharerKeyFromSeed(Buffer.from(sharerSeed, "hex"));
  const stored = catalogue.selection(id);
  const levels =
    stored === undefined || root === null || packLength === null
      ? undefined
      : heldLevels(stored, infoOf(root, packLength));
  return { id, link: parseLink(record.link), sharer, profile, levels };
}
