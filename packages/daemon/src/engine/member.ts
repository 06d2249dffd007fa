import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import type { Log } from "@backroom/core/base/log.ts";
import type { Network } from "@backroom/core/directory/network.ts";
import type { JoinRelay } from "@backroom/core/link/join-relay.ts";
import type { Client } from "@backroom/core/node/client.ts";
import type { Hooks } from "@backroom/core/node/hooks.ts";

/** What a person may accept beforehand; the flag of core's question without its `--accept-`. */
export type Consent = "few-sources" | "link-relays" | "dht";

/**
 * - `idle`: nothing needs the network · `joining`: relays are being asked · `joined`: `client` builds circuits
 * - `failed`: `failure` says why; it is tried again by itself while somebody waits
 */
export type MemberState = "idle" | "joining" | "joined" | "failed";

/** Between tries to join, doubled each time. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** A member that nothing needs stays for the next transfer a while: joining costs seconds. */
const LINGER_MS = 5 * 60_000;
/** How often a member looks whether its relays have all gone stale, as after a week in a drawer. */
const LOOK_MS = 60_000;

export interface MemberDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  /** Joins. Called once at a time. Raises as `Client.open`. */
  open(joinRelays: readonly JoinRelay[], hooks: Hooks): Promise<Client>;
  /** State or failure is another one now. */
  onChange(): void;
  /** A sentence for the person. */
  notice(level: "note" | "warn", text: string): void;
}

export interface Need {
  readonly accept: ReadonlySet<Consent>;
  /** Out of a link, where the network was not known before. */
  readonly joinRelays?: readonly JoinRelay[];
  /** Whether to give up when joining fails so. What is not final is tried again for as long as it takes. */
  isFinal(error: BackroomError): boolean;
  readonly signal: AbortSignal;
}

/** The member, held for as long as it is needed. */
export interface Held {
  readonly client: Client;
  /** Aborted when the client is no more, such as after the proxy was changed: what uses it has to begin anew with another. */
  readonly gone: AbortSignal;
  release(): void;
}

interface Waiting {
  readonly need: Need;
  readonly outcome: PromiseWithResolvers<Held>;
}

/** This computer in one network: joins when something needs it, is shared by all that do, and leaves a while after the last. */
export class Member {
  readonly network: Network;
  readonly #deps: MemberDeps;
  readonly #waiting = new Set<Waiting>();
  /** Flags of all that was ever accepted here: what a person agreed to once for a network is not asked again. */
  readonly #accepted = new Set<string>();
  #holders = 0;
  #state: MemberState = "idle";
  #client: Client | undefined;
  #gone = new AbortController();
  #failure: BackroomError | undefined;
  #failures = 0;
  #isJoining = false;
  /** Clients that still write what they keep. */
  readonly #closing = new Set<Promise<void>>();
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;

  constructor(deps: MemberDeps) {
    this.network = deps.network;
    this.#deps = deps;
  }

  get state(): MemberState {
    return this.#state;
  }

  /** While joined. */
  get client(): Client | undefined {
    return this.#client;
  }

  /** Why it could not join; kept while it is tried again. */
  get failure(): BackroomError | undefined {
    return this.#failure;
  }

  /** The neighbours' clocks minus ours; null before any was heard. */
  get clockSkewMs(): number | null {
    return this.#client?.clockSkewMs() ?? null;
  }

  /** Fulfilled once joined. Raises what is final for `need`, E_INTERRUPTED once its signal is aborted or the member is closed. */
  async use(need: Need): Promise<Held> {
    if (need.signal.aborted || this.#isClosed) throw stopped();
    for (const consent of need.accept) this.#accepted.add(`--accept-${consent}`);
    if (this.#client !== undefined) return this.#hold(this.#client);
    const waiting: Waiting = { need, outcome: Promise.withResolvers() };
    this.#waiting.add(waiting);
    const onAbort = (): void => {
      this.#waiting.delete(waiting);
      waiting.outcome.reject(stopped());
    };
    need.signal.addEventListener("abort", onAbort, { once: true });
    void this.#join();
    try {
      return await waiting.outcome.promise;
    } finally {
      need.signal.removeEventListener("abort", onAbort);
    }
  }

  /** Gives up the client, and joins anew where it is needed: something that it was made with is different now. */
  restart(): void {
    this.#drop();
    if (!this.#isJoining) this.#set("idle");
    if (this.#waiting.size > 0) void this.#join();
  }

  /** Fulfilled when what its clients keep is on disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
    for (const { outcome } of this.#waiting) outcome.reject(stopped());
    this.#waiting.clear();
    this.#set("idle");
    await Promise.all(this.#closing);
  }

  async #join(): Promise<void> {
    if (this.#isJoining || this.#client !== undefined || this.#isClosed) return;
    this.#isJoining = true;
    this.#cancelTimer?.();
    this.#set("joining");
    const gone = this.#gone.signal;
    try {
      const relays = [...this.#waiting].flatMap(({ need }) => need.joinRelays ?? []);
      const client = await this.#deps.open(relays, this.#hooks());
      this.#isJoining = false;
      if (gone.aborted) {
        await client.close();
        if (!this.#isClosed) this.restart();
        return;
      }
      this.#onJoined(client);
    } catch (error) {
      this.#isJoining = false;
      // What failed was made with what is different now, so that it says nothing.
      if (gone.aborted && !this.#isClosed) this.restart();
      else this.#onFailed(isBackroomError(error) ? error : fault(error));
    }
  }

  #onJoined(client: Client): void {
    this.#client = client;
    this.#failure = undefined;
    this.#failures = 0;
    this.#set("joined");
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { outcome } of waiting) outcome.resolve(this.#hold(client));
    if (this.#holders === 0) this.#leaveLater();
    else this.#lookLater(client);
  }

  #onFailed(error: BackroomError): void {
    this.#failure = error;
    for (const waiting of this.#waiting) {
      if (!waiting.need.isFinal(error)) continue;
      this.#waiting.delete(waiting);
      waiting.outcome.reject(error);
    }
    this.#set("failed");
    if (this.#isClosed || this.#waiting.size === 0) return;
    const waitMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LONGEST_PAUSE_MS);
    this.#deps.log("info", "joining failed and is tried again", { code: error.code, waitMs });
    this.#cancelTimer = this.#deps.clock.after(waitMs, () => void this.#join());
  }

  #hold(client: Client): Held {
    this.#holders++;
    this.#lookLater(client);
    let isHeld = true;
    const gone = this.#gone.signal;
    return {
      client,
      gone,
      release: () => {
        if (!isHeld || gone.aborted) return;
        isHeld = false;
        this.#holders--;
        if (this.#holders === 0) this.#leaveLater();
      },
    };
  }

  #leaveLater(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#deps.clock.after(LINGER_MS, () => {
      if (this.#holders > 0) return;
      this.#drop();
      this.#set("idle");
    });
  }

  #lookLater(client: Client): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#deps.clock.after(LOOK_MS, () => void this.#look(client));
  }

  /** Relay infos hold for a day. Whoever was off for longer knows nobody whose word would bring new ones, and has to join again. */
  async #look(client: Client): Promise<void> {
    if (client !== this.#client) return;
    if (client.relays().length === 0) {
      try {
        this.#deps.log("info", "all relays have gone stale: joining again");
        await client.rejoin(this.#hooks());
        this.#failure = undefined;
      } catch (error) {
        this.#failure = isBackroomError(error) ? error : fault(error);
      }
      this.#deps.onChange();
    }
    if (client === this.#client && this.#holders > 0) this.#lookLater(client);
  }

  #drop(): void {
    this.#cancelTimer?.();
    this.#gone.abort();
    this.#gone = new AbortController();
    this.#holders = 0;
    const closing = this.#client?.close();
    this.#client = undefined;
    if (closing === undefined) return;
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  #set(state: MemberState): void {
    this.#state = state;
    this.#deps.onChange();
  }

  /** Nobody sits in front of a daemon: what was not accepted beforehand is not accepted. */
  #hooks(): Hooks {
    return {
      progress() {},
      status() {},
      event() {},
      note: (text) => this.#deps.notice("note", text),
      warn: (text) => this.#deps.notice("warn", text),
      confirm: (_question, flag) => Promise.resolve(this.#accepted.has(flag)),
      log: this.#deps.log,
    };
  }
}

function stopped(): BackroomError {
  return new BackroomError("E_INTERRUPTED", "the network is not needed any more");
}

function fault(cause: unknown): BackroomError {
  return new BackroomError("E_INTERNAL", "joining failed in a way it should not", { cause });
}
