import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { Result } from "../contract.ts";

/** What a command says of a transfer whose files are where they belong. */
export function openedResult({ id, paths, fileCount, skippedCount, size, name }: Transfer): Result<"open"> {
  return { id, paths, fileCount: (fileCount ?? 0) - skippedCount, size: size ?? 0, name };
}
