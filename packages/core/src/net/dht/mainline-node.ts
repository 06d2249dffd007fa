import { Client } from "bittorrent-dht";
import { systemClock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Endpoint } from "../channel.ts";
import { FoundEndpoints } from "./found-endpoints.ts";
import type { GuardedSocket } from "./guarded-socket.ts";

type OnPeer = (peer: Endpoint, from: Endpoint | undefined) => void;

export interface MainlineNodeOptions {
  readonly socket: GuardedSocket;
  /** Nodes that may speak DHT. */
  readonly contacts: readonly Endpoint[];
  /** Where others find what is announced. */
  readonly announcePort: number;
}

/** A node of the Mainline DHT: the library, and what it leaves undone. Only in the DHT process, which a mistake of the library may end. */
export class MainlineNode {
  readonly #dht: Client;
  readonly #announcePort: number;
  readonly #contacts: Endpoint[];
  /** Running lookups by hash: the library tells of peers by hash only. */
  readonly #listeners = new Map<string, Set<OnPeer>>();
  #refreshedMs = -Infinity;

  constructor({ socket, contacts, announcePort }: MainlineNodeOptions) {
    this.#announcePort = announcePort;
    this.#contacts = [...contacts];
    const dht = new Client({
      socket,
      bootstrap: [...contacts],
      maxTables: LIMITS.dhtTables,
      maxPeers: LIMITS.dhtStoredPeers,
      maxAge: LIMITS.dhtStoredMs,
    });
    this.#dht = dht;
    dht.on("error", () => {});
    dht.on("warning", () => {});
    dht.on("peer", (peer, hash, from) => {
      const node = from === null ? undefined : { host: from.address, port: from.port };
      for (const listener of this.#listeners.get(hash.toString("hex")) ?? []) listener(peer, node);
    });
    dht.on("node", (node) => this.#forgetOlder(node));
  }

  /** `onListening` is told the UDP port. Where the port is taken the socket says so. */
  listen(port: number, host: string, onListening: (port: number) => void): void {
    this.#dht.on("listening", () => onListening(this.#dht.address().port));
    this.#dht.listen(port, host);
  }

  /** Asks for a hash (hex) until the nodes closest to it have answered or the time is over. */
  lookup(hash: string, done: (found: Endpoint[]) => void): void {
    const found = new FoundEndpoints();
    const listener: OnPeer = (peer, from) => found.add(peer, from);
    const ofHash = this.#listeners.get(hash) ?? new Set();
    this.#listeners.set(hash, ofHash.add(listener));
    const end = (): void => {
      if (!ofHash.delete(listener)) return;
      if (ofHash.size === 0) this.#listeners.delete(hash);
      cancel();
      abort();
      done(found.list());
    };
    const abort = this.#dht.lookup(Buffer.from(hash, "hex"), end);
    const cancel = systemClock.after(LIMITS.dhtLookupMs, end);
  }

  /**
   * Tells the nodes closest to a hash (hex) where it is, and then how many took it. A lookup leaves the tokens behind that this needs: without one the library makes
   * its own, which nothing ends.
   */
  announce(hash: string, done: (takenCount: number) => void): void {
    const bytes = Buffer.from(hash, "hex");
    const abort = this.#dht.lookup(bytes, () => {
      cancel();
      this.#dht.announce(bytes, this.#announcePort, (_error, taken) => done(taken ?? 0));
    });
    const cancel = systemClock.after(LIMITS.dhtLookupMs, abort);
  }

  addContacts(contacts: readonly Endpoint[]): void {
    for (const { host, port } of contacts) this.#dht.addNode({ host, port });
    this.#contacts.push(...contacts);
    this.#contacts.splice(0, Math.max(0, this.#contacts.length - LIMITS.dhtContacts));
  }

  /**
   * In a small network every contact counts, and one that comes back has a new id. The library would keep the old id, refuse the answers
   * that do not fit it, and ask no address twice. So contacts are pinged anew, now and then, and of two ids at one address the older one goes;
   * a forged packet that brings a wrong one is made good by the next ping. In the large DHT neither matters.
   */
  refreshContacts(): void {
    const nowMs = systemClock.monotonicMs();
    if (!this.#isSmall || nowMs - this.#refreshedMs < LIMITS.dhtRefreshMs) return;
    this.#refreshedMs = nowMs;
    for (const { host, port } of this.#contacts) this.#dht.addNode({ host, port });
  }

  get #isSmall(): boolean {
    return this.#dht.nodes.count() < LIMITS.dhtNodes;
  }

  #forgetOlder(node: { readonly id: Buffer; readonly host: string; readonly port: number }): void {
    if (!this.#isSmall) return;
    for (const other of this.#dht.nodes.toArray()) {
      if (other.host === node.host && other.port === node.port && !other.id.equals(node.id))
        this.#dht.removeNode(other.id);
    }
  }
}
