import type { Channel, Dialer } from "../../src/net/channel.ts";
import {
  FRAME,
  frameBody,
  frameCircuit,
  frameType,
  isData,
  makeFrame,
  type FrameType,
} from "../../src/net/frame.ts";
import { wrapChannel } from "./hostile-watch.ts";

/** One channel of a hostile relay, as its script sees it. */
export interface Wire {
  /** The neighbour's name; "member" for an anonymous one. */
  readonly to: string;
  /** Sends past the script. */
  send(frame: Buffer): void;
  /** Hands a frame to the honest relay inside, past the script. */
  deliver(frame: Buffer): void;
  close(): void;
}

/** What a hostile relay does to the frames of the honest relay inside it: each call gives what goes on in the frame's place. */
export interface FrameScript {
  sending?(frame: Buffer, wire: Wire): readonly Buffer[];
  receiving?(frame: Buffer, wire: Wire): readonly Buffer[];
  opened?(wire: Wire): void;
}

export type Match = (frame: Buffer, wire: Wire) => boolean;
/** Gives what goes on in the frame's place. The frame is the deed's to change. */
export type Deed = (frame: Buffer, wire: Wire) => readonly Buffer[];

/** Tells how often a hostile relay did something: a scenario in which it never did proves nothing. */
export interface Tally {
  acts: number;
}

export const onSending = (tally: Tally, match: Match, deed: Deed): FrameScript => ({
  sending: (frame, wire) => acting(tally, match, deed, frame, wire),
});

export const onReceiving = (tally: Tally, match: Match, deed: Deed): FrameScript => ({
  receiving: (frame, wire) => acting(tally, match, deed, frame, wire),
});

function acting(tally: Tally, match: Match, deed: Deed, frame: Buffer, wire: Wire): readonly Buffer[] {
  if (!match(frame, wire)) return [frame];
  tally.acts++;
  return deed(frame, wire);
}

/** One after the other: each script gets what the one before lets through. */
export function inTurn(...scripts: readonly FrameScript[]): FrameScript {
  const pass =
    (kind: "sending" | "receiving") =>
    (frame: Buffer, wire: Wire): readonly Buffer[] =>
      scripts.reduce<readonly Buffer[]>(
        (frames, script) => frames.flatMap((one) => script[kind]?.(one, wire) ?? [one]),
        [frame],
      );
  return {
    sending: pass("sending"),
    receiving: pass("receiving"),
    opened: (wire) => scripts.forEach((script) => script.opened?.(wire)),
  };
}

export function scripted(inner: Channel, to: string, script: FrameScript): Channel {
  let deliver = (_frame: Buffer): void => {};
  const wire: Wire = {
    to,
    send: (frame) => void inner.send(frame),
    deliver: (frame) => deliver(frame),
    close: () => inner.close(),
  };
  return wrapChannel(inner, {
    onStart: (hand) => {
      deliver = hand;
      script.opened?.(wire);
    },
    send: (frame) => {
      const results = (script.sending?.(frame, wire) ?? [frame]).map((one) => inner.send(one));
      return results.every(Boolean);
    },
    receive: (frame) => script.receiving?.(frame, wire) ?? [frame],
  });
}

export function scriptedDialer(
  inner: Dialer,
  nameOf: (key: Uint8Array) => string,
  script: FrameScript,
): Dialer {
  return {
    dial: async (target) =>
      scripted(await inner.dial(target), nameOf(target.nodeKey ?? Buffer.alloc(0)), script),
  };
}

// --- which frames -----------------------------------------------------------------------------------

export const ofType =
  (...types: readonly FrameType[]): Match =>
  (frame) =>
    types.includes(frameType(frame));

/** Frames of that type, DATA of either length, on channels to neighbours of such a name. */
export const toward =
  (name: RegExp, ...types: readonly FrameType[]): Match =>
  (frame, wire) =>
    name.test(wire.to) && types.includes(isData(frameType(frame)) ? FRAME.data : frameType(frame));

/** The first `count` of those that match, after `skipped` others. */
export function some(match: Match, { skipped = 0, count = Infinity }): Match {
  let seen = 0;
  return (frame, wire) => match(frame, wire) && ++seen > skipped && seen <= skipped + count;
}

/** Every `every`th of those that match. */
export function each(every: number, match: Match): Match {
  let seen = 0;
  return (frame, wire) => match(frame, wire) && ++seen % every === 0;
}

/** Those of one circuit in `every`: the same ones for as long as they live. */
export function ofCircuits(match: Match, chosen: (index: number) => boolean): Match {
  const indices = new Map<string, number>();
  return (frame, wire) => {
    if (!match(frame, wire)) return false;
    const name = `${wire.to} ${frameCircuit(frame)}`;
    const index = indices.get(name) ?? indices.size;
    indices.set(name, index);
    return chosen(index);
  };
}

// --- what is done to them ---------------------------------------------------------------------------

/** Flips a bit; a negative place counts from the end. */
export const flip =
  (at: number, bit = 0x10): Deed =>
  (frame) => {
    // Short frames have no such place.
    const place = at < 0 ? frame.length + at : at < frame.length ? at : 100;
    frame[place] = (frame[place] as number) ^ bit;
    return [frame];
  };

export const drop: Deed = () => [];
export const duplicate: Deed = (frame) => [frame, Buffer.from(frame)];

/** Lets one frame wait for the next one that matches, and go out behind it. */
export function swap(): Deed {
  let held: Buffer | undefined;
  return (frame) => {
    if (held === undefined) {
      held = frame;
      return [];
    }
    const first = held;
    held = undefined;
    return [frame, first];
  };
}

/** Sends a copy of the first frame again in place of later ones. */
export function replay(): Deed {
  let first: Buffer | undefined;
  return (frame) => {
    first ??= Buffer.from(frame);
    const again = Buffer.from(first);
    // Of the same or of an older circuit: the id is this one's, the sealed bytes are those.
    again.writeUInt32BE(frameCircuit(frame), 0);
    return [again];
  };
}

/** Another frame ahead of it, on the same circuit. */
export const inject =
  (make: (circuit: number) => Buffer): Deed =>
  (frame) => [make(frameCircuit(frame)), frame];

export const credit =
  (amount: number): Deed =>
  (frame) => {
    frame.writeUInt16BE(amount, 6);
    return [frame];
  };

/** Ends the circuit both ways, as a relay that goes away would. */
export const destroy: Deed = (frame, wire) => {
  const ends = (): Buffer => {
    const end = makeFrame(FRAME.destroy, frameCircuit(frame));
    frameBody(end)[0] = 2;
    return end;
  };
  wire.deliver(ends());
  return [ends()];
};

export const hangUp: Deed = (_, wire) => {
  wire.close();
  return [];
};
