import { RateLimit } from "@backroom/core/base/rate-limit.ts";
import { removeAbandoned } from "@backroom/core/node/sealing-file.ts";
import type { SwarmLimits } from "@backroom/core/swarm/swarm.ts";
import type { DaemonContext, Part, TransferTotals } from "../context.ts";
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
  const { folder, machine } = context;
  // Nothing is being sealed yet: what says that this process does is from one before it with the same number, as in containers.
  await removeAbandoned(folder, { isOwnLeft: true });
  const members = new Members(context, options.openClient);
  const { clock } = machine;
  const limits = options.limits ?? { download: new RateLimit(clock), upload: new RateLimit(clock) };
  const transfers = new Transfers(context, members, limits);
  const files = new ShareFiles(transfers);
  await transfers.start();
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
