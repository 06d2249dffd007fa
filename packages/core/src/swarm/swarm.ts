import type { Clock } from "../base/clock.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import type { BackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import type { Random } from "../base/random.ts";
import type { PackSource } from "../pack/source.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { AddressPolicy } from "./extension-handshake.ts";
import type { LeasePool } from "./lease-exchange.ts";
import { PeerSwarm } from "./peer-swarm.ts";

export interface SwarmOptions {
  /** Where the pieces are and go. Its `complete` makes the difference between a seeder and a leecher. Not closed by the swarm. */
  readonly store: PieceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `refuse` (the default) everywhere but on loopback with a stock program: see AddressPolicy. */
  readonly addressPolicy?: AddressPolicy;
  /** What peers are told about other seeders, and told us; without it nothing is passed on or taken. */
  readonly leases?: LeasePool;
  /** What this swarm shares with others of the same computer; absent: it goes as fast as it can. */
  readonly limits?: SwarmLimits;
  readonly events?: SwarmEvents;
}

/** In bytes of blocks; what tunnels and circuits add comes on top. */
export interface SwarmLimits {
  /** Of what is asked for: blocks come when they were asked for, so peers owe nothing while they wait, and time nothing out. */
  readonly download: RateLimit;
  readonly upload: RateLimit;
}

/** What a swarm tells its owner. Handlers must not throw. */
export interface SwarmEvents {
  /** The piece is verified and stored. */
  onPiece?(piece: number): void;
  /** Everything that is wanted is stored; again when more was wanted. Not called for a store that was complete from the start. */
  onComplete?(): void;
  /** `peer` is what `addPeer` returned. Without an error it left in good order. E_PEER_… and E_HASH: better not try it again. */
  onPeerClosed?(peer: object, error: BackroomError | undefined): void;
  /** The store failed (E_DISK_FULL, E_STORE): the swarm has closed itself. */
  onFailed?(error: BackroomError): void;
}

export interface SwarmStats {
  /** Bytes a second, over the last few seconds. */
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  /** Bytes of blocks that came twice, or too late, or were bad. */
  readonly wastedBytes: number;
  /** It would ask for more now, but for the limit. */
  readonly isHeldBack: boolean;
  /** Peers whose handshake is done, and those of them that have everything. */
  readonly peerCount: number;
  readonly seederCount: number;
  readonly haveCount: number;
  readonly pieceCount: number;
  /** Of the pack: what is wanted, and what of that is stored. */
  readonly wantedBytes: number;
  readonly wantedDoneBytes: number;
  /** Nothing that is wanted is missing, and nothing more is expected to be. */
  readonly complete: boolean;
}

/** What is wanted of the pack. */
export interface Want {
  /** One of LEVELS for each piece. */
  readonly levels: Uint8Array;
  /** More will be wanted once somebody knows what: peers stay although they have nothing to give just now. */
  readonly isPreliminary?: boolean;
}

export interface AddPeerOptions {
  readonly initiator: boolean;
  readonly seeder?: string;
  readonly replaces?: object;
}

/** One share's swarm: it downloads what its store lacks and serves what it has, at the same time. */
export interface Swarm {
  /**
   * Takes over a duplex that `start` has not been called for. Returns a token for `onPeerClosed`, or undefined (and closes the duplex)
   * when there are enough peers, the swarm is closed, or the other side has closed the duplex. `initiator` says who opened the tunnel: it sends its handshake first. `seeder` is
   * the name in `leases` of whoever was called. `replaces` is the token of a peer that goes in good order once this one can be asked: it is asked
   * nothing more, and closed when it owes nothing.
   */
  addPeer(duplex: ByteDuplex, options: AddPeerOptions): object | undefined;
  /** Fulfilled when the piece is there; until then it comes before others. Rejected with why the swarm closed. */
  whenPiece(piece: number): Promise<void>;
  /** The pack's bytes; reads wait for their pieces, wanted or not, and what is wanted of those that follow them is fetched ahead. */
  source(): PackSource;
  /** Everything is wanted, and as soon as everything else, before this is called. */
  want(want: Want): void;
  /** Whether the peer of that token has something that is wanted here and missing. */
  hasUse(peer: object): boolean;
  /** Lets a peer go in good order. */
  dropPeer(peer: object): void;
  stats(): SwarmStats;
  /** Closes all sessions and rejects who waits. Pieces being written are written. */
  close(): void;
}

export function createSwarm(options: SwarmOptions): Swarm {
  return new PeerSwarm(options);
}
