import { parentPort } from "node:worker_threads";
import { asBuffer } from "../base/bytes.ts";
import type { FromHasher, HashJob } from "./hash-messages.ts";
import { hashPiece } from "./piece-hashing.ts";

/** A thread that hashes pieces, one after the other. Begun by `HashThread`. */
parentPort?.on("message", ({ job, bytes, height }: HashJob) => {
  say({ job, ...hashPiece(asBuffer(bytes), height) });
});
say("ready");

function say(message: FromHasher): void {
  parentPort?.postMessage(message, []);
}
