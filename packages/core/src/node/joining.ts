import { isBackroomError, type BackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { bootstrap, type BootstrapOptions, type DirectoryPeer, type Hint } from "../directory/bootstrap.ts";
import type { ClockCheck } from "../directory/clock-check.ts";
import { createDirectoryClient } from "../directory/directory-client.ts";
import type { Network } from "../directory/network.ts";
import type { RelayInfoDecoder } from "../directory/relay-info.ts";
import type { RelayTable } from "../directory/table.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { Hooks } from "./hooks.ts";
import type { Machine } from "./machine.ts";

/** As many independent sources as a table is filled from (PROTOCOL 7.4). */
const GUARDS_ASKED = 3;
/** Of the relays that are known from earlier runs: three waves of three may be gone, and it still takes less than a minute. */
const CACHED_ASKED = 12;

export interface JoiningDeps {
  readonly network: Network;
  readonly table: RelayTable;
  readonly machine: Machine;
  readonly channels: ChannelPool;
  readonly decodeInfo: RelayInfoDecoder;
  readonly log: Log;
  /** Hears what each relay's clock says. */
  readonly clockCheck: ClockCheck;
  /** Where the guards were when last heard of. */
  readonly guards: readonly JoinRelay[];
  /** Known from earlier runs, this member's own relay aside; the best first. */
  readonly cached: readonly JoinRelay[];
  /** An invite has come since this member joined last. */
  readonly isInviteNew: boolean;
  /** Out of a link, by the person's consent. */
  readonly joinRelays: readonly JoinRelay[];
  /** Other ways to find relays, which show that this member looks for some: each is tried when those before it did not do. Never rejects. */
  readonly finders: readonly (() => Promise<Hint[]>)[];
}

/**
 * Fills a member's table (PROTOCOL 7.4): asks its guards; where it has none yet, or they do not answer, relays out of invites, the network file, a link
 * and earlier runs; and where those do not do, relays that strangers point to. Raises E_NO_RELAYS, E_OTHER_NETWORK, E_CLOCK, E_PROXY, and
 * E_FEW_SOURCES where the person does not accept that.
 */
export async function joinNetworkThrough(deps: JoiningDeps, hooks: Pick<Hooks, "confirm">): Promise<void> {
  const asking: Asking = { ...deps, gone: new Set() };
  // Guards know this member's address anyhow; while they answer nobody else has to. But a new invite may lead to a part of the network that
  // they have not heard of.
  if (!deps.isInviteNew && (await heardFromGuards(asking))) return;
  const relays = [...deps.joinRelays, ...deps.network.relays, ...deps.cached.slice(0, CACHED_ASKED)];
  const hints: Hint[] = [];
  const attempt = (acceptFewSources: boolean): Promise<void> =>
    ask({ relays, hints, introduce: true, acceptFewSources }, asking);
  let failure = await failureOf(() => attempt(false));
  for (const find of deps.finders) {
    if (failure === undefined) return;
    const found = await find();
    if (found.length === 0) continue;
    hints.push(...found);
    failure = await failureOf(() => attempt(false));
  }
  if (failure === undefined) return;
  if (failure.code !== "E_FEW_SOURCES") throw failure;
  if (!(await hooks.confirm(`${failure.message}: ${failure.why}.`, "--accept-few-sources"))) throw failure;
  await attempt(true);
}

interface Asking extends JoiningDeps {
  /** Relays that could not be dialled: each costs seconds, so none is dialled twice. */
  readonly gone: Set<string>;
}

/** What more relays could mend; everything else is thrown on. */
async function failureOf(attempt: () => Promise<void>): Promise<BackroomError | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (isBackroomError(error, "E_NO_RELAYS") || isBackroomError(error, "E_FEW_SOURCES")) return error;
    throw error;
  }
}

async function heardFromGuards(deps: Asking): Promise<boolean> {
  const guards = deps.guards.slice(0, GUARDS_ASKED);
  if (guards.length < GUARDS_ASKED) return false;
  try {
    await ask({ relays: guards, acceptFewSources: false }, deps);
    return true;
  } catch (error) {
    // With a clock or proxy that is wrong others would fare no better.
    if (!isBackroomError(error) || ["E_CLOCK", "E_PROXY"].includes(error.code)) throw error;
    return false;
  }
}

async function ask(options: BootstrapOptions, deps: Asking): Promise<void> {
  const { table, network, machine, channels, decodeInfo, log, clockCheck, gone } = deps;
  const { clock, random } = machine;
  const dial = createDirectoryClient({ channels, clock, decodeInfo });
  const connect = async (relay: JoinRelay): Promise<DirectoryPeer> => {
    try {
      return await dial(relay);
    } catch (error) {
      gone.add(placeName(relay));
      throw error;
    }
  };
  const relays = options.relays.filter((relay) => !gone.has(placeName(relay)));
  await bootstrap(
    { ...options, relays },
    { table, network, clock, random, decodeInfo, log, clockCheck, connect },
  );
}

function placeName({ nodeKey, host, port }: JoinRelay): string {
  return `${nodeKey.toString("hex")} ${host} ${port}`;
}
