/** The part of bittorrent-dht 11.0.12 that we use; the package has no types. */
declare module "bittorrent-dht" {
  import type { RemoteInfo } from "node:dgram";
  import type { EventEmitter } from "node:events";

  export interface DhtNode {
    host: string;
    port: number;
  }

  interface KnownNode extends DhtNode {
    id: Buffer;
  }

  export class Client extends EventEmitter {
    constructor(options: {
      /** Passed through k-rpc to k-rpc-socket, which opens its own without it. */
      socket: EventEmitter;
      /** Never left out: the library would use its own list, by name. */
      bootstrap: DhtNode[];
      maxTables: number;
      maxPeers: number;
      maxAge: number;
    });
    /** The routing table. */
    readonly nodes: { count(): number; toArray(): KnownNode[] };
    listen(port: number, host: string): void;
    address(): { port: number };
    addNode(node: DhtNode): void;
    removeNode(id: Buffer): void;
    /** The returned function ends the lookup early; `done` is called all the same. */
    lookup(hash: Buffer, done: (error: Error | null) => void): () => void;
    announce(hash: Buffer, port: number, done: (error: Error | null, taken?: number) => void): void;
    /** `from` is the socket's word for whose answer it was; null for peers that this node itself was told of. */
    on(event: "peer", listener: (peer: DhtNode, hash: Buffer, from: RemoteInfo | null) => void): this;
    on(event: "node", listener: (node: KnownNode) => void): this;
    on(event: "listening" | "warning", listener: () => void): this;
    on(event: "error", listener: (error: NodeJS.ErrnoException) => void): this;
  }
}
