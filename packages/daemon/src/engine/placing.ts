import { lstat } from "node:fs/promises";
import path from "node:path";
import type { OpenedFiles } from "@backroom/core/node/pack-files.ts";
import { clearReserved } from "@backroom/core/pack/move-new.ts";
import type { Placing } from "@backroom/core/pack/placing.ts";
import { removeStaged } from "@backroom/core/pack/staging.ts";
import { Selection, type FileChoice } from "@backroom/core/pack/selection.ts";
import type { TransferRecord } from "../catalogue/catalogue.ts";

/** Under which the catalogue keeps it. */
export function placingName(transferId: string): string {
  return `engine.placing.${transferId}`;
}

/**
 * What a run before this one has put where the files belong, and was stopped before the catalogue knew: by a kill, or a full disk. It is known by the
 * number that its file system gave it, so that nothing of a person's own is taken for it. Undefined where there is nothing of that kind; the empty file that
 * may have kept its place is then gone. What else that run left there goes, too.
 */
export async function placedBefore(
  { output, root }: Pick<TransferRecord, "output" | "root">,
  kept: unknown,
): Promise<{ readonly files: OpenedFiles; readonly selection: Selection | undefined } | undefined> {
  if (!isPlacing(kept) || path.dirname(kept.path) !== path.resolve(output ?? "")) return undefined;
  const stat = await lstat(kept.path, { bigint: true }).catch(() => undefined);
  if (stat === undefined || String(stat.ino) !== kept.fileId) {
    await clearReserved(kept.path);
    return undefined;
  }
  // Nobody opens it again, who would take away what it was unpacked in: a file may have a second name there, and its room would never come free.
  if (root !== null) await removeStaged(path.dirname(kept.path), Buffer.from(root, "hex")).catch(() => {});
  const { name, fileCount, fileBytes, choices } = kept;
  const files = { paths: [kept.path], name, fileCount, size: fileBytes };
  return { files, selection: choices === undefined ? undefined : Selection.of(choices) };
}

function isPlacing(kept: unknown): kept is Placing & { readonly choices?: readonly FileChoice[] } {
  if (typeof kept !== "object" || kept === null) return false;
  const { path: place, fileId, name, fileCount, fileBytes } = kept as Record<string, unknown>;
  return (
    [place, fileId, name].every((one) => typeof one === "string") &&
    [fileCount, fileBytes].every((one) => Number.isSafeInteger(one))
  );
}
