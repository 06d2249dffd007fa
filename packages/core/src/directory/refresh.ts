import type { Clock } from "../base/clock.ts";
import { codeOf, isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { askAt, askSample, type Ask } from "./questions.ts";
import type { RelayInfo, RelayInfoDecoder } from "./relay-info.ts";
import { sourceOf } from "./subnets.ts";
import { PROVEN, type RelayTable } from "./table.ts";

/** Often enough that an info is heard again long before its day is over, and seldom enough to cost next to nothing. */
const LEAST_MS = 45 * 60_000;
const SPREAD_MS = 30 * 60_000;
/** Relays asked for a sample each time: different sources bear each other out. */
const RELAYS_ASKED = 3;
/** The primary ones; the others are asked once they have become that. */
const GUARDS_ASKED = 3;

/** A relay's directory, for as long as it is not closed. */
export interface DirectoryAccess {
  readonly relay: RelayInfo;
  readonly ask: Ask;
  close(): void;
}

export interface RefreshDeps {
  readonly table: RelayTable;
  readonly network: { readonly test: boolean };
  readonly clock: Clock;
  readonly random: Random;
  readonly decodeInfo: RelayInfoDecoder;
  readonly log: Log;
  /** This member's guards in order of preference: it needs infos of today of them. */
  guards(): readonly RelayInfo[];
  /** The directory at the end of a whole path of this member's, so that nobody learns who asks. Rejects where none can be built. */
  openSomewhere(): Promise<DirectoryAccess>;
  /** The directory of a guard, which knows this member anyhow. Rejects as a dial does. */
  openGuard(guard: RelayInfo): Promise<DirectoryAccess>;
}

/**
 * Keeps the table of a member that is no relay (DESIGN 7, "samples fetched through circuits"; PROTOCOL 7.4): relays hear of each other by gossip,
 * whereas a member that runs for days would be left without a single relay a day after it joined, since infos hold no longer. Runs until the
 * returned function is called.
 */
export function keepTableFresh(deps: RefreshDeps): () => void {
  const { clock, random } = deps;
  let isStopped = false;
  let cancel = (): void => {};
  const schedule = (): void => {
    cancel = clock.after(LEAST_MS + random.below(SPREAD_MS), () => {
      void refresh(deps, () => isStopped).finally(() => {
        if (!isStopped) schedule();
      });
    });
  };
  schedule();
  return () => {
    isStopped = true;
    cancel();
  };
}

async function refresh(deps: RefreshDeps, isStopped: () => boolean): Promise<void> {
  const { table, network, decodeInfo } = deps;
  // Guards first: a member whose guard seems gone takes another one, and shows itself to one relay more.
  for (const guard of deps.guards().slice(0, GUARDS_ASKED)) {
    await quietly(
      deps,
      isStopped,
      () => deps.openGuard(guard),
      async ({ ask }) => {
        const [endpoint] = guard.endpoints;
        const info = endpoint === undefined ? undefined : await askAt(ask, endpoint, decodeInfo);
        // Its key has just answered at the address that it names.
        if (info?.key === guard.key) table.add(info, PROVEN);
      },
    );
  }
  for (let asked = 0; asked < RELAYS_ASKED; asked++) {
    await quietly(
      deps,
      isStopped,
      () => deps.openSomewhere(),
      async ({ relay, ask }) => {
        const source = sourceOf(relay, network);
        for (const info of await askSample(ask, decodeInfo)) table.add(info, source);
      },
    );
  }
}

/** A relay that does not answer costs this one question; there are others, and another time. */
async function quietly(
  { log }: RefreshDeps,
  isStopped: () => boolean,
  open: () => Promise<DirectoryAccess>,
  use: (access: DirectoryAccess) => Promise<void>,
): Promise<void> {
  if (isStopped()) return;
  let access: DirectoryAccess | undefined;
  try {
    access = await open();
    await use(access);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    log("debug", "a relay could not be asked for relays", { code: codeOf(error) });
  } finally {
    access?.close();
  }
}
