import type { ChildProcess } from "node:child_process";
import { besideModule } from "../../base/beside-module.ts";
import { BackroomError, isBackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Endpoint } from "../channel.ts";
import { startOwnProcess } from "../own-process.ts";
import { mayContact } from "./may-contact.ts";
import type { DhtOptions } from "./dht.ts";
import { decodeFromChild, type FromChild, type ToChild } from "./messages.ts";

interface JobResult {
  readonly found: readonly Endpoint[];
  readonly takenCount: number;
}

const NOTHING: JobResult = { found: [], takenCount: 0 };

const CHILD = besideModule(import.meta.url, "child");

/**
 * Keeps one DHT process running: starts it again when it dies, on the same port and with the same contacts, ever more slowly as long as
 * it goes on dying. Jobs that were running then end with nothing.
 */
export class DhtProcess {
  /** Called when a new process has taken over. */
  onRestart: () => void = () => {};
  readonly #options: DhtOptions;
  readonly #contacts = new Map<string, Endpoint>();
  readonly #jobs = new Map<number, (result: JobResult) => void>();
  #child: ChildProcess | undefined;
  #port: number;
  #jobCount = 0;
  #restartMs: number = LIMITS.dhtRestartMs;
  #cancelRestart: () => void = () => {};
  /** Whether any process of ours has got as far as listening. */
  #listened = false;
  #closed = false;

  constructor(options: DhtOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#remember(options.bootstrap);
  }

  /** Resolves with the UDP port. Raises E_PORT_IN_USE or E_LISTEN. */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      const child = startOwnProcess("dht", CHILD, LIMITS.dhtHeapMiB);
      this.#child = child;
      const startedMs = this.#options.clock.monotonicMs();
      const fail = (inUse: boolean): void => {
        cancelDeadline();
        const code = inUse ? "E_PORT_IN_USE" : "E_LISTEN";
        reject(new BackroomError(code, "listening for the DHT failed"));
        child.kill("SIGKILL");
      };
      const cancelDeadline = this.#options.clock.after(LIMITS.dhtLookupMs, () => fail(false));
      child.on("message", (message) => {
        const said = this.#decode(message, child);
        if (said?.kind === "refused") fail(said.inUse);
        else if (said?.kind === "done") this.#finish(said.job, said);
        else if (said?.kind === "listening") {
          cancelDeadline();
          this.#port = said.port;
          this.#listened = true;
          resolve(said.port);
        }
      });
      const end = (): void => {
        if (this.#child !== child) return;
        fail(false);
        this.#gone(this.#options.clock.monotonicMs() - startedMs);
      };
      // Without an exit when it could not be started at all.
      child.once("error", end);
      child.once("exit", end);
      const { host = "0.0.0.0", announcePort = 0, testNetwork = false } = this.#options;
      const contacts = [...this.#contacts.values()];
      this.#say({ kind: "start", port: this.#port, host, announcePort, testNetwork, contacts });
    });
  }

  /** Calls `done` exactly once, with what came of it. */
  run(kind: "lookup" | "announce", hash: string, done: (result: JobResult) => void): void {
    const job = ++this.#jobCount;
    // The process has a deadline of its own; this one is for a process that hangs.
    const cancel = this.#options.clock.after(2 * LIMITS.dhtLookupMs, () => this.#finish(job, NOTHING));
    this.#jobs.set(job, (result) => {
      cancel();
      done(result);
    });
    if (!this.#say({ kind, job, hash })) queueMicrotask(() => this.#finish(job, NOTHING));
  }

  addContacts(contacts: readonly Endpoint[]): void {
    const fresh = this.#remember(contacts);
    if (fresh.length > 0) this.#say({ kind: "contacts", contacts: fresh });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRestart();
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    // It keeps nothing that would have to be put in order.
    child.kill("SIGKILL");
    await gone;
  }

  /** Gives those that were not known; the oldest give way. */
  #remember(contacts: readonly Endpoint[]): Endpoint[] {
    const fresh: Endpoint[] = [];
    for (const { host, port } of contacts) {
      const name = `${host} ${port}`;
      if (this.#contacts.has(name) || !mayContact(host, port, this.#options.testNetwork ?? false)) continue;
      const [oldest] = this.#contacts.keys();
      if (this.#contacts.size >= LIMITS.dhtContacts && oldest !== undefined) this.#contacts.delete(oldest);
      this.#contacts.set(name, { host, port });
      fresh.push({ host, port });
    }
    return fresh.slice(-LIMITS.dhtContacts);
  }

  #decode(message: unknown, child: ChildProcess): FromChild | undefined {
    try {
      return decodeFromChild(message);
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      // Something else speaks through it than our code.
      child.kill("SIGKILL");
      return undefined;
    }
  }

  #finish(job: number, result: JobResult): void {
    const done = this.#jobs.get(job);
    this.#jobs.delete(job);
    done?.(result);
  }

  #gone(livedMs: number): void {
    this.#child = undefined;
    for (const job of this.#jobs.keys()) this.#finish(job, NOTHING);
    // One that never got as far as listening is the caller's to judge: the port may be taken.
    if (this.#closed || !this.#listened) return;
    if (livedMs > LIMITS.dhtRestartMostMs) this.#restartMs = LIMITS.dhtRestartMs;
    this.#options.log("warn", "the DHT process ended; it is started again");
    const waitMs = this.#restartMs;
    this.#restartMs = Math.min(2 * waitMs, LIMITS.dhtRestartMostMs);
    this.#cancelRestart = this.#options.clock.after(waitMs, () => {
      this.start().then(
        () => this.onRestart(),
        () => {},
      );
    });
  }

  #say(message: ToChild): boolean {
    const child = this.#child;
    if (child?.connected !== true) return false;
    // A process that is just dying is noticed by its exit.
    child.send(message, () => {});
    return true;
  }
}
