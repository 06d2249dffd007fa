import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { shuffled } from "../base/random.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { bootstrap } from "../directory/bootstrap.ts";
import { createClockCheck } from "../directory/clock-check.ts";
import { createDirectoryClient } from "../directory/directory-client.ts";
import type { Network } from "../directory/network.ts";
import type { RelayInfo, RelayInfoDecoder } from "../directory/relay-info.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { Hooks } from "./hooks.ts";
import type { Machine } from "./machine.ts";
import { joinRelayOf } from "./networks.ts";

/** As many independent sources as a table is filled from (PROTOCOL 7.4). */
const GUARDS_ASKED = 3;
/** Of the relays that were kept from an earlier run, as many are asked as an invite names. */
const SAVED_ASKED = 8;

export interface JoiningDeps {
  readonly network: Network;
  readonly table: RelayTable;
  readonly machine: Machine;
  readonly channels: ChannelPool;
  readonly decodeInfo: RelayInfoDecoder;
  readonly log: Log;
  /** Where the guards were when last heard of. */
  readonly guards: readonly JoinRelay[];
  /** What is known from earlier runs, this member's own relay aside. */
  readonly saved: readonly RelayInfo[];
  /** Out of a link, by the person's consent. */
  readonly joinRelays: readonly JoinRelay[];
}

/**
 * Fills a member's table (PROTOCOL 7.4): asks its guards; where it has none yet, or they do not answer, relays out of invites, the network file, a link
 * and earlier runs. Raises E_NO_RELAYS, E_OTHER_NETWORK, E_CLOCK, E_PROXY, and E_FEW_SOURCES where the person does not accept that.
 */
export async function joinNetworkThrough(deps: JoiningDeps, hooks: Pick<Hooks, "confirm">): Promise<void> {
  // Guards know this member's address anyhow; while they answer nobody else has to.
  if (await heardFromGuards(deps)) return;
  const saved = shuffled(deps.saved, deps.machine.random).slice(0, SAVED_ASKED).map(joinRelayOf);
  const relays = [...deps.joinRelays, ...deps.network.relays, ...saved];
  try {
    await ask(relays, false, deps);
  } catch (error) {
    if (!isBackroomError(error, "E_FEW_SOURCES")) throw error;
    if (!(await hooks.confirm(`${error.message}: ${error.why}.`, "--accept-few-sources"))) throw error;
    await ask(relays, true, deps);
  }
}

async function heardFromGuards(deps: JoiningDeps): Promise<boolean> {
  const guards = deps.guards.slice(0, GUARDS_ASKED);
  if (guards.length < GUARDS_ASKED) return false;
  try {
    await ask(guards, false, deps);
    return true;
  } catch (error) {
    if (!isBackroomError(error) || error.code === "E_CLOCK") throw error;
    return false;
  }
}

async function ask(
  relays: readonly JoinRelay[],
  acceptFewSources: boolean,
  deps: JoiningDeps,
): Promise<void> {
  const { table, network, machine, channels, decodeInfo, log } = deps;
  const { clock, random } = machine;
  await bootstrap(
    { relays, acceptFewSources },
    {
      table,
      network,
      clock,
      random,
      decodeInfo,
      log,
      clockCheck: createClockCheck(),
      connect: createDirectoryClient({ channels, clock, decodeInfo }),
    },
  );
}
