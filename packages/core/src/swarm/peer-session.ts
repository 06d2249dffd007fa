import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { heldPieces } from "../store/held-pieces.ts";
import { Bitfield } from "../torrent/bitfield.ts";
import { encodeHandshake, type Handshake } from "../torrent/handshake.ts";
import type { BlockRange, HashRange, WireMessage } from "../torrent/peer-wire.ts";
import { PeerWireDecoder } from "../torrent/wire-decoder.ts";
import { checkPiece, isServable } from "./blocks.ts";
import { decodeExtensionHandshake, encodeExtensionHandshake } from "./extension-handshake.ts";
import type { Block } from "./picker.ts";
import { HashTraffic } from "./hash-traffic.ts";
import { LeaseExchange, LEASES_ID } from "./lease-exchange.ts";
import { OwnRequests } from "./own-requests.ts";
import type { RequestWindow } from "./request-window.ts";
import type { SessionDeps, SessionEvents } from "./session-host.ts";
import { UploadQueue } from "./upload-queue.ts";
import { WireOutput } from "./wire-output.ts";

/**
 * One peer over one duplex (PROTOCOL 10). It keeps the rules of the wire and answers requests from the store; what to ask for is up to
 * the swarm. Whatever the peer sends leads to nothing worse than the closing of this session.
 */
export class PeerSession {
  /** True while the peer will not answer requests. */
  choked = true;
  downloadedBytes = 0;
  uploadedBytes = 0;
  /** When a block last went either way, or the session began. */
  activeMs: number;
  readonly #duplex: ByteDuplex;
  readonly #deps: SessionDeps;
  readonly #events: SessionEvents;
  readonly #initiator: boolean;
  readonly #decoder: PeerWireDecoder;
  readonly #output: WireOutput;
  readonly #requests: OwnRequests;
  readonly #uploads: UploadQueue;
  readonly #hashes: HashTraffic;
  readonly #leases: LeaseExchange | undefined;
  #peerLeasesId: number | undefined;
  #peerQueue: number = LIMITS.peerRequests;
  #open = false;
  #closed = false;
  #interested = false;
  #unchoked = false;
  #saidPieces = false;
  #extensionHandshakes = 0;
  #overflowCount = 0;
  #heardMs: number;
  /** Since when we have been interested and choked, or the handshake has been awaited. */
  #waitingSinceMs: number;

  constructor(duplex: ByteDuplex, initiator: boolean, deps: SessionDeps, events: SessionEvents) {
    const { info } = deps.store;
    this.#duplex = duplex;
    this.#initiator = initiator;
    this.#deps = deps;
    this.#events = events;
    this.#decoder = new PeerWireDecoder(info.pieceCount);
    this.#output = new WireOutput(duplex);
    this.#hashes = new HashTraffic(this.#output, () => deps.pieceTree());
    const { leases, clock, seeder } = deps;
    this.#leases = leases && new LeaseExchange(leases, { clock, isInitiator: initiator, seeder });
    const rate = deps.uploadLimit?.share(() => this.#guard(() => this.#uploads.pump()));
    this.#uploads = new UploadQueue(deps.store, this.#output, rate, {
      onServed: (bytes) => {
        this.uploadedBytes += bytes;
        this.activeMs = deps.clock.monotonicMs();
      },
      onFailed: (ranges, error) => {
        // The type last: a range out of the queue is the request itself, and would bring its own.
        this.#guard(() => this.#output.sendAll(ranges.map((range) => ({ ...range, type: "reject" }))));
        events.onReadFailed((ranges[0] as BlockRange).piece, error);
      },
    });
    this.#requests = new OwnRequests(info);
    this.activeMs = this.#heardMs = this.#waitingSinceMs = deps.clock.monotonicMs();
  }

  get window(): RequestWindow {
    return this.#requests.window;
  }

  /** True from the handshake until the session is closed. */
  get open(): boolean {
    return this.#open && !this.#closed;
  }

  get hashRequestCount(): number {
    return this.#hashes.askedCount;
  }

  /** Whether the peer has been asked for something that has not come. */
  get isOwed(): boolean {
    return this.window.outstandingCount > 0 || this.#hashes.askedCount > 0;
  }

  /** How many blocks to ask for now. */
  get room(): number {
    if (!this.open || this.choked) return 0;
    return Math.min(this.window.room, this.#peerQueue - this.window.outstandingCount);
  }

  start(): void {
    this.#duplex.start({
      onData: (bytes) => this.#onData(bytes),
      onDrain: () => {
        this.#output.drained();
        this.#guard(() => this.#serve());
      },
      onClose: (error) => this.#end(error),
    });
    if (this.#initiator) this.#guard(() => this.#sendHandshake());
  }

  /** An error says why the peer is dropped; without one the session ends in good order. */
  close(error?: BackroomError): void {
    if (this.#closed) return;
    this.#end(error);
    this.#duplex.close();
  }

  setInterested(interested: boolean): void {
    if (!this.open || interested === this.#interested) return;
    this.#interested = interested;
    this.#waitingSinceMs = this.#deps.clock.monotonicMs();
    this.#guard(() => this.#output.send({ type: interested ? "interested" : "notInterested" }));
  }

  request(blocks: readonly Block[]): void {
    const requests = this.#requests.ask(blocks, this.#deps.clock.monotonicMs());
    this.#guard(() => this.#output.sendAll(requests));
  }

  cancel(block: Block): void {
    const cancel = this.open ? this.#requests.cancel(block) : undefined;
    if (cancel !== undefined) this.#guard(() => this.#output.send(cancel));
  }

  /** Takes back whatever the peer has not read from its disk yet: it comes as a reject then, and the rest as it is. */
  cancelAll(): void {
    for (const block of this.window.asked()) this.cancel(block);
  }

  announce(pieces: readonly number[]): void {
    if (!this.open) return;
    this.#guard(() => this.#output.sendAll(pieces.map((piece) => ({ type: "have", piece }))));
  }

  /** All of one layer. */
  requestHashes(ranges: readonly HashRange[]): void {
    this.#guard(() => this.#hashes.ask(ranges, this.#deps.clock.monotonicMs()));
  }

  /** For how long the peer has owed us something without sending anything of the kind. */
  owingMs(nowMs: number): number {
    return Math.max(this.window.owingMs(nowMs), this.#hashes.owingMs(nowMs));
  }

  /** To be called about twice a second: keepalives and patience. */
  tick(nowMs: number): void {
    const late = (sinceMs: number, limitMs: number): boolean => nowMs - sinceMs > limitMs;
    const waits = this.#interested && this.choked;
    if (!this.#open && late(this.#waitingSinceMs, LIMITS.peerHandshakeMs)) {
      this.close(new BackroomError("E_PEER_TIMEOUT", "a peer did not answer the handshake in time"));
    } else if (late(this.#heardMs, LIMITS.peerSilenceMs)) {
      this.close(new BackroomError("E_PEER_TIMEOUT", "a peer fell silent"));
    } else if (this.owingMs(nowMs) > LIMITS.peerStalledMs) {
      this.close(new BackroomError("E_PEER_TIMEOUT", "a peer did not send what it was asked for"));
    } else if (waits && late(this.#waitingSinceMs, LIMITS.peerStalledMs)) {
      this.close(new BackroomError("E_PEER_TIMEOUT", "a peer keeps us choked"));
    } else if (this.open && late(this.#output.wroteMs, LIMITS.peerKeepaliveMs)) {
      this.#guard(() => this.#output.send({ type: "keepalive" }));
    }
    this.#passLeases(nowMs);
  }

  #onData(bytes: Buffer): void {
    if (this.#closed) return;
    this.#heardMs = this.#deps.clock.monotonicMs();
    this.#guard(() => {
      for (const message of this.#decoder.push(bytes)) {
        this.#handle(message);
        if (this.#closed) return;
      }
      this.#serve();
      if (this.#open) this.#events.onIdle();
    });
  }

  /** Runs what handles a peer's bytes or writes to it: anything raised closes the session and goes no further. */
  #guard(run: () => void): void {
    if (this.#closed) return;
    this.#output.nowMs = this.#deps.clock.monotonicMs();
    try {
      run();
    } catch (error) {
      const known = isBackroomError(error);
      this.close(
        known ? error : new BackroomError("E_INTERNAL", "handling a message failed", { cause: error }),
      );
    }
  }

  #end(error: BackroomError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#uploads.close();
    this.#hashes.close();
    this.#events.onClosed(error);
  }

  #sendHandshake(): void {
    this.#output.raw(encodeHandshake(this.#deps.store.info.infohash, this.#deps.peerId));
  }

  #onHandshake(handshake: Handshake): void {
    if (!handshake.infohash.equals(this.#deps.store.info.infohash.subarray(0, 20))) {
      throw new BackroomError("E_PEER_REFUSED", "a peer is of another share");
    }
    if (!handshake.fast || !handshake.extensions) {
      throw new BackroomError("E_WIRE", "a peer does not speak the fast or the extension protocol");
    }
    this.#events.onHandshake(handshake.peerId);
    this.#open = true;
    if (!this.#initiator) this.#sendHandshake();
    this.#output.sendAll([
      this.#ownPieces(),
      { type: "extended", id: 0, payload: encodeExtensionHandshake(this.#leases !== undefined) },
    ]);
  }

  #ownPieces(): WireMessage {
    const { store } = this.#deps;
    if (store.complete) return { type: "haveAll" };
    if (store.haveCount() === 0) return { type: "haveNone" };
    return { type: "bitfield", bits: heldPieces(store).encode() };
  }

  #handle(message: Handshake | WireMessage): void {
    switch (message.type) {
      case "handshake":
        return this.#onHandshake(message);
      case "choke":
        this.choked = true;
        this.#waitingSinceMs = this.#heardMs;
        return this.#events.onChoke();
      case "unchoke":
        this.choked = false;
        return this.#events.onUnchoke();
      case "interested":
        // Whoever is interested is unchoked: what a peer can take is bounded by its tunnel and our queue.
        if (!this.#unchoked) this.#output.send({ type: "unchoke" });
        this.#unchoked = true;
        return;
      case "haveAll":
        return this.#onPieces(undefined);
      case "haveNone":
        return this.#onPieces(new Bitfield(this.#deps.store.info.pieceCount));
      case "bitfield": {
        const pieces = Bitfield.decode(message.bits, this.#deps.store.info.pieceCount);
        return this.#onPieces(pieces.complete ? undefined : pieces);
      }
      case "have":
        this.#saidPieces = true;
        checkPiece(this.#deps.store.info, message.piece);
        return this.#events.onHave(message.piece);
      case "request":
        return this.#onRequest(message);
      case "cancel":
        return this.#onCancel(message);
      case "piece":
        return this.#onPiece(message);
      case "reject":
        return this.#onReject(message);
      case "suggest":
      case "allowedFast":
        return checkPiece(this.#deps.store.info, message.piece);
      case "port":
        return this.#onAddress("a peer sent a DHT port");
      case "extended":
        return this.#onExtended(message.id, message.payload);
      case "hashRequest":
        return this.#hashes.onRequest(message);
      case "hashes":
        this.#hashes.answered(message);
        return this.#events.onHashes(message);
      case "hashReject":
        this.#hashes.answered(message);
        return this.#events.onHashReject(message);
      case "keepalive":
      case "notInterested":
        return;
    }
  }

  #onPieces(pieces: Bitfield | undefined): void {
    if (this.#saidPieces) throw new BackroomError("E_WIRE", "a peer said twice which pieces it has");
    this.#saidPieces = true;
    this.#events.onPieces(pieces);
  }

  #onAddress(what: string): void {
    if (this.#deps.addressPolicy === "refuse") throw new BackroomError("E_PEER_ADDRESS", what);
  }

  #onExtended(id: number, payload: Buffer): void {
    if (id === LEASES_ID && this.#leases !== undefined) return this.#leases.receive(payload);
    if (id !== 0) return this.#onAddress("a peer used an extension that we did not offer");
    if (++this.#extensionHandshakes > LIMITS.peerExtensionHandshakes) {
      throw new BackroomError("E_PEER_FLOOD", "a peer repeats its extension handshake");
    }
    const peer = decodeExtensionHandshake(payload, this.#deps.addressPolicy);
    this.#peerQueue = peer.requestQueue;
    this.#peerLeasesId = peer.leasesId;
    this.#passLeases(this.#heardMs);
  }

  /** Nobody waits for them, so they wait for room. */
  #passLeases(nowMs: number): void {
    const id = this.#peerLeasesId;
    if (!this.open || id === undefined || !this.#output.writable) return;
    this.#guard(() => {
      const payload = this.#leases?.next(nowMs);
      if (payload !== undefined) this.#output.send({ type: "extended", id, payload });
    });
  }

  #onRequest(range: BlockRange): void {
    const { store } = this.#deps;
    if (!isServable(store.info, range)) throw new BackroomError("E_WIRE", "a request is out of range");
    if (this.#unchoked && store.have(range.piece)) {
      if (this.#uploads.push(range)) return;
      if (++this.#overflowCount > LIMITS.peerOverflow) {
        throw new BackroomError("E_PEER_FLOOD", "a peer asks for more than it was allowed");
      }
    }
    this.#output.send({
      type: "reject",
      piece: range.piece,
      begin: range.begin,
      length: range.length,
    });
  }

  #onCancel({ piece, begin, length }: BlockRange): void {
    if (this.#uploads.cancel({ piece, begin, length })) {
      this.#output.send({ type: "reject", piece, begin, length });
    }
  }

  #onPiece({ piece, begin, bytes }: { piece: number; begin: number; bytes: Buffer }): void {
    const block = this.#requests.delivered({ piece, begin, length: bytes.length }, this.#heardMs);
    this.downloadedBytes += bytes.length;
    this.activeMs = this.#heardMs;
    this.#events.onBlock(block, bytes);
  }

  #onReject(range: BlockRange): void {
    this.#events.onReject(this.#requests.refused(range, { isChoked: this.choked, nowMs: this.#heardMs }));
  }

  #serve(): void {
    this.#hashes.serve();
    this.#uploads.pump();
  }
}
