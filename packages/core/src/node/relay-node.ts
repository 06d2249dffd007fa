import path from "node:path";
import { systemClock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import { acquireLock } from "../store/lock.ts";
import { readStateFile, writeStateFile } from "../store/state-file.ts";
import { whenAborted } from "../base/abort.ts";
import { openDataFolder } from "./data-folder.ts";
import { readDenyList } from "./deny-file.ts";
import type { Hooks } from "./hooks.ts";
import { lanInUse } from "./lan-setting.ts";
import { currentNetwork } from "./networks.ts";
import { ownAddresses } from "./own-addresses.ts";
import { OwnInfo } from "./own-info.ts";
import { assertNoProxy } from "./proxy-setting.ts";
import { openRelayKeys, saveRelayKeys } from "./relay-keys.ts";
import { startRelay, type RelayParts, type RunningRelay, type StartedRelay } from "./running-relay.ts";
import { cachedRelays, openTable } from "./saved-table.ts";

const PORTS_TRIED = 5;

export interface RelayOptions {
  readonly dataFolder: string | undefined;
  /** As in `ClientOptions`: with one there is no relay. */
  readonly proxy: string | undefined;
  /** Answer members on the local network who look for relays; otherwise as the setting says. */
  readonly lan: boolean;
  /** IP addresses under which others reach this relay; its own where undefined. Not asked for when it finds out for itself. */
  readonly hosts: readonly string[] | undefined;
  /**
   * Asks other relays whether it can be reached, has the router hand on its port, and helps as a guest where it cannot. Otherwise it takes its
   * addresses for reachable, and says so to others, who check that before they pass it on.
   */
  readonly findOut: boolean;
  /** TCP for TLS, UDP for the DHT; 0 takes a free one. */
  readonly port: number;
  readonly gate: boolean;
  /** Of what it passes on; may change while it runs. Absent: as fast as it goes. */
  readonly limit?: RateLimit | undefined;
  readonly signal: AbortSignal;
  /** Called once it is known whether others reach this relay. */
  readonly onReady: (relay: RunningRelay) => void;
}

/**
 * Runs a relay of the network in use until `signal` is aborted. Raises E_NO_NETWORK, E_LOCKED, E_PORT_IN_USE, E_LISTEN, E_STORE, E_DENY_LIST, E_PROXY
 * where a proxy is in use, and, where it does not find out for itself, E_NO_ADDRESS where no address is given and this computer has none.
 */
export async function runRelay(options: RelayOptions, hooks: Hooks): Promise<void> {
  const folder = await openDataFolder(options.dataFolder);
  await assertNoProxy(folder, options.proxy);
  const network = await currentNetwork(folder);
  const hosts = options.findOut ? undefined : (options.hosts ?? ownAddresses(network.test));
  const lock = await acquireLock(path.join(folder.relay, "lock"));
  try {
    const keys = await openRelayKeys(folder, systemClock);
    const { port, gate, limit } = options;
    const own = new OwnInfo(keys, {
      clock: systemClock,
      networkId: network.id,
      gate,
      limit,
      save: (changed) => saveRelayKeys(folder, changed),
      log: hooks.log,
    });
    const table = await openTable(folder, network);
    const lan = await lanInUse(folder, options.lan);
    const cached = await cachedRelays(folder, network);
    const denied = await readDenyList(folder);
    const parts = { folder, network, own, table, cached, hosts, port, gate, denied, lan, limit, hooks };
    const running = await startOnFreePort(parts);
    try {
      await Promise.race([running.settled, whenAborted(options.signal)]);
      if (!options.signal.aborted) options.onReady(running.relay);
      await whenAborted(options.signal);
    } finally {
      await running.close();
    }
  } finally {
    await lock.release();
  }
}

/**
 * Where any port will do, the last one is tried first: links and invites name it. One that the system chose for TCP may be taken for UDP; one
 * that the person chose is taken at their word.
 */
async function startOnFreePort(parts: RelayParts): Promise<StartedRelay> {
  const file = path.join(parts.folder.relay, "port");
  const last = Number((await readStateFile(file, 16))?.toString("latin1"));
  const lastPort = Number.isInteger(last) && last > 0 && last < 65_536 ? last : 0;
  for (let left = PORTS_TRIED; ; left--) {
    try {
      const port = parts.port === 0 && left === PORTS_TRIED ? lastPort : parts.port;
      const running = await startRelay({ ...parts, port });
      await writeStateFile(file, Buffer.from(`${running.relay.port}\n`)).catch(async (error: unknown) => {
        await running.close();
        throw error;
      });
      return running;
    } catch (error) {
      if (parts.port !== 0 || left <= 1 || !isBackroomError(error, "E_PORT_IN_USE")) throw error;
    }
  }
}
