import { hash } from "node:crypto";
import { ByteReader, u32be } from "../base/bytes.ts";
import { BackroomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { TAG_LENGTH } from "./lease.ts";
import { search, WORK_BYTES } from "./proof-of-work.ts";

export const NONCE_LENGTH = 16;
/** Hashes that an effort of 1 stands for: about a millisecond. */
const HASHES_PER_EFFORT = 1_024;
/**
 * The hashed bytes, filled up so far that hashing them is nearly all that an attempt costs: somebody with machine code of their own is
 * then no faster than we are.
 */
const ATTEMPT_BYTES = 1_024;
const CONTEXT = Buffer.from("backroom connect v1");

/** What a gate asks for a tunnel right now: nothing at effort 0. */
export interface ConnectTerms {
  readonly nonce: Buffer;
  readonly effort: number;
}

/** Work for one tunnel: `effort` is at least 1. */
export interface ConnectWork extends ConnectTerms {
  readonly solution: Buffer;
}

/** What the arguments of a connect stream say (PROTOCOL 8). */
export interface ConnectRequest {
  readonly tag: Buffer;
  readonly work: ConnectWork | undefined;
}

/**
 *     0     16      32       36         44
 *     | tag | nonce | effort | solution |         all but the tag are absent at effort 0
 */
export function encodeConnect({ tag, work }: ConnectRequest): Buffer {
  if (work === undefined) return tag;
  return Buffer.concat([tag, work.nonce, u32be(work.effort), work.solution]);
}

/** Raises E_FRAME for another form. Copies nothing, and checks no work. */
export function decodeConnect(args: Uint8Array): ConnectRequest {
  const reader = new ByteReader(args, "E_FRAME");
  const tag = reader.take(TAG_LENGTH);
  if (reader.remaining === 0) return { tag, work: undefined };
  const work = {
    nonce: reader.take(NONCE_LENGTH),
    effort: reader.u32(),
    solution: reader.take(WORK_BYTES),
  };
  reader.end();
  if (work.effort === 0) throw new BackroomError("E_FRAME", "work is shown for no effort");
  return { tag, work };
}

/** One hash. `gateKey` is the node key of the gate that asked: work that one gate had done is worth nothing at another. */
export function hasConnectWork(gateKey: Uint8Array, { tag, work }: ConnectRequest): boolean {
  if (work === undefined) return false;
  const attempt = attemptFor(gateKey, tag, work);
  work.solution.copy(attempt, 0);
  return fits(attempt, work.effort);
}

export interface SolveDeps {
  readonly random: Random;
  /** Asked about every millisecond. */
  readonly mayGoOn: () => boolean;
}

/**
 * Undefined once `mayGoOn` says no. Begins somewhere at random: two who want the same seeder would else find the same solution, and it counts
 * once.
 */
export async function solveConnect(
  gateKey: Uint8Array,
  tag: Uint8Array,
  terms: ConnectTerms,
  { random, mayGoOn }: SolveDeps,
): Promise<ConnectWork | undefined> {
  const attempt = attemptFor(gateKey, tag, terms);
  random.bytes(WORK_BYTES / 2).copy(attempt, 0);
  const found = await search(attempt, 0, () => fits(attempt, terms.effort), mayGoOn);
  return found ? { ...terms, solution: Buffer.from(attempt.subarray(0, WORK_BYTES)) } : undefined;
}

/** `8 solution ‖ context ‖ 32 gate's node key ‖ 16 nonce ‖ 16 tag ‖ u32 effort ‖ zeros`. The solution comes first: no part can be hashed once for all. */
function attemptFor(gateKey: Uint8Array, tag: Uint8Array, { nonce, effort }: ConnectTerms): Buffer {
  const said = Buffer.concat([Buffer.alloc(WORK_BYTES), CONTEXT, gateKey, nonce, tag, u32be(effort)]);
  return Buffer.concat([said, Buffer.alloc(ATTEMPT_BYTES - said.length)]);
}

/** The first 48 bits of the hash, as a number, are below 2^48 / hashes. */
function fits(attempt: Buffer, effort: number): boolean {
  const first = Number.parseInt(hash("sha256", attempt, "hex").slice(0, 12), 16);
  return first * effort * HASHES_PER_EFFORT < 2 ** 48;
}
