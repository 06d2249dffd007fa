/**
 * Loaded into a relay with `--import`: it is honest but for one bit. Of the DATA frames that it writes, the 75th has one bit flipped in what is sealed,
 * and a byte is appended to the file that BACKROOM_TAMPERED names, so that a test knows that it happened.
 */
import { appendFileSync } from "node:fs";
import { TLSSocket } from "node:tls";
import { DATA_FRAME_BYTES, FRAME, frameType } from "@backroom/core/net/frame.ts";

const SEALED_OFFSET = 5000;
const WHICH = 75;

let frames = 0;
type Write = (this: TLSSocket, chunk: unknown, ...rest: unknown[]) => boolean;
const prototype = TLSSocket.prototype as unknown as { write: Write };
const honest = prototype.write;
prototype.write = function write(this: TLSSocket, chunk, ...rest) {
  if (Buffer.isBuffer(chunk) && chunk.length >= DATA_FRAME_BYTES && frameType(chunk) === FRAME.data) {
    frames++;
    if (frames === WHICH) {
      chunk[SEALED_OFFSET] = (chunk[SEALED_OFFSET] as number) ^ 1;
      appendFileSync(process.env["BACKROOM_TAMPERED"] as string, "x");
    }
  }
  return honest.call(this, chunk, ...rest);
};
