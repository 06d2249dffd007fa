import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Random } from "@backroom/core/base/random.ts";
import type { Log } from "@backroom/core/base/log.ts";
import type { ShareLink } from "@backroom/core/link/link.ts";
import type { SharerKey } from "@backroom/core/link/sharer-key.ts";
import type { Profile } from "@backroom/core/directory/path.ts";
import type { DataFolder } from "@backroom/core/node/data-folder.ts";
import type { SwarmLimits } from "@backroom/core/swarm/swarm.ts";
import type { Consent } from "./member.ts";
import type { Packs } from "./packs.ts";

/** What the roster has to know of a share. */
export interface ListedShare {
  readonly id: string;
  readonly link: string;
  readonly profile: Profile;
  readonly accept: ReadonlySet<Consent>;
}

/** What handing out a share takes. */
export interface SeededShare {
  readonly id: string;
  readonly link: ShareLink;
  readonly sharer: SharerKey | undefined;
  readonly profile: Profile;
  /** Of a pack that is not to become whole: which pieces it is handed out with, as LEVELS. */
  readonly levels: Uint8Array | undefined;
}

export interface SeatDeps {
  readonly folder: DataFolder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly packs: Packs;
  readonly limits: SwarmLimits;
  /** Reads what is kept of a share; undefined once it is removed. Raises where that cannot be read. */
  share(id: string): SeededShare | undefined;
  /** Its pack is not whole, or turned out to be damaged. */
  onIncomplete(id: string): void;
  /** It cannot be handed out: its files cannot be read. */
  onFailed(id: string, error: BackroomError): void;
  /** Somebody fetched it just now. */
  onActive(id: string): void;
  /** Payload handed out since the last call. */
  onUploaded(id: string, bytes: number): void;
}

/** What one share's seat says of itself. */
export interface SeatStats {
  readonly gateCount: number;
  readonly peerCount: number;
  readonly uploadRate: number;
  /** What keeps it from being handed out, and passes. */
  readonly waitsFor?: BackroomError | undefined;
}

/** What is kept of a share and cannot be read costs that share, and no other of those that are brought together with it. */
export function alone<T>(id: string, { onFailed }: Pick<SeatDeps, "onFailed">, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const known = isBackroomError(error)
      ? error
      : new BackroomError("E_INTERNAL", "what is kept of a share could not be read", { cause: error });
    onFailed(id, known);
    return undefined;
  }
}
