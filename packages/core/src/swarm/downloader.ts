import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { RateLimit, RateShare } from "../base/rate-limit.ts";
import { missingPieces } from "../store/held-pieces.ts";
import type { PieceStore } from "../store/piece-store.ts";
import type { Bitfield } from "../torrent/bitfield.ts";
import { pieceBytes } from "../torrent/info.ts";
import { HASH_BYTES, LEAF_BYTES } from "../torrent/merkle.ts";
import type { HashesMessage, HashRange } from "../torrent/peer-wire.ts";
import { PieceTree } from "../torrent/piece-tree.ts";
import { mostActivePieces } from "./active-piece.ts";
import { blocksIn } from "./blocks.ts";
import { LayerExchange } from "./layer-exchange.ts";
import type { PeerSession } from "./peer-session.ts";
import type { PickerPeer } from "./picker-peer.ts";
import { Picker, type Block, type Unwanted } from "./picker.ts";
import { PieceIntake } from "./piece-intake.ts";
import { PieceRead, PieceReads } from "./piece-reads.ts";
import type { Want } from "./swarm.ts";

/** A peer of the swarm. */
export interface Peer {
  readonly session: PeerSession;
  readonly picking: PickerPeer;
  /** The peer id that we gave ourselves towards it, and the one it gave itself. */
  readonly ownId: Buffer;
  peerId: Buffer | undefined;
  /** It owes blocks for long, and others are asked for them. */
  stalled: boolean;
  /** Others may have been asked for what it still owes: when they send it first, it is told. */
  released: boolean;
  /** Another one has taken its place: it is asked nothing more. Monotonic; undefined while it stays. */
  retiredMs: number | undefined;
}

export interface DownloaderDeps {
  readonly store: PieceStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Kept by the swarm: all peers, also those whose handshake is under way. */
  readonly peers: ReadonlySet<Peer>;
  /** See SwarmLimits. */
  readonly limit?: RateLimit | undefined;
  onStored(piece: number): void;
  /** Nothing that is wanted is missing any more. */
  onComplete(): void;
  /** The store failed. */
  onFailed(error: unknown): void;
}

/**
 * The receiving half of a swarm: first the piece layer, checked against the root, then the pieces. Blocks are hashed as they come, and a piece is
 * verified before it is stored; nothing that was not stored is announced, served or opened.
 */
export class Downloader {
  readonly #deps: DownloaderDeps;
  readonly #store: PieceStore;
  readonly #picker: Picker;
  readonly #intake: PieceIntake<Peer>;
  readonly #reads = new PieceReads();
  /** One for all peers of the share, so that a share with many of them gets no more than others do. */
  readonly #rate: RateShare | undefined;
  #exchange: LayerExchange<Peer> | undefined;
  #layer: Buffer | undefined;
  #tree: PieceTree | undefined;
  /** More will be wanted: see Want. */
  #isPreliminary = false;
  /** That nothing that is wanted is missing was told, and is so still. */
  #isTold: boolean;
  #closed: BackroomError | undefined;
  /** Bytes of blocks that came twice, or too late, or were bad. */
  wastedBytes = 0;

  constructor(deps: DownloaderDeps) {
    this.#deps = deps;
    this.#store = deps.store;
    const { info } = deps.store;
    this.#intake = new PieceIntake(deps.store, {
      onStored: (piece) => this.#onStored(piece),
      onBad: (piece, bytes) => {
        this.wastedBytes += bytes;
        this.#picker.fail(piece);
      },
      onLiar: ({ session }) => session.close(new BackroomError("E_PEER_DATA", "a peer sent wrong blocks")),
      onFailed: (error) => deps.onFailed(error),
    });
    this.#rate = deps.limit?.share(() => this.askAll());
    this.#picker = new Picker({
      pieceCount: info.pieceCount,
      blocksIn: (piece) => blocksIn(info, piece),
      have: (piece) => deps.store.have(piece),
      random: deps.random,
      maxActive: mostActivePieces(info.pieceLength),
      first: [0, info.pieceCount - 1],
    });
    this.#isTold = this.#picker.complete;
    this.#layer = deps.store.pieceLayer();
    if (this.#layer === undefined) {
      this.#exchange = new LayerExchange(info);
      this.#takeLayer();
    }
  }

  /** Nothing that is wanted is missing, and no more is expected to be wanted. */
  get complete(): boolean {
    return !this.#isPreliminary && this.#picker.complete;
  }

  get wanted(): { readonly bytes: number; readonly doneBytes: number } {
    const { info } = this.#store;
    const last = info.pieceCount - 1;
    // Only the last piece is shorter than the others.
    const gap = this.#picker.isWanted(last) ? info.pieceLength - pieceBytes(info, last) : 0;
    const { wantedCount, wantedDoneCount } = this.#picker;
    return {
      bytes: wantedCount * info.pieceLength - gap,
      doneBytes: wantedDoneCount * info.pieceLength - (this.#store.have(last) ? gap : 0),
    };
  }

  /** See Swarm. */
  want({ levels, isPreliminary = false }: Want): void {
    this.#isPreliminary = isPreliminary;
    this.#takeBack(this.#picker.setLevels(levels));
    this.#raiseUrgent();
    this.#isTold = false;
    this.#onLessWanted();
  }

  get isHeldBack(): boolean {
    return this.#rate?.isWaiting === true;
  }

  /** Built when first asked for: a leecher that nobody asks needs none. */
  pieceTree(): PieceTree | undefined {
    if (this.#tree === undefined && this.#layer !== undefined) {
      this.#tree = new PieceTree(this.#store.info, this.#layer);
    }
    return this.#tree;
  }

  addPeer(): PickerPeer {
    return this.#picker.addPeer();
  }

  /** Its blocks are free for others. */
  removePeer(peer: Peer): void {
    this.#intake.drop(this.#picker.removePeer(peer.picking));
    this.#exchange?.left(peer);
    this.askAll();
  }

  /** The peer choked us or stalls: its blocks are free for others. */
  release(peer: Peer): void {
    peer.released = true;
    this.#intake.drop(this.#picker.release(peer.picking));
  }

  forgive(peer: Peer): void {
    this.#picker.forgive(peer.picking);
  }

  /** What the peer has, once; undefined for everything. */
  onPieces(peer: Peer, pieces: Bitfield | undefined): void {
    this.#picker.peerHasPieces(peer.picking, pieces);
  }

  onHave(peer: Peer, piece: number): void {
    this.#picker.peerHas(peer.picking, piece);
  }

  onReject(peer: Peer, block: Block): void {
    this.#intake.drop(this.#picker.rejected(peer.picking, block));
  }

  /** Raises E_HASH for hashes that do not lead to the root. */
  onHashes(message: HashesMessage): void {
    this.#exchange?.accept(message);
    this.#takeLayer();
  }

  onHashReject(peer: Peer, range: HashRange): void {
    this.#exchange?.rejected(peer, range, this.#deps.clock.monotonicMs());
  }

  onBlock(peer: Peer, block: Block, bytes: Buffer): void {
    const received = this.#picker.received(peer.picking, block);
    peer.stalled = false;
    if (received === undefined) {
      this.wastedBytes += bytes.length;
      return;
    }
    this.#cancel(received.cancel, block, peer);
    this.#intake.add(block, bytes, peer);
    if (!received.complete) return;
    const { piece } = block;
    this.#intake.finish(
      piece,
      (this.#layer as Buffer).subarray(piece * HASH_BYTES, (piece + 1) * HASH_BYTES),
    );
  }

  /** The pieces are damaged on disk, so they are fetched again. */
  lost(pieces: readonly number[]): void {
    for (const piece of pieces) this.#picker.lost(piece);
    if (this.#picker.wantedDoneCount < this.#picker.wantedCount) this.#isTold = false;
    this.#showInterest();
  }

  #showInterest(): void {
    for (const { picking, session } of this.#deps.peers) {
      if (picking.usefulCount > 0) session.setInterested(true);
    }
  }

  /**
   * Fulfilled when the pieces from `first` to `last` are there; until then they come before others. Raises E_INTERRUPTED once `signal` is aborted, and why the
   * swarm closed.
   */
  async whenPieces(first: number, last: number, signal?: AbortSignal): Promise<void> {
    if (last >= this.#store.info.pieceCount) {
      throw new BackroomError("E_INTERNAL", "somebody waits for a piece behind the last one");
    }
    let [next] = missingPieces(this.#store, first, last);
    if (next === undefined) return;
    const read = new PieceRead(next, last);
    const onAbort = (): void => read.fail(stopped());
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#reads.add(read);
    try {
      for (; next !== undefined; [next] = missingPieces(this.#store, first, last)) {
        if (this.#closed !== undefined) throw this.#closed;
        if (signal?.aborted === true) throw stopped();
        // They may have been here, and been found damaged by somebody else's read.
        this.lost(missingPieces(this.#store, next, last));
        const arrival = this.#reads.waitFor(read, next);
        this.#raiseUrgent();
        this.#showInterest();
        this.askAll();
        await arrival;
      }
      this.#reads.end(read);
    } catch (error) {
      this.#reads.giveUp(read);
      if (this.#closed === undefined) {
        this.#raiseUrgent();
        this.#onLessWanted();
      }
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Whoever has the fewest requests under way comes first: always in one order, the first would take whatever room a stored piece leaves. */
  askAll(): void {
    const load = ({ session }: Peer): number => session.window.outstandingCount;
    for (const peer of [...this.#deps.peers].sort((a, b) => load(a) - load(b))) this.ask(peer);
  }

  /** Asks the peer for as much as it should have under way. */
  ask(peer: Peer): void {
    const { session, picking } = peer;
    if (this.#closed !== undefined || !session.open || picking.usefulCount === 0) return;
    if (peer.retiredMs !== undefined) return;
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#layer === undefined) {
      const room = LIMITS.peerHashRequests - session.hashRequestCount;
      const ranges = this.#exchange?.pick(peer, room, nowMs) ?? [];
      if (ranges.length > 0) session.requestHashes(ranges);
      return;
    }
    const room = Math.min(session.room, this.#mayAsk(session.room));
    if (room <= 0) return;
    const blocks = this.#picker.pick(picking, room, nowMs, session.window.expectedMs);
    if (blocks.length === 0) return;
    this.#rate?.spend(blocks.length * LEAF_BYTES);
    session.request(blocks);
  }

  /** How many blocks the limit lets us ask for now; who has no room does not ask for a turn either. */
  #mayAsk(room: number): number {
    if (room <= 0 || this.#rate === undefined) return room;
    return Math.ceil(this.#rate.request() / LEAF_BYTES);
  }

  close(error: BackroomError): void {
    this.#closed = error;
    this.#rate?.close();
    this.#intake.clear();
    this.#reads.failAll(error);
  }

  #takeLayer(): void {
    const layer = this.#exchange?.layer;
    if (layer === undefined) return;
    this.#exchange = undefined;
    // Only a store that knows the layer takes pieces.
    this.#store.setPieceLayer(layer).then(
      () => {
        this.#layer = layer;
        this.askAll();
      },
      (error: unknown) => this.#deps.onFailed(error),
    );
  }

  #onStored(piece: number): void {
    if (this.#closed !== undefined) return;
    this.#picker.finish(piece);
    this.#reads.arrived(piece);
    this.#deps.onStored(piece);
    if (!this.#tellComplete()) this.askAll();
  }

  /**
   * Once each time, and also where the last piece that came, or that somebody stopped waiting for, is one that nobody wanted. Not for every one of those:
   * whoever looks at what nobody wants soon looks at more of it, and peers stay.
   */
  #tellComplete(): boolean {
    if (this.#isTold || !this.complete) return false;
    this.#isTold = true;
    this.#deps.onComplete();
    return true;
  }

  /** The block came from `sender`: nobody else need send it. */
  #cancel(others: readonly PickerPeer[], block: Block, sender: Peer): void {
    for (const peer of this.#deps.peers) {
      if (peer === sender || !(peer.released || others.includes(peer.picking))) continue;
      peer.session.cancel(block);
      if (peer.session.window.outstandingCount === 0) peer.released = false;
    }
  }

  /** What is waited for, and of what is wanted that which is likely to be read next. */
  #raiseUrgent(): void {
    const { pieceLength, pieceCount } = this.#store.info;
    const ahead = Math.ceil(LIMITS.swarmReadAheadBytes / pieceLength);
    const urgent = this.#reads.needed(ahead);
    const position = this.#reads.position ?? pieceCount;
    for (let piece = position; piece < Math.min(pieceCount, position + 1 + ahead); piece++) {
      if (this.#picker.isWanted(piece)) urgent.add(piece);
    }
    this.#takeBack(this.#picker.setUrgent([...urgent]));
  }

  #takeBack({ pieces, requests }: Unwanted): void {
    this.#intake.drop(pieces);
    for (const peer of this.#deps.peers) {
      for (const block of requests.get(peer.picking) ?? []) peer.session.cancel(block);
    }
  }

  /** Who was of use may not be any more, and nothing may be missing. */
  #onLessWanted(): void {
    for (const { picking, session } of this.#deps.peers) session.setInterested(picking.usefulCount > 0);
    if (!this.#tellComplete()) this.askAll();
  }
}

function stopped(): BackroomError {
  return new BackroomError("E_INTERRUPTED", "whoever waited for a piece does not any more");
}
