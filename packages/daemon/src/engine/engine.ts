import { RateLimit } from "@backroom/core/base/rate-limit.ts";
import { removeAbandoned } from "@backroom/core/node/sealing-file.ts";
import type { SwarmLimits } from "@backroom/core/swarm/swarm.ts";
import type { DaemonContext, Part, TransferTotals } from "../context.ts";
import { findAdoptable } from "./adoption.ts";
import type { ShareContent } from "./content.ts";
import { transferHandlers, type EngineRoutes } from "./handlers.ts";
import { Members, type OpenClient } from "./members.ts";
import { ShareFiles } from "./share-content.ts";
import { Transfers } from "./transfers.ts";

export interface EngineOptions {
  /** Limits of speed that all shares have together; absent: there are none before somebody sets them. */
  readonly limits?: SwarmLimits | undefined;
  /** Absent: as `Client.open`. */
  readonly openClient?: OpenClient | undefined;
}

/** The part of the daemon that runs transfers. */
export interface Engine extends Part<EngineRoutes> {
  readonly members: Members;
  readonly content: ShareContent;
  readonly limits: SwarmLimits;
  totals(): TransferTotals;
}

/**
 * Takes up every transfer where it was when the daemon ended, by whatever, and every share that was made here in the foreground. Raises E_STORE, E_DISK_FULL.
 */
export async function createEngine(context: DaemonContext, options: EngineOptions = {}): Promise<Engine> {
  const { folder, log, machine } = context;
  // Nothing is being sealed yet: what says that this process does is from one before it with the same number, as in containers.
  await removeAbandoned(folder, { isOwnLeft: true });
  const adopted = await adopt(context);
  if (adopted > 0)
    log("info", "shares that were made here without the daemon were taken up", { shareCount: adopted });
  const members = new Members(context, options.openClient);
  const { clock } = machine;
  const limits = options.limits ?? { download: new RateLimit(clock), upload: new RateLimit(clock) };
  const transfers = new Transfers(context, members, limits);
  const files = new ShareFiles(transfers);
  const startedMs = clock.monotonicMs();
  await transfers.start();
  log("info", "transfers go on", { tookMs: clock.monotonicMs() - startedMs });
  return {
    handlers: transferHandlers(transfers, files),
    members,
    content: files,
    limits,
    totals: () => transfers.totals(),
    async close() {
      await transfers.close();
      await members.close();
    },
  };
}

async function adopt({ folder, catalogue, machine }: DaemonContext): Promise<number> {
  const known = new Set<string>();
  let after: string | undefined;
  do {
    const page = catalogue.list({ after, limit: 1_000 });
    for (const { root } of page.transfers) if (root !== null) known.add(root.slice(0, 32));
    after = page.next ?? undefined;
  } while (after !== undefined);
  const { random, clock } = machine;
  const found = await findAdoptable(folder, (name) => known.has(name), { random, nowMs: clock.nowMs() });
  if (found.length > 0) {
    catalogue.together(() => {
      for (const record of found) catalogue.put(record);
    });
  }
  return found.length;
}
