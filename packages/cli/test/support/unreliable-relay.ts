/**
 * Loaded into a relay with `--import`: it is honest, but hangs up on a neighbour with every so manyth DATA frame that it writes, as many times as BACKROOM_HANGS_UP
 * says, and appends a byte to the file that BACKROOM_HUNG_UP names each time.
 */
import { appendFileSync } from "node:fs";
import { TLSSocket } from "node:tls";
import { DATA_FRAME_BYTES } from "@backroom/core/net/frame.ts";

const EVERY = 60;
let left = Number(process.env["BACKROOM_HANGS_UP"]);
let frames = 0;
type Write = (this: TLSSocket, chunk: unknown, ...rest: unknown[]) => boolean;
const prototype = TLSSocket.prototype as unknown as { write: Write };
const honest = prototype.write;
prototype.write = function write(this: TLSSocket, chunk, ...rest) {
  if (Buffer.isBuffer(chunk) && chunk.length >= DATA_FRAME_BYTES && ++frames % EVERY === 0 && left-- > 0) {
    appendFileSync(process.env["BACKROOM_HUNG_UP"] as string, "x");
    this.destroy();
    return false;
  }
  return honest.call(this, chunk, ...rest);
};
