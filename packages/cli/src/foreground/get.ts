import { getShare } from "@backroom/core/node/get.ts";
import type { GetOrder } from "../commands/get.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { LOCKED, readPassword } from "../ui/input.ts";

/** Fetches in this process, and hands out there for as long as it runs. */
export async function getHere(order: GetOrder, session: Session): Promise<void> {
  const { terminal, signal, dataFolder, proxy, lan } = session;
  const hooks = terminalHooks(terminal, order.accepted);
  await getShare(
    {
      link: order.link,
      outputFolder: order.output,
      dataFolder,
      proxy,
      lan,
      identityFile: order.identityFile,
      password: () => {
        if (order.passwordFile === undefined && terminal.interactive) terminal.note(LOCKED);
        return readPassword(order.passwordFile, false, LOCKED);
      },
      seed: order.seed,
      mirror: order.mirror,
      only: order.only,
      profile: order.profile,
      signal,
      onDone(result) {
        hooks.done();
        if (result.paths.length > 0) {
          terminal.note(`${count(result.fileCount, "file")}, ${formatBytes(result.size)}:`);
        }
        terminal.result(result.paths.join("\n"), {
          id: null,
          ...result,
          paths: [...result.paths],
        } satisfies Result<"get">);
      },
    },
    hooks,
  );
  hooks.done();
}
