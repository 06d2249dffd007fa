import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { PackSource } from "../pack/source.ts";
import { missingPieces } from "../store/held-pieces.ts";
import type { PieceStore } from "../store/piece-store.ts";
import { Downloader, type Peer } from "./downloader.ts";
import { PeerSession } from "./peer-session.ts";
import { RateMeter } from "./rate-meter.ts";
import type { AddPeerOptions, Swarm, SwarmOptions, SwarmStats, Want } from "./swarm.ts";

const TICK_MS = 500;
/** Pieces are announced in batches, since each message may cost a tunnel's record. */
const ANNOUNCE_MS = 100;
/** A peer that exchanged nothing for this long makes room for a new one when there are too many. */
const IDLE_MS = 60_000;

/** How long a peer that another one has replaced may take to send what it was asked for: while it sends, and when it does not. */
const RETIRE_MOST_MS = 10 * 60_000;
const RETIRE_STALLED_MS = 30_000;
/** A piece that is damaged on disk again right after it was stored will be so the next time too. */
const READ_ATTEMPTS = 3;
/** The peers of one share, and the serving half: see Swarm for what it does. */
export class PeerSwarm implements Swarm {
  readonly #options: SwarmOptions;
  readonly #store: PieceStore;
  readonly #downloader: Downloader;
  readonly #peers = new Set<Peer>();
  readonly #downloads = new RateMeter();
  readonly #uploads = new RateMeter();
  #toAnnounce: number[] = [];
  #closedBytes = { downloaded: 0, uploaded: 0 };
  #forgivenMs = 0;
  #closed: BackroomError | undefined;
  /** Undefined while nobody is there: a share that waits for somebody costs nothing. */
  #stopTick: (() => void) | undefined;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#downloader = new Downloader({
      store: options.store,
      clock: options.clock,
      random: options.random,
      peers: this.#peers,
      limit: options.limits?.download,
      onStored: (piece) => this.#onStored(piece),
      onComplete: () => this.#onComplete(),
      onFailed: (error) => this.#fail(error),
    });
  }

  addPeer(duplex: ByteDuplex, options: AddPeerOptions): object | undefined {
    if (this.#closed === undefined && this.#peers.size >= LIMITS.swarmPeers) this.#evictIdle();
    if (this.#closed !== undefined || this.#peers.size >= LIMITS.swarmPeers) {
      duplex.close();
      return undefined;
    }
    const ownId = this.#options.random.bytes(20);
    const session = new PeerSession(
      duplex,
      options.initiator,
      {
        store: this.#store,
        clock: this.#options.clock,
        addressPolicy: this.#options.addressPolicy ?? "refuse",
        peerId: ownId,
        seeder: options.seeder,
        leases: this.#options.leases,
        uploadLimit: this.#options.limits?.upload,
        pieceTree: () => this.#downloader.pieceTree(),
      },
      {
        onHandshake: (peerId) => this.#onHandshake(peer, peerId),
        onPieces: (pieces) => {
          this.#downloader.onPieces(peer, pieces);
          this.#onPeerGained(peer);
          this.#retire(options.replaces);
        },
        onHave: (piece) => {
          this.#downloader.onHave(peer, piece);
          this.#onPeerGained(peer);
        },
        onChoke: () => this.#downloader.release(peer),
        onUnchoke: () => this.#downloader.forgive(peer),
        onBlock: (block, bytes) => this.#downloader.onBlock(peer, block, bytes),
        onReject: (block) => this.#downloader.onReject(peer, block),
        onHashes: (message) => this.#downloader.onHashes(message),
        onHashReject: (range) => this.#downloader.onHashReject(peer, range),
        onIdle: () => {
          this.#downloader.ask(peer);
          if (peer.retiredMs !== undefined && !peer.session.isOwed) peer.session.close();
        },
        onReadFailed: (piece, error) => void this.#onReadFailed([piece, piece], error),
        onClosed: (error) => this.#onPeerClosed(peer, error),
      },
    );
    const peer: Peer = {
      session,
      picking: this.#downloader.addPeer(),
      ownId,
      peerId: undefined,
      stalled: false,
      released: false,
      retiredMs: undefined,
    };
    const before = this.#peerOf(options.replaces);
    if (before !== undefined) session.window.assume(before.session.window);
    this.#peers.add(peer);
    this.#tickLater();
    session.start();
    // The other side may have closed before: then it is over by now.
    return this.#peers.has(peer) ? peer : undefined;
  }

  whenPiece(piece: number): Promise<void> {
    return this.#downloader.whenPieces(piece, piece);
  }

  source(): PackSource {
    const { info } = this.#store;
    const read: PackSource["read"] = async (offset, length, signal, into) => {
      if (offset < 0 || length < 0 || offset + length > info.length) {
        throw new BackroomError("E_INTERNAL", "a read goes beyond the pack");
      }
      if (length === 0) return Buffer.alloc(0);
      const first = Math.floor(offset / info.pieceLength);
      const last = Math.floor((offset + length - 1) / info.pieceLength);
      for (let attempt = 1; ; attempt++) {
        await this.#downloader.whenPieces(first, last, signal);
        try {
          return await this.#store.read(offset, length, into);
        } catch (error) {
          if (!this.#onReadFailed([first, last], error) || attempt === READ_ATTEMPTS) throw error;
        }
      }
    };
    return { length: info.length, read };
  }

  want(want: Want): void {
    if (this.#closed === undefined) this.#downloader.want(want);
  }

  hasUse(peer: object): boolean {
    return (this.#peerOf(peer)?.picking.usefulCount ?? 0) > 0;
  }

  dropPeer(peer: object): void {
    this.#peerOf(peer)?.session.close();
  }

  stats(): SwarmStats {
    const { bytes, doneBytes } = this.#downloader.wanted;
    const open = [...this.#peers].filter((peer) => peer.session.open);
    const { downloaded, uploaded } = this.#transferred();
    return {
      downloadRate: this.#downloads.rate,
      uploadRate: this.#uploads.rate,
      downloadedBytes: downloaded,
      uploadedBytes: uploaded,
      wastedBytes: this.#downloader.wastedBytes,
      isHeldBack: this.#downloader.isHeldBack,
      peerCount: open.length,
      seederCount: open.filter((peer) => peer.picking.complete).length,
      haveCount: this.#store.haveCount(),
      pieceCount: this.#store.info.pieceCount,
      wantedBytes: bytes,
      wantedDoneBytes: doneBytes,
      complete: this.#downloader.complete,
    };
  }

  close(): void {
    this.#closeWith(new BackroomError("E_SWARM_CLOSED", "the swarm was closed"));
  }

  #closeWith(error: BackroomError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#stopTick?.();
    this.#downloader.close(error);
    for (const peer of this.#peers) peer.session.close();
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

  #onHandshake(peer: Peer, peerId: Buffer): void {
    for (const other of this.#peers) {
      if (other.ownId.equals(peerId))
        throw new BackroomError("E_PEER_REFUSED", "a peer is this computer itself");
      if (other.peerId?.equals(peerId) === true) {
        throw new BackroomError("E_PEER_REFUSED", "a peer is connected already");
      }
    }
    peer.peerId = Buffer.from(peerId);
    this.#options.log("debug", "a peer is there", { peerCount: this.#peers.size });
  }

  #onPeerClosed(peer: Peer, error: BackroomError | undefined): void {
    this.#peers.delete(peer);
    this.#closedBytes.downloaded += peer.session.downloadedBytes;
    this.#closedBytes.uploaded += peer.session.uploadedBytes;
    if (error !== undefined) this.#options.log("info", "a peer was dropped", { code: error.code });
    this.#options.events?.onPeerClosed?.(peer, error);
    this.#downloader.removePeer(peer);
  }

  #onPeerGained(peer: Peer): void {
    if (peer.picking.usefulCount > 0) peer.session.setInterested(true);
    else if (this.#downloader.complete && peer.picking.complete) peer.session.close();
  }

  #onStored(piece: number): void {
    if (this.#toAnnounce.length === 0) this.#options.clock.after(ANNOUNCE_MS, () => this.#announce());
    this.#toAnnounce.push(piece);
    this.#options.events?.onPiece?.(piece);
  }

  #onComplete(): void {
    this.#announce();
    for (const peer of this.#peers) {
      peer.session.setInterested(false);
      // Who has everything and who wants nothing have nothing to say to each other; the tunnel is better given to somebody else.
      if (peer.picking.complete) peer.session.close();
    }
    const pieceCount = this.#store.haveCount();
    const { log } = this.#options;
    if (this.#store.complete) log("info", "the pack is complete", { pieceCount });
    else log("info", "all that is wanted of the pack is here", { pieceCount });
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

  /** A read of these pieces failed. Those that are damaged on disk are fetched again; anything else ends the swarm. Returns whether it goes on. */
  #onReadFailed([first, last]: readonly [number, number], error: unknown): boolean {
    const lost = missingPieces(this.#store, first, last);
    if (!isBackroomError(error, "E_HASH") || lost.length === 0) {
      this.#fail(error);
      return false;
    }
    this.#options.log("warn", "pieces were damaged on disk and are fetched again", {
      pieceCount: lost.length,
    });
    this.#downloader.lost(lost);
    return true;
  }

  #retire(token: object | undefined): void {
    const peer = this.#peerOf(token);
    if (peer === undefined) return;
    peer.retiredMs = this.#nowMs();
    // What is under way still comes; the rest comes by the new way.
    peer.session.cancelAll();
    if (!peer.session.isOwed) peer.session.close();
  }

  #peerOf(token: object | undefined): Peer | undefined {
    return [...this.#peers].find((one) => one === token);
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

  #tickLater(): void {
    this.#stopTick ??= this.#options.clock.after(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#stopTick = undefined;
    const nowMs = this.#nowMs();
    const forgive = nowMs - this.#forgivenMs > LIMITS.peerForgiveMs;
    if (forgive) this.#forgivenMs = nowMs;
    for (const peer of this.#peers) {
      peer.session.tick(nowMs);
      // What it still owes comes from others.
      if (nowMs - (peer.retiredMs ?? nowMs) > (peer.stalled ? RETIRE_STALLED_MS : RETIRE_MOST_MS)) {
        peer.session.close();
      }
      if (forgive) this.#downloader.forgive(peer);
      const patienceMs = Math.max(LIMITS.peerStallMs, 2 * peer.session.window.expectedMs);
      if (!peer.stalled && peer.session.window.owingMs(nowMs) > patienceMs) {
        peer.stalled = true;
        this.#downloader.release(peer);
      }
    }
    const { downloaded, uploaded } = this.#transferred();
    this.#downloads.sample(downloaded, nowMs);
    this.#uploads.sample(uploaded, nowMs);
    this.#downloader.askAll();
    // Until the rates that people see have died away, too.
    const isQuiet = this.#peers.size === 0 && this.#downloads.rate < 1 && this.#uploads.rate < 1;
    if (!isQuiet && this.#closed === undefined) this.#tickLater();
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
