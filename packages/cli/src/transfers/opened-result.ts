import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { Result } from "../contract.ts";

/** What a command says of a transfer whose files are where they belong. */
export function openedResult(transfer: Transfer): Result<"open"> {
  const { id, paths, fileCount, skippedCount, size, chosenSize, name } = transfer;
  const [shareFileCount, shareSize] = [fileCount ?? 0, size ?? 0];
  return {
    id,
    paths,
    fileCount: shareFileCount - skippedCount,
    size: chosenSize ?? shareSize,
    shareFileCount,
    shareSize,
    name,
  };
}
