import { setImmediate } from "node:timers/promises";
import { encodeBencode } from "../../src/base/bencode.ts";
import { encodeHandshake, type Handshake } from "../../src/torrent/handshake.ts";
import { encodeMessage, type WireMessage } from "../../src/torrent/peer-wire.ts";
import { PieceTree } from "../../src/torrent/piece-tree.ts";
import { PeerWireDecoder } from "../../src/torrent/wire-decoder.ts";
import { memoryDuplexPair, type MemoryDuplex } from "../support/memory-duplex.ts";
import { type Member, type SamplePack } from "./fixtures.ts";

/** A peer that says what a test makes it say, right or wrong. */
export class RawPeer {
  readonly duplex: MemoryDuplex;
  /** What came, blocks' bytes aside. */
  readonly heard: (Handshake | WireMessage)[] = [];
  closed = false;
  onMessage: (message: Handshake | WireMessage) => void = () => {};
  readonly #pack: SamplePack;

  /** What the swarm knows it by. */
  readonly token: object | undefined;

  constructor(member: Member, pack: SamplePack, replaces?: object) {
    const [near, far] = memoryDuplexPair();
    this.duplex = near;
    this.#pack = pack;
    const decoder = new PeerWireDecoder(pack.info.pieceCount);
    near.start({
      onData: (bytes) => {
        for (const message of decoder.push(bytes)) {
          this.heard.push(message);
          this.onMessage(message);
        }
      },
      onDrain: () => {},
      onClose: () => {
        this.closed = true;
      },
    });
    this.token = member.swarm.addPeer(far, { initiator: false, ...(replaces && { replaces }) });
  }

  handshake(peerId: Uint8Array = Buffer.alloc(20, 7), infohash: Uint8Array = this.#pack.info.infohash): this {
    this.duplex.write(encodeHandshake(infohash, peerId));
    return this;
  }

  say(...messages: WireMessage[]): this {
    for (const message of messages) this.duplex.write(encodeMessage(message));
    return this;
  }

  extended(handshake: Parameters<typeof encodeBencode>[0]): this {
    return this.say({ type: "extended", id: 0, payload: encodeBencode(handshake) });
  }

  /** Has everything, answers hash requests rightly, and each block request with what `answer` gives (nothing for undefined). */
  serve(answer: (piece: number, begin: number, length: number) => WireMessage | undefined): this {
    const tree = new PieceTree(this.#pack.info, this.#pack.pieceLayer);
    this.onMessage = (message) => {
      if (message.type === "interested") this.say({ type: "unchoke" });
      if (message.type === "hashRequest") this.say(tree.answer(message));
      if (message.type !== "request") return;
      const reply = answer(message.piece, message.begin, message.length);
      if (reply !== undefined) this.say(reply);
    };
    return this.say({ type: "haveAll" });
  }

  /** How many messages of that type came. */
  count(type: string): number {
    return this.heard.filter((message) => message.type === type).length;
  }

  heardTypes(): Set<string> {
    return new Set(this.heard.map((message) => message.type));
  }
}

/** Lets everything in memory that is under way arrive. */
export async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
}

/** The block as it is, or with one byte changed. */
export function blockOf(
  pack: SamplePack,
  piece: number,
  begin: number,
  length: number,
  wrong = false,
): WireMessage {
  const offset = piece * pack.info.pieceLength + begin;
  const bytes = Buffer.from(pack.bytes.subarray(offset, offset + length));
  if (wrong) bytes[length - 1] = (bytes[length - 1] as number) ^ 1;
  return { type: "piece", piece, begin, bytes };
}
