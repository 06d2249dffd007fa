import type { Handlers, RouteName } from "@backroom/api/routes.ts";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import type { TransferState } from "@backroom/api/schemas/transfer.ts";
import type { Log } from "@backroom/core/base/log.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import type { Machine } from "@backroom/core/node/machine.ts";
import type { Catalogue } from "./catalogue/catalogue.ts";
import type { Settings } from "./settings/settings.ts";

/** Where the parts of the daemon tell what changed; whoever serves events coalesces them. Never throws. */
export interface Events {
  publish(event: ApiEvent): void;
  /** False where nobody would hear of it: what costs something to find out is not worth it then. */
  readonly isFollowed: boolean;
}

/** What every part of the daemon is given. One per data folder, for as long as the daemon runs. */
export interface DaemonContext {
  readonly folder: DataFolder;
  readonly catalogue: Catalogue;
  readonly settings: Settings;
  readonly machine: Machine;
  readonly events: Events;
  readonly log: Log;
}

/** What each part gives to `daemon.ts`, which puts the parts together. */
export interface Part<Names extends RouteName> {
  readonly handlers: Pick<Handlers, Names>;
  /**
   * Stops all that goes on and keeps what has to be kept, within three seconds and without raising: the process ends soon after in any case. Handlers
   * are not called any more.
   */
  close(): Promise<void>;
}

/** The transfers in numbers, for `status` and `/metrics`. */
export interface TransferTotals {
  readonly byState: Readonly<Partial<Record<TransferState, number>>>;
  /** Bytes a second, now. */
  readonly downloadRate: number;
  readonly uploadRate: number;
  /** Payload since the daemon was started. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly peerCount: number;
}
