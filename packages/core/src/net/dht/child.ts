/**
 * The DHT process: the library, its socket and nothing else. It is started with an empty environment and without the right to write
 * files or start programs, holds no key, and ends with the node that started it. When the library throws, this process ends and no other.
 */
import { Client } from "bittorrent-dht";
import { systemClock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Endpoint } from "../channel.ts";
import { FoundEndpoints } from "./found-endpoints.ts";
import { GuardedSocket } from "./guarded-socket.ts";
import type { FromChild, ToChild } from "./messages.ts";

process.on("disconnect", () => process.exit(0));
process.once("message", (message) => {
  const first = message as ToChild;
  if (first.kind === "start") serve(first);
});

function say(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

function serve(start: Extract<ToChild, { kind: "start" }>): void {
  const socket = new GuardedSocket({ testNetwork: start.testNetwork, clock: systemClock });
  const dht = new Client({
    socket,
    bootstrap: [...start.contacts],
    maxTables: LIMITS.dhtTables,
    maxPeers: LIMITS.dhtStoredPeers,
    maxAge: LIMITS.dhtStoredMs,
  });
  /** Running lookups by hash: the library tells of peers by hash only. */
  const listeners = new Map<string, Set<(peer: Endpoint, from: Endpoint | undefined) => void>>();

  let listening = false;
  dht.on("listening", () => {
    listening = true;
    say({ kind: "listening", port: dht.address().port });
  });
  // From the socket itself: the library takes an address that is not ours for a warning.
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (!listening) say({ kind: "refused", inUse: error.code === "EADDRINUSE" });
  });
  dht.on("error", () => {});
  dht.on("warning", () => {});
  dht.on("peer", (peer, hash, from) => {
    const node = from === null ? undefined : { host: from.address, port: from.port };
    for (const listener of listeners.get(hash.toString("hex")) ?? []) listener(peer, node);
  });
  dht.listen(start.port, start.host);

  /** Asks for a hash until the nodes closest to it have answered or the time is over. */
  function lookup(hash: string, done: (found: Endpoint[]) => void): void {
    const found = new FoundEndpoints();
    const listener = (peer: Endpoint, from: Endpoint | undefined): void => found.add(peer, from);
    const ofHash = listeners.get(hash) ?? new Set();
    listeners.set(hash, ofHash.add(listener));
    const abort = dht.lookup(Buffer.from(hash, "hex"), () => end());
    const cancel = systemClock.after(LIMITS.dhtLookupMs, () => end());

    function end(): void {
      if (!ofHash.delete(listener)) return;
      if (ofHash.size === 0) listeners.delete(hash);
      cancel();
      abort();
      done(found.list());
    }
  }

  /** A lookup leaves the tokens behind that announcing needs. Without one the library makes its own, which nothing ends. */
  function announce(hash: string, done: (takenCount: number) => void): void {
    const bytes = Buffer.from(hash, "hex");
    const abort = dht.lookup(bytes, () => {
      cancel();
      dht.announce(bytes, start.announcePort, (_error, taken) => done(taken ?? 0));
    });
    const cancel = systemClock.after(LIMITS.dhtLookupMs, abort);
  }

  const contacts = [...start.contacts];
  let refreshedMs = -Infinity;

  /**
   * In a small network every contact counts, and one that comes back has a new id. The library would keep the old id, refuse the answers
   * that do not fit it, and ask no address twice. So contacts are pinged anew, and of two ids at one address the older one goes;
   * a forged packet that brings a wrong one is made good by the next ping. In the large DHT neither matters.
   */
  const isSmall = (): boolean => dht.nodes.count() < LIMITS.dhtNodes;
  dht.on("node", (node) => {
    if (!isSmall()) return;
    for (const other of dht.nodes.toArray()) {
      if (other.host === node.host && other.port === node.port && !other.id.equals(node.id))
        dht.removeNode(other.id);
    }
  });

  function refreshContacts(): void {
    const nowMs = systemClock.monotonicMs();
    if (!isSmall() || nowMs - refreshedMs < LIMITS.dhtRefreshMs) return;
    refreshedMs = nowMs;
    for (const { host, port } of contacts) dht.addNode({ host, port });
  }

  process.on("message", (message) => {
    const order = message as ToChild;
    refreshContacts();
    if (order.kind === "contacts") {
      for (const { host, port } of order.contacts) dht.addNode({ host, port });
      contacts.push(...order.contacts);
      contacts.splice(0, Math.max(0, contacts.length - LIMITS.dhtContacts));
    } else if (order.kind === "lookup") {
      lookup(order.hash, (found) => say({ kind: "done", job: order.job, found, takenCount: 0 }));
    } else if (order.kind === "announce") {
      announce(order.hash, (takenCount) => say({ kind: "done", job: order.job, found: [], takenCount }));
    }
  });
}
