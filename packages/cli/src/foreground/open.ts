import { openFromFile } from "@backroom/core/node/pack-files.ts";
import type { OpenOptions } from "../commands/open.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { readPassword } from "../ui/input.ts";

/** Opens a pack file in this process. */
export async function openHere(
  pack: string,
  link: string | undefined,
  options: OpenOptions,
  { terminal, signal }: Session,
): Promise<void> {
  const hooks = terminalHooks(terminal, new Set());
  const result = await openFromFile(
    {
      pack,
      link,
      identityFile: options.identity,
      password: () => readPassword(options.passwordFile, false),
      outputFolder: options.output,
      signal,
    },
    hooks,
  );
  hooks.done();
  terminal.note(`${count(result.fileCount, "file")}, ${formatBytes(result.size)}:`);
  terminal.result(result.paths.join("\n"), {
    id: null,
    ...result,
    shareFileCount: result.fileCount,
    shareSize: result.size,
    paths: [...result.paths],
  } satisfies Result<"open">);
}
