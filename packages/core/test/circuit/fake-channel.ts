import type { BackroomError } from "../../src/base/errors.ts";
import type { Channel, ChannelHandlers } from "../../src/net/channel.ts";

/** A channel whose other side is the test. */
export class FakeChannel implements Channel {
  readonly id = 1;
  readonly initiator: boolean;
  readonly peerKey: Buffer | undefined;
  readonly peerInfo = undefined;
  readonly clockSkewMs = 0;
  readonly sent: Buffer[] = [];
  /** How many more frames it takes before `send` says false. */
  room = Infinity;
  closedWith: BackroomError | undefined | "open" = "open";
  #handlers: ChannelHandlers | undefined;

  constructor(initiator: boolean, peerKey?: Buffer) {
    this.initiator = initiator;
    this.peerKey = peerKey;
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
  }

  send(frame: Buffer): boolean {
    if (this.closedWith === "open") this.sent.push(Buffer.from(frame));
    this.room--;
    return this.room > 0;
  }

  close(error?: BackroomError): void {
    if (this.closedWith !== "open") return;
    this.closedWith = error;
    this.#handlers?.onClose(error);
  }

  receive(frame: Buffer): void {
    if (this.closedWith === "open") this.#handlers?.onFrame(frame);
  }

  drain(room: number): void {
    this.room = room;
    this.#handlers?.onDrain();
  }
}
