import type { Worker } from "node:worker_threads";
import { besideModule } from "../base/beside-module.ts";
import { asBuffer } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { startOwnThread } from "../base/own-thread.ts";
import type { FromHasher, HashJob } from "./hash-messages.ts";
import { hashPiece, type PieceHasher, type PieceHashes } from "./piece-hashing.ts";

const WORKER = besideModule(import.meta.url, "hash-worker");
/** 32 MiB/s: below that hashing takes less than a thirtieth of a core, which is not worth a thread's memory. */
const BUSY_BYTES = 64 * 1024 * 1024;
const BUSY_MS = 2_000;
/** Without anything to hash it ends. */
const IDLE_MS = 10_000;

interface Waiting {
  readonly bytes: Buffer;
  readonly height: number;
  readonly done: (hashes: PieceHashes) => void;
}

/** One thread for all that a member downloads, there while much comes. It holds nothing but pieces' bytes, and no process is kept alive by it. */
export class HashThread implements PieceHasher {
  readonly #clock: Clock;
  #worker: Worker | undefined;
  #isReady = false;
  #lastJob = 0;
  readonly #waiting = new Map<number, Waiting>();
  /** What was hashed elsewhere of late. */
  #busy = { sinceMs: -Infinity, bytes: 0 };
  #usedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  hashedHere(bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#busy.sinceMs > BUSY_MS) this.#busy = { sinceMs: nowMs, bytes: 0 };
    this.#busy.bytes += bytes;
    if (this.#busy.bytes >= BUSY_BYTES && this.#worker === undefined) this.#start();
  }

  hash(bytes: Buffer, height: number): Promise<PieceHashes> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.resolve(hashPiece(bytes, height));
    this.#usedMs = this.#clock.monotonicMs();
    const job = ++this.#lastJob;
    return new Promise((done) => {
      this.#waiting.set(job, { bytes, height, done });
      worker.postMessage({ job, bytes, height } satisfies HashJob, []);
    });
  }

  #start(): void {
    const worker = startOwnThread("hash-worker", WORKER, undefined);
    this.#worker = worker;
    worker.unref();
    worker.on("message", (message: FromHasher) => this.#receive(message));
    // An error is followed by the end, and whoever waits is served here then.
    worker.on("error", () => {});
    worker.on("exit", () => {
      if (this.#worker === worker) this.#onGone();
    });
    this.#usedMs = this.#clock.monotonicMs();
    this.#endWhenIdle(worker);
  }

  #receive(message: FromHasher): void {
    if (message === "ready") {
      this.#isReady = true;
      return;
    }
    const { job, leaves, root } = message;
    this.#waiting.get(job)?.done({ leaves: asBuffer(leaves), root: asBuffer(root) });
    this.#waiting.delete(job);
  }

  #endWhenIdle(worker: Worker): void {
    this.#clock.after(IDLE_MS, () => {
      if (this.#worker !== worker) return;
      const isIdle = this.#waiting.size === 0 && this.#clock.monotonicMs() - this.#usedMs >= IDLE_MS;
      if (!isIdle) return this.#endWhenIdle(worker);
      this.#onGone();
      void worker.terminate();
    });
  }

  #onGone(): void {
    this.#worker = undefined;
    this.#isReady = false;
    this.#busy.bytes = 0;
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { bytes, height, done } of left) done(hashPiece(bytes, height));
  }
}
