import { CLIENT_MESSAGE_BYTES } from "../../src/circuit/handshake.ts";
import type { FrameType } from "../../src/net/frame.ts";
import { FRAME, FRAME_HEADER_BYTES, frameBody } from "../../src/net/frame.ts";
import type { Direction } from "../../src/net/memory-channel.ts";

/** What an honest relay does with a frame that carries a mark. */
export type Fate = "rewritten" | "destroyed" | "channel closed";

/** One way in which a relay may try to tell another one behind an honest hop something. */
export interface Mark {
  readonly where: string;
  /** For the table. */
  readonly becomes: string;
  readonly fate: Fate;
  readonly types: readonly FrameType[];
  readonly directions: readonly Direction[];
  /** Writes the mark into a frame that goes to the honest hop; gives what goes instead. `filler` is where that starts; `earlier` went before. */
  write(frame: Buffer, filler: number, earlier: Buffer): Buffer;
}

const BOTH: readonly Direction[] = ["forward", "backward"];
const LAYERED: readonly FrameType[] = [FRAME.data, FRAME.shortData, FRAME.control];

const at =
  (place: number, bit: number) =>
  (frame: Buffer): Buffer => {
    frame[place] = (frame[place] as number) ^ bit;
    return frame;
  };

/** Anything but timing and numbers. */
export const MARKS: readonly Mark[] = [
  {
    where: "filler",
    becomes: "written anew: zeros",
    fate: "rewritten",
    types: LAYERED,
    directions: BOTH,
    write: (frame, filler) => frame.fill(0xa7, filler),
  },
  {
    where: "one bit of filler",
    becomes: "written anew: zeros",
    fate: "rewritten",
    types: LAYERED,
    directions: BOTH,
    write: (frame) => at(frame.length - 1, 1)(frame),
  },
  {
    where: "sealed bytes, the first",
    becomes: "destroys the circuit: at the honest hop, or at the client when it goes there",
    fate: "destroyed",
    types: LAYERED,
    directions: BOTH,
    write: at(FRAME_HEADER_BYTES, 1),
  },
  {
    where: "sealed bytes, in the middle",
    becomes: "the same",
    fate: "destroyed",
    types: LAYERED,
    directions: BOTH,
    write: at(1000, 0x80),
  },
  {
    where: "sealed bytes, the tag's last",
    becomes: "the same",
    fate: "destroyed",
    types: LAYERED,
    directions: BOTH,
    write: (frame, filler) => at(filler - 1, 1)(frame),
  },
  {
    where: "flags",
    becomes: "closes the channel",
    fate: "channel closed",
    types: LAYERED,
    directions: BOTH,
    write: at(5, 0x40),
  },
  {
    where: "credit for nothing",
    becomes: "closes the channel",
    fate: "channel closed",
    types: LAYERED,
    directions: BOTH,
    write(frame) {
      frame.writeUInt16BE(0xffff, 6);
      return frame;
    },
  },
  {
    where: "an earlier frame in place of a later one",
    becomes: "destroys the circuit",
    fate: "destroyed",
    types: LAYERED,
    directions: BOTH,
    write: (_frame, _filler, earlier) => earlier,
  },
  {
    where: "reason of DESTROY, and what stands behind it",
    becomes: "written anew: gone, zeros",
    fate: "rewritten",
    types: [FRAME.destroy],
    directions: BOTH,
    write(frame) {
      frameBody(frame).fill(0x33);
      return frame;
    },
  },
  {
    where: "what stands behind a handshake message",
    becomes: "written anew: zeros",
    fate: "rewritten",
    types: [FRAME.create, FRAME.created],
    directions: BOTH,
    write: (frame) => frame.fill(0x44, FRAME_HEADER_BYTES + CLIENT_MESSAGE_BYTES),
  },
  {
    where: "another type of the same length",
    becomes: "closes the channel",
    fate: "channel closed",
    types: [FRAME.control],
    directions: BOTH,
    write(frame) {
      frame[4] = FRAME.created;
      return frame;
    },
  },
];
