import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import type { Log } from "@backroom/core/base/log.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import type { Machine } from "@backroom/core/node/machine.ts";
import type { Catalogue } from "./catalogue/catalogue.ts";
import type { Settings } from "./settings/settings.ts";

/** Where the parts of the daemon tell what changed; whoever serves events coalesces them. Never throws. */
export interface Events {
  publish(event: ApiEvent): void;
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
