import { setTimeout as sleep } from "node:timers/promises";
import { silentLog } from "@backroom/core/base/log.ts";
import { parseLink, topicSecret } from "@backroom/core/link/link.ts";
import { Client } from "@backroom/core/node/client.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { Fetching } from "@backroom/core/node/fetching.ts";
import { currentNetwork } from "@backroom/core/node/networks.ts";
import { Swarming } from "@backroom/core/node/swarming.ts";
import { MemoryStore } from "@backroom/core/store/memory-store.ts";
import { torrentInfo } from "@backroom/core/torrent/info.ts";
import type { KnownLease } from "@backroom/core/tunnel/lease-book.ts";
import type { TestNetwork } from "./network.ts";
import { quietHooks } from "./quiet-hooks.ts";

/**
 * The leases of a share as any holder of the link gets them: a member of its own looks them up, and goes. The network is on loopback. Raises why
 * none was to be had.
 */
export async function readLeases(network: TestNetwork, text: string): Promise<readonly KnownLease[]> {
  await network.join("reader");
  const folder = await openDataFolder(network.dataFolder("reader"));
  const link = parseLink(text);
  const used = await currentNetwork(folder);
  const options = { folder, network: used, joinRelays: [], profile: "standard", log: silentLog } as const;
  const client = await Client.open({ ...options, proxy: undefined }, quietHooks);
  const done = new AbortController();
  const topic = { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint };
  const store = new MemoryStore(torrentInfo(link.piecesRoot, link.packLength));
  const swarming = new Swarming({ client, topic, store, sharerKeys: undefined, notGates: new Set() });
  const fetching = new Fetching({ client, swarming, log: silentLog, signal: done.signal });
  const running = fetching.run(done.signal);
  try {
    while (swarming.book.list().length === 0) await Promise.race([sleep(50), running]);
    return swarming.book.list();
  } finally {
    done.abort();
    await running.catch(() => {});
    swarming.close();
    await client.close();
  }
}
