import type { HopTarget } from "../../packages/core/src/circuit/stream.ts";
import type { Endpoint } from "../../packages/core/src/net/channel.ts";

export interface FeederReport {
  readonly hops: readonly SavedHop[];
  readonly leaseKey: string;
  readonly tunnelKey: string;
}

export interface SavedHop {
  readonly nodeKey: string;
  readonly onionKey: string;
  readonly endpoints: readonly Endpoint[];
}

export const NETWORK_ID = 78;
export function hopOf(saved: SavedHop): HopTarget {
  return {
    nodeKey: Buffer.from(saved.nodeKey, "base64"),
    onionKey: Buffer.from(saved.onionKey, "base64"),
    endpoints: saved.endpoints,
    info: Buffer.from(JSON.stringify(saved)),
  };
}
