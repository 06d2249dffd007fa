import type { Log } from "../base/log.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { askService } from "../circuit/messages.ts";
import { SERVICE } from "../circuit/stream.ts";
import { createDirectoryClient } from "../directory/directory-client.ts";
import { joinRelayOf } from "../directory/network.ts";
import { keepTableFresh } from "../directory/refresh.ts";
import type { RelayInfo } from "../directory/relay-info.ts";
import type { Client } from "./client.ts";

export interface RefreshingDeps {
  readonly client: Pick<Client, "table" | "network" | "machine" | "decodeInfo" | "guards" | "open">;
  /** The member's own, which lead to its guards. */
  readonly channels: ChannelPool;
  readonly log: Log;
}

/** `keepTableFresh` for a member, over its circuits, until the returned function is called. */
export function startRefreshing({ client, channels, log }: RefreshingDeps): () => void {
  const { table, network, decodeInfo } = client;
  const { clock, random } = client.machine;
  const connect = createDirectoryClient({ channels, clock, decodeInfo });
  return keepTableFresh({
    table,
    network,
    clock,
    random,
    decodeInfo,
    log,
    guards: () => client.guards(),
    openGuard: async (relay) => ({ ...(await connect(joinRelayOf(relay))), relay }),
    openSomewhere: async () => {
      const { circuit, path } = await client.open({ role: "directory" });
      return {
        relay: path.at(-1) as RelayInfo,
        ask: (question) => askService(circuit, SERVICE.directory, question, { clock }),
        close: () => circuit.destroy(),
      };
    },
  });
}
