import type { Clock } from "../base/clock.ts";
import type { BackroomError } from "../base/errors.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { Bitfield } from "../torrent/bitfield.ts";
import type { HashesMessage, HashRange } from "../torrent/peer-wire.ts";
import type { PieceTree } from "../torrent/piece-tree.ts";
import type { AddressPolicy } from "./extension-handshake.ts";
import type { LeasePool } from "./lease-exchange.ts";
import type { Block } from "./picker.ts";

/** What a session needs of its swarm. */
export interface SessionDeps {
  readonly store: PieceStore;
  readonly clock: Clock;
  readonly addressPolicy: AddressPolicy;
  /** 20 bytes, random for this session alone. */
  readonly peerId: Buffer;
  /** The seeder behind the tunnel, where we know it: see SwarmOptions.leases. */
  readonly seeder: string | undefined;
  readonly leases: LeasePool | undefined;
  /** Each peer takes its turn at it: a person with one tunnel is worth as much as another. */
  readonly uploadLimit: RateLimit | undefined;
  /** What hash requests are answered from; undefined while the piece layer is not known. */
  pieceTree(): PieceTree | undefined;
}

/** What a session tells its swarm. No handler may throw but `onHandshake`, `onHashes`: what they raise closes the session. */
export interface SessionEvents {
  /** The peer has shown the right infohash. Raises to refuse it. */
  onHandshake(peerId: Buffer): void;
  /** What the peer has, once; undefined for everything. */
  onPieces(pieces: Bitfield | undefined): void;
  onHave(piece: number): void;
  onChoke(): void;
  onUnchoke(): void;
  /** A block that was asked for, of the right length. The bytes may be kept. */
  onBlock(block: Block, bytes: Buffer): void;
  onReject(block: Block): void;
  onHashes(message: HashesMessage): void;
  onHashReject(range: HashRange): void;
  /** A batch of messages has been handled: time to ask for more. */
  onIdle(): void;
  /** `piece` could not be read from the store; the peer has had its rejects. */
  onReadFailed(piece: number, error: unknown): void;
  /** Once; nothing is called after it. */
  onClosed(error: BackroomError | undefined): void;
}
