import { shareFiles } from "@backroom/core/node/share.ts";
import type { ShareOrder } from "../commands/share.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { terminalHooks } from "../ui/hooks.ts";
import { sharedSummary } from "../ui/shared-summary.ts";

/** Seals, prints the link, and hands out in this process until it is stopped. */
export async function shareHere(order: ShareOrder, session: Session): Promise<void> {
  const { terminal, signal, dataFolder, proxy, lan } = session;
  const { accepted, stopOnExit: _, ...share } = order;
  const hooks = terminalHooks(terminal, accepted);
  await shareFiles(
    {
      ...share,
      dataFolder,
      proxy,
      lan,
      signal,
      onReady(result) {
        hooks.done();
        terminal.note(sharedSummary(result));
        terminal.result(result.link, { id: null, ...result } satisfies Result<"share">);
        terminal.note("Handing it out. Press Ctrl-C to stop.");
      },
    },
    hooks,
  );
  hooks.done();
  terminal.note("Stopped. To go on sharing it: backroom share LINK, with the same link.");
}
