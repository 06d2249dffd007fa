import type { BackroomError } from "../../src/base/errors.ts";
import type { Channel, Dialer } from "../../src/net/channel.ts";
import { DATA_FRAME_BYTES, FRAME, frameBody, frameType } from "../../src/net/frame.ts";

/** Something that an honest party noticed and did about it. */
export interface Notice {
  readonly by: string;
  /** Whom it did it to, or about what. */
  readonly about: string;
  readonly what: string;
}

const DESTROY_WORDS: Readonly<Record<number, string>> = {
  3: "refuses a circuit",
  4: "destroys the circuit as broken",
};

/** Sees what honest parties send and close; names parties by node key. */
export class Watch {
  readonly notices: Notice[] = [];
  /** All frames that honest parties and members sent: while it grows, time need not pass. */
  frames = 0;
  readonly #names = new Map<string, string>();
  readonly #created = new Map<string, number>();
  readonly #dials = new Map<string, number>();
  readonly #dataFrames = new Map<string, number>();

  name(key: Uint8Array, name: string): void {
    this.#names.set(Buffer.from(key).toString("hex"), name);
  }

  nameOf(key: Uint8Array | undefined): string {
    return key === undefined ? "member" : (this.#names.get(Buffer.from(key).toString("hex")) ?? "stranger");
  }

  note(by: string, about: string, what: string): void {
    this.notices.push({ by, about, what });
  }

  /** Circuits that the party opened at a first hop or, for a relay, passed on. */
  circuits(by: string): number {
    return this.#created.get(by) ?? 0;
  }

  dials(by: string): number {
    return this.#dials.get(by) ?? 0;
  }

  /** DATA frames that the party sent. */
  dataFrames(by: string): number {
    return this.#dataFrames.get(by) ?? 0;
  }

  dialer(by: string, inner: Dialer): Dialer {
    return {
      dial: async (target) => {
        this.#dials.set(by, this.dials(by) + 1);
        try {
          return this.channel(by, await inner.dial(target));
        } catch (error) {
          this.note(by, this.nameOf(target.nodeKey), `cannot dial: ${(error as BackroomError).code}`);
          throw error;
        }
      },
    };
  }

  channel(by: string, inner: Channel): Channel {
    const about = this.nameOf(inner.peerKey);
    let over = false;
    const closed = (error: BackroomError | undefined): void => {
      // The other side's hanging up is not something that was noticed.
      if (!over && error !== undefined) this.note(by, about, `closes the channel: ${error.code}`);
      over = true;
    };
    return wrapChannel(inner, {
      send: (frame) => {
        this.frames++;
        this.#count(by, about, frame);
        return inner.send(frame);
      },
      close: (error) => {
        closed(error);
        inner.close(error);
      },
      onClose: closed,
    });
  }

  #count(by: string, about: string, frame: Buffer): void {
    const type = frameType(frame);
    if (type === FRAME.create) this.#created.set(by, this.circuits(by) + 1);
    if (frame.length === DATA_FRAME_BYTES) this.#dataFrames.set(by, this.dataFrames(by) + 1);
    if (type !== FRAME.destroy) return;
    const word = DESTROY_WORDS[frameBody(frame)[0] as number];
    if (word !== undefined) this.note(by, about, word);
  }
}

/** A channel whose calls go through others; what is left out goes straight through. */
export function wrapChannel(
  inner: Channel,
  through: {
    readonly send?: (frame: Buffer) => boolean;
    readonly close?: (error: BackroomError | undefined) => void;
    /** Gives the frames to hand on. */
    readonly receive?: (frame: Buffer) => readonly Buffer[];
    readonly onClose?: (error: BackroomError | undefined) => void;
    /** Told how to hand frames to whoever uses the channel. */
    readonly onStart?: (deliver: (frame: Buffer) => void) => void;
  },
): Channel {
  return {
    id: inner.id,
    initiator: inner.initiator,
    peerKey: inner.peerKey,
    peerInfo: inner.peerInfo,
    clockSkewMs: inner.clockSkewMs,
    start(handlers) {
      through.onStart?.((frame) => handlers.onFrame(frame));
      inner.start({
        onFrame: (frame) => {
          for (const one of through.receive?.(frame) ?? [frame]) handlers.onFrame(one);
        },
        onDrain: () => handlers.onDrain(),
        onClose: (error) => {
          through.onClose?.(error);
          handlers.onClose(error);
        },
      });
    },
    send: (frame) => (through.send ?? inner.send.bind(inner))(frame),
    close: (error) => (through.close ?? inner.close.bind(inner))(error),
  };
}
