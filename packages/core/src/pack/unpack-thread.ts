import type { Worker } from "node:worker_threads";
import { besideModule } from "../base/beside-module.ts";
import { BackroomError } from "../base/errors.ts";
import { startOwnThread } from "../base/own-thread.ts";
import { Selection } from "./selection.ts";
import { decodeFailure, type FromUnpacker, type ToUnpacker, type UnpackOrder } from "./unpack-messages.ts";
import { unpackHere, type Unpack, type Unpacked, type UnpackJob } from "./unpacker.ts";

const WORKER = besideModule(import.meta.url, "unpack-worker");
/**
 * As many files take all of the event loop's time, for seconds: each is some system calls at once. Of few large ones most is done on the thread pool in any case,
 * and a second thread costs more than it takes off the loop (docs/adr/0042-many-files-in-a-thread.md).
 */
const LEAST_FILES = 2_000;

/** In a thread of its own where the pack has many files. */
export const unpackWhereItFits: Unpack = (job) =>
  job.fileCount >= LEAST_FILES ? unpackInThread(job) : unpackHere(job);

/**
 * In a thread of its own, if there is one, so that the event loop has its time for connections and the page. The pack is read here all the same, where it is known which
 * pieces are there; its bytes are handed over with their memory. The thread knows what opens this pack's body, and no link, password or identity.
 */
export const unpackInThread: Unpack = async (job) => {
  const { source, body, folder, wanted } = job;
  const order: UnpackOrder = {
    length: source.length,
    body,
    folder,
    wanted: wanted && {
      choices: wanted.now().selection.choices(),
      opened: wanted.opened?.choices(),
    },
  };
  const worker = startOwnThread("unpack-worker", WORKER, order);
  if (worker === undefined) return unpackHere(job);
  const talk = new Talk(worker, job);
  try {
    return await talk.outcome;
  } finally {
    talk.end();
    await worker.terminate();
  }
};

/** What is said between the two threads about one job. */
class Talk {
  readonly outcome: Promise<Unpacked>;
  readonly #worker: Worker;
  readonly #job: UnpackJob;
  readonly #settle = Promise.withResolvers<Unpacked>();
  /** Reads under way. */
  readonly #reads = new Map<number, AbortController>();
  readonly #failures = new Map<number, unknown>();
  #ended = false;
  #unfollow = (): void => {};
  readonly #onAbort = (): void => this.#say({ type: "stop" });

  constructor(worker: Worker, job: UnpackJob) {
    this.#worker = worker;
    this.#job = job;
    this.outcome = this.#settle.promise;
    worker.on("message", (message: FromUnpacker) => this.#receive(message));
    const failed = (cause?: unknown): void =>
      this.#settle.reject(new BackroomError("E_INTERNAL", "a thread that unpacks ended early", { cause }));
    worker.on("error", failed);
    worker.on("exit", () => failed());
    if (job.signal?.aborted === true) this.#onAbort();
    else job.signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#follow();
  }

  /** Nothing is told to the job any more, and no read is under way for it. */
  end(): void {
    this.#ended = true;
    this.#unfollow();
    this.#job.signal?.removeEventListener("abort", this.#onAbort);
    for (const read of this.#reads.values()) read.abort();
  }

  #receive(message: FromUnpacker): void {
    if (this.#ended) return;
    switch (message.type) {
      case "read":
        return void this.#read(message.read, message.offset, message.length);
      case "giveUp":
        return this.#reads.get(message.read)?.abort();
      case "bytes":
        return this.#job.onBytes(message.bytes);
      case "survey":
        return this.#job.onSurvey(message.totalBytes, message.doneBytes);
      case "unpacked": {
        const { choices, leafCount } = message;
        const selection = choices === undefined ? undefined : Selection.kept(choices);
        return this.#settle.resolve({ selection, leafCount });
      }
      case "failed": {
        const { failure } = message;
        const error = "read" in failure ? this.#failures.get(failure.read) : decodeFailure(failure);
        return this.#settle.reject(error);
      }
    }
  }

  async #read(read: number, offset: number, length: number): Promise<void> {
    const controller = new AbortController();
    this.#reads.set(read, controller);
    const memory = Buffer.allocUnsafeSlow(length);
    try {
      const bytes = await this.#job.source.read(offset, length, controller.signal, memory);
      if (bytes.buffer !== memory.buffer) memory.set(bytes);
      this.#say({ type: "bytes", read, bytes: memory }, [memory.buffer]);
    } catch (error) {
      this.#failures.set(read, error);
      this.#say({ type: "unread", read });
    } finally {
      this.#reads.delete(read);
    }
  }

  /** Passes on what is wanted whenever that changes. */
  #follow(): void {
    const { wanted } = this.#job;
    if (wanted === undefined) return;
    const { changed } = wanted.now();
    // Whoever changes it may be in the middle of that.
    const onChange = (): void => queueMicrotask(() => this.#onWanted());
    changed.addEventListener("abort", onChange, { once: true });
    this.#unfollow = () => changed.removeEventListener("abort", onChange);
  }

  #onWanted(): void {
    if (this.#ended) return;
    this.#follow();
    const choices = this.#job.wanted?.now().selection.choices();
    if (choices !== undefined) this.#say({ type: "wanted", choices });
  }

  #say(message: ToUnpacker, transfer: ArrayBuffer[] = []): void {
    if (!this.#ended) this.#worker.postMessage(message, transfer);
  }
}
