import type { Clock } from "../base/clock.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { PackSource } from "../pack/source.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { HASH_BYTES } from "../torrent/merkle.ts";
import { PieceTree } from "../torrent/piece-tree.ts";
import { blocksIn } from "./blocks.ts";
import type { AddressPolicy } from "./extension-handshake.ts";
import { LayerExchange } from "./layer-exchange.ts";
import { PeerSession } from "./peer-session.ts";
import type { PickerPeer } from "./picker-peer.ts";
import { Picker, type Block } from "./picker.ts";
import { PieceAssembly } from "./piece-assembly.ts";
import { PieceWaits } from "./piece-waits.ts";
import { RateMeter } from "./rate-meter.ts";

export interface SwarmOptions {
  /** Where the pieces are and go. Its `complete` makes the difference between a seeder and a leecher. Not closed by the swarm. */
  readonly store: PieceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `refuse` (the default) everywhere but on loopback with a stock program: see AddressPolicy. */
  readonly addressPolicy?: AddressPolicy;
  readonly events?: SwarmEvents;
}

/** What a swarm tells its owner. Handlers must not throw. */
export interface SwarmEvents {
  /** The piece is verified and stored. */
  onPiece?(piece: number): void;
  /** All pieces are stored. Not called for a store that was complete from the start. */
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
  /** Peers whose handshake is done, and those of them that have everything. */
  readonly peerCount: number;
  readonly seederCount: number;
  readonly haveCount: number;
  readonly pieceCount: number;
  readonly complete: boolean;
}

/** One share's swarm: it downloads what its store lacks and serves what it has, at the same time. */
export interface Swarm {
  /**
   * Takes over a duplex that `start` has not been called for. Returns a token for `onPeerClosed`, or undefined (and closes the duplex)
   * when there are enough peers or the swarm is closed. `initiator` says who opened the tunnel: it sends its handshake first.
   */
  addPeer(duplex: ByteDuplex, options: { initiator: boolean }): object | undefined;
  /** Fulfilled when the piece is there; until then it comes before others. Rejected with why the swarm closed. */
  whenPiece(piece: number): Promise<void>;
  /** The pack's bytes; reads wait for their pieces, and what follows them is fetched ahead. */
  source(): PackSource;
  stats(): SwarmStats;
  /** Closes all sessions and rejects who waits. Pieces being written are written. */
  close(): void;
}

export function createSwarm(options: SwarmOptions): Swarm {
  return new PeerSwarm(options);
}

const TICK_MS = 500;
/** Pieces are announced in batches, since each message may cost a tunnel's record of 16 KiB. */
const ANNOUNCE_MS = 100;
/** A peer that exchanged nothing for this long makes room for a new one when there are too many. */
const IDLE_MS = 60_000;

interface Peer {
  readonly session: PeerSession;
  readonly picking: PickerPeer;
  readonly ownId: Buffer;
  peerId: Buffer | undefined;
  stalled: boolean;
}

class PeerSwarm implements Swarm {
  readonly #options: SwarmOptions;
  readonly #store: PieceStore;
  readonly #picker: Picker;
  readonly #peers = new Set<Peer>();
  readonly #peerOf = new Map<PickerPeer, Peer>();
  readonly #assemblies = new Map<number, PieceAssembly<Peer>>();
  /** Bad pieces that came from several peers: judged when the piece has come whole from one. */
  readonly #suspects = new Map<number, PieceAssembly<Peer>>();
  readonly #waits = new PieceWaits();
  readonly #downloads = new RateMeter();
  readonly #uploads = new RateMeter();
  #exchange: LayerExchange<Peer> | undefined;
  #layer: Buffer | undefined;
  #tree: PieceTree | undefined;
  #toAnnounce: number[] = [];
  #readAheadFrom = 0;
  #closedBytes = { downloaded: 0, uploaded: 0 };
  #wastedBytes = 0;
  #forgivenMs = 0;
  #closed: BackroomError | undefined;
  #stopTick: () => void;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#store = options.store;
    const { info } = options.store;
    this.#picker = new Picker({
      pieceCount: info.pieceCount,
      blocksIn: (piece) => blocksIn(info, piece),
      have: (piece) => options.store.have(piece),
      random: options.random,
      maxActive: Math.min(
        LIMITS.swarmActiveMost,
        Math.max(LIMITS.swarmActiveLeast, Math.floor(LIMITS.swarmActiveBytes / info.pieceLength)),
      ),
      first: [0, info.pieceCount - 1],
    });
    this.#layer = options.store.pieceLayer();
    if (this.#layer === undefined) {
      this.#exchange = new LayerExchange(info);
      this.#takeLayer();
    }
    this.#stopTick = options.clock.after(TICK_MS, () => this.#tick());
  }

  addPeer(duplex: ByteDuplex, { initiator }: { initiator: boolean }): object | undefined {
    if (this.#closed === undefined && this.#peers.size >= LIMITS.swarmPeers) this.#evictIdle();
    if (this.#closed !== undefined || this.#peers.size >= LIMITS.swarmPeers) {
      duplex.close();
      return undefined;
    }
    const ownId = this.#options.random.bytes(20);
    const session = new PeerSession(
      duplex,
      initiator,
      {
        store: this.#store,
        clock: this.#options.clock,
        addressPolicy: this.#options.addressPolicy ?? "refuse",
        peerId: ownId,
        pieceTree: () => this.#pieceTree(),
      },
      {
        onHandshake: (peerId) => this.#onHandshake(peer, peerId),
        onPieces: (pieces) => {
          this.#picker.peerHasPieces(peer.picking, pieces);
          this.#onPeerGained(peer);
        },
        onHave: (piece) => {
          this.#picker.peerHas(peer.picking, piece);
          this.#onPeerGained(peer);
        },
        onChoke: () => this.#releaseBlocks(peer),
        onUnchoke: () => this.#picker.forgive(peer.picking),
        onBlock: (block, bytes) => this.#onBlock(peer, block, bytes),
        onReject: (block) => this.#restart(this.#picker.rejected(peer.picking, block)),
        onHashes: (message) => {
          this.#exchange?.accept(message);
          this.#takeLayer();
        },
        onHashReject: (range) => this.#exchange?.rejected(peer, range, this.#nowMs()),
        onIdle: () => this.#ask(peer),
        onStoreFailed: (error) => this.#fail(error),
        onClosed: (error) => this.#onPeerClosed(peer, error),
      },
    );
    const peer: Peer = {
      session,
      picking: this.#picker.addPeer(),
      ownId,
      peerId: undefined,
      stalled: false,
    };
    this.#peers.add(peer);
    this.#peerOf.set(peer.picking, peer);
    session.start();
    return peer;
  }

  async whenPiece(piece: number): Promise<void> {
    if (this.#store.have(piece)) return;
    if (this.#closed !== undefined) throw this.#closed;
    const arrival = this.#waits.wait(piece);
    this.#readAheadFrom = piece;
    this.#raiseUrgent();
    this.#askAll();
    await arrival;
  }

  source(): PackSource {
    const { info } = this.#store;
    const read = async (offset: number, length: number): Promise<Buffer> => {
      if (length > 0) {
        const last = Math.floor((offset + length - 1) / info.pieceLength);
        // One after the other: pieces are raised in the order in which they are needed, and the read-ahead covers the next ones.
        for (let piece = Math.floor(offset / info.pieceLength); piece <= last; piece++) {
          await this.whenPiece(piece);
        }
      }
      return this.#store.read(offset, length);
    };
    return { length: info.length, read };
  }

  stats(): SwarmStats {
    const open = [...this.#peers].filter((peer) => peer.session.open);
    const { downloaded, uploaded } = this.#transferred();
    return {
      downloadRate: this.#downloads.rate,
      uploadRate: this.#uploads.rate,
      downloadedBytes: downloaded,
      uploadedBytes: uploaded,
      wastedBytes: this.#wastedBytes,
      peerCount: open.length,
      seederCount: open.filter((peer) => peer.picking.complete).length,
      haveCount: this.#store.haveCount(),
      pieceCount: this.#store.info.pieceCount,
      complete: this.#store.complete,
    };
  }

  close(): void {
    this.#closeWith(new BackroomError("E_SWARM_CLOSED", "the swarm was closed"));
  }

  #closeWith(error: BackroomError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#stopTick();
    for (const peer of this.#peers) peer.session.close();
    this.#assemblies.clear();
    this.#suspects.clear();
    this.#waits.failAll(error);
  }

  #fail(error: unknown): void {
    if (this.#closed !== undefined) return;
    const known = isBackroomError(error)
      ? error
      : new BackroomError("E_INTERNAL", "the store failed in a way it should not", { cause: error });
    this.#options.log("warn", "swarm stopped: the store failed", { code: known.code });
    this.#closeWith(known);
    this.#options.events?.onFailed?.(known);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  /** Built when first asked for: a leecher that nobody asks needs none. */
  #pieceTree(): PieceTree | undefined {
    if (this.#tree === undefined && this.#layer !== undefined) {
      this.#tree = new PieceTree(this.#store.info, this.#layer);
    }
    return this.#tree;
  }

  #onHandshake(peer: Peer, peerId: Buffer): void {
    for (const other of this.#peers) {
      if (other.ownId.equals(peerId))
        throw new BackroomError("E_PEER_REFUSED", "a peer is this computer itself");
      if (other.peerId?.equals(peerId) === true) {
        throw new BackroomError("E_PEER_REFUSED", "a peer is connected already");
      }
    }
    peer.peerId = Buffer.from(peerId);
  }

  #onPeerClosed(peer: Peer, error: BackroomError | undefined): void {
    this.#peers.delete(peer);
    this.#peerOf.delete(peer.picking);
    this.#restart(this.#picker.removePeer(peer.picking));
    this.#exchange?.left(peer);
    this.#closedBytes.downloaded += peer.session.downloadedBytes;
    this.#closedBytes.uploaded += peer.session.uploadedBytes;
    if (error !== undefined) this.#options.log("info", "a peer was dropped", { code: error.code });
    this.#options.events?.onPeerClosed?.(peer, error);
    this.#askAll();
  }

  #onPeerGained(peer: Peer): void {
    if (peer.picking.usefulCount > 0) peer.session.setInterested(true);
    else if (this.#store.complete && peer.picking.complete) peer.session.close();
  }

  #askAll(): void {
    for (const peer of this.#peers) this.#ask(peer);
  }

  #ask(peer: Peer): void {
    const { session, picking } = peer;
    if (this.#closed !== undefined || !session.open || picking.usefulCount === 0) return;
    const nowMs = this.#nowMs();
    if (this.#layer === undefined) {
      const room = LIMITS.peerHashRequests - session.hashRequestCount;
      const ranges = this.#exchange?.pick(peer, room, nowMs) ?? [];
      if (ranges.length > 0) session.requestHashes(ranges);
      return;
    }
    const room = session.room;
    if (room <= 0) return;
    const blocks = this.#picker.pick(picking, room, nowMs, session.window.expectedMs);
    if (blocks.length > 0) session.request(blocks);
  }

  #takeLayer(): void {
    const layer = this.#exchange?.layer;
    if (layer === undefined) return;
    this.#exchange = undefined;
    this.#layer = layer;
    this.#store.setPieceLayer(layer).catch((error: unknown) => this.#fail(error));
    this.#askAll();
  }

  #onBlock(peer: Peer, block: Block, bytes: Buffer): void {
    const received = this.#picker.received(peer.picking, block);
    peer.stalled = false;
    if (received === undefined) {
      this.#wastedBytes += bytes.length;
      return;
    }
    for (const other of received.cancel) this.#peerOf.get(other)?.session.cancel(block);
    let assembly = this.#assemblies.get(block.piece);
    if (assembly === undefined) {
      assembly = new PieceAssembly(this.#store.info, block.piece);
      this.#assemblies.set(block.piece, assembly);
    }
    assembly.add(block.block, bytes, peer);
    if (received.complete) this.#onWholePiece(block.piece, assembly);
  }

  #onWholePiece(piece: number, assembly: PieceAssembly<Peer>): void {
    this.#assemblies.delete(piece);
    const expected = (this.#layer as Buffer).subarray(piece * HASH_BYTES, (piece + 1) * HASH_BYTES);
    if (!assembly.verify(expected)) {
      this.#wastedBytes += assembly.bytes.length;
      this.#picker.fail(piece);
      const senders = new Set(assembly.senders);
      if (senders.size === 1) this.#dropLiars(senders);
      else this.#suspects.set(piece, assembly);
      return;
    }
    const suspect = this.#suspects.get(piece);
    this.#suspects.delete(piece);
    this.#store.write(piece, assembly.bytes).then(
      () => this.#onStored(piece),
      (error: unknown) => this.#fail(error),
    );
    if (suspect !== undefined) this.#dropLiars(suspect.sendersOfWrongBlocks(assembly.leaves));
  }

  #dropLiars(peers: ReadonlySet<Peer>): void {
    for (const peer of peers)
      peer.session.close(new BackroomError("E_PEER_DATA", "a peer sent wrong blocks"));
  }

  #onStored(piece: number): void {
    if (this.#closed !== undefined) return;
    this.#picker.finish(piece);
    if (this.#toAnnounce.length === 0) this.#options.clock.after(ANNOUNCE_MS, () => this.#announce());
    this.#toAnnounce.push(piece);
    if (this.#waits.arrived(piece)) this.#raiseUrgent();
    this.#options.events?.onPiece?.(piece);
    if (this.#picker.complete) this.#onComplete();
    else this.#askAll();
  }

  #onComplete(): void {
    this.#announce();
    for (const peer of this.#peers) {
      peer.session.setInterested(false);
      // Two that have everything have nothing to say to each other; the tunnel is better given to somebody else.
      if (peer.picking.complete) peer.session.close();
    }
    this.#options.events?.onComplete?.();
  }

  #announce(): void {
    const pieces = this.#toAnnounce;
    this.#toAnnounce = [];
    for (const peer of this.#peers) {
      // Who has a piece need not know that we have it too.
      const news = pieces.filter((piece) => !peer.picking.has(piece));
      if (news.length > 0) peer.session.announce(news);
    }
  }

  #raiseUrgent(): void {
    const { pieceLength, pieceCount } = this.#store.info;
    const ahead = Math.ceil(LIMITS.swarmReadAheadBytes / pieceLength);
    const urgent = new Set(this.#waits.pieces());
    const end = Math.min(pieceCount, this.#readAheadFrom + 1 + ahead);
    for (let piece = this.#readAheadFrom; piece < end; piece++) urgent.add(piece);
    this.#picker.setUrgent([...urgent]);
  }

  #restart(pieces: readonly number[]): void {
    for (const piece of pieces) this.#assemblies.delete(piece);
  }

  #releaseBlocks(peer: Peer): void {
    this.#restart(this.#picker.release(peer.picking));
  }

  #evictIdle(): void {
    const nowMs = this.#nowMs();
    let idlest: Peer | undefined;
    for (const peer of this.#peers) {
      if (idlest === undefined || peer.session.activeMs < idlest.session.activeMs) idlest = peer;
    }
    if (idlest === undefined || nowMs - idlest.session.activeMs < IDLE_MS) return;
    idlest.session.close(new BackroomError("E_PEER_REFUSED", "an idle peer made room for another"));
  }

  #tick(): void {
    this.#stopTick = this.#options.clock.after(TICK_MS, () => this.#tick());
    const nowMs = this.#nowMs();
    const forgive = nowMs - this.#forgivenMs > LIMITS.peerForgiveMs;
    if (forgive) this.#forgivenMs = nowMs;
    for (const peer of this.#peers) {
      peer.session.tick(nowMs);
      if (forgive) this.#picker.forgive(peer.picking);
      const patienceMs = Math.max(LIMITS.peerStallMs, 2 * peer.session.window.expectedMs);
      if (!peer.stalled && peer.session.window.owingMs(nowMs) > patienceMs) {
        peer.stalled = true;
        this.#releaseBlocks(peer);
      }
    }
    const { downloaded, uploaded } = this.#transferred();
    this.#downloads.sample(downloaded, nowMs);
    this.#uploads.sample(uploaded, nowMs);
    this.#askAll();
  }

  #transferred(): { downloaded: number; uploaded: number } {
    let { downloaded, uploaded } = this.#closedBytes;
    for (const { session } of this.#peers) {
      downloaded += session.downloadedBytes;
      uploaded += session.uploadedBytes;
    }
    return { downloaded, uploaded };
  }
}
