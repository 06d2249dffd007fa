import { HEARTBEAT_MS } from "@backroom/api/places.ts";
import type { ApiEvent, EventData } from "@backroom/api/schemas/event.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { Random } from "@backroom/core/base/random.ts";
import type { Events } from "../context.ts";

/** Heartbeats that a client may leave untaken before it counts as gone. */
const MISSED_BEATS = 2;
const HEARTBEAT = ": here\n\n";

/** One client's place among the events. */
export interface Subscription {
  /** What comes next, as text of a `text/event-stream`; undefined once the client was dropped, or the hub closed. One call at a time. */
  next(): Promise<string | undefined>;
  /** Aborted when the client is dropped: it reads too slowly, or not at all. */
  readonly dropped: AbortSignal;
  close(): void;
}

/**
 * Collects what the parts of the daemon publish, tells it at most four times a second, and keeps the last of it for clients that come back. Each client
 * is a place in one ring of events, so a thousand slow ones hold no more memory than one. Event ids are `RUN.NUMBER`: those of an earlier run are not
 * taken for ours.
 */
export class EventHub implements Events {
  readonly #clock: Clock;
  readonly #run: string;
  readonly #pending = new Pending();
  #ring: { readonly text: string }[] = [];
  #ringBytes = 0;
  /** Number of the event that comes next. */
  #next = 1;
  #places = new Set<Place>();
  #cancelFlush: (() => void) | undefined;
  #cancelBeat: (() => void) | undefined;
  #flushedMs = -Infinity;
  /** When the last client left; until one came nothing needs to be kept. */
  #leftMs = -Infinity;
  #isClosed = false;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#run = random.bytes(4).toString("hex");
  }

  get clientCount(): number {
    return this.#places.size;
  }

  publish(event: ApiEvent): void {
    if (this.#isClosed) return;
    if (!this.isFollowed) {
      // A number is used up all the same: who comes back later has to see that it missed something.
      this.#forget();
      this.#next++;
      return;
    }
    this.#pending.add(event);
    this.#plan();
  }

  /** `lastId` is what the client says it saw last. Raises E_BUSY where there are too many. */
  subscribe(lastId: string | undefined): Subscription {
    if (this.#isClosed || this.#places.size >= LIMITS.eventClients) {
      throw new BackroomError("E_BUSY", "too many clients follow events");
    }
    const seen = this.#numberOf(lastId);
    const first = this.#next - this.#ring.length;
    const isKnown = seen !== undefined && seen >= first - 1;
    const place = new Place(isKnown ? seen + 1 : this.#next, (from) => this.#from(from));
    if (!isKnown) place.greeting = textOf(`${this.#run}.${this.#next - 1}`, { name: "reset", data: {} });
    this.#places.add(place);
    this.#cancelBeat ??= this.#clock.after(HEARTBEAT_MS, () => this.#beat());
    return {
      next: () => place.next(),
      dropped: place.abort.signal,
      close: () => this.#leave(place),
    };
  }

  close(): void {
    this.#isClosed = true;
    for (const place of this.#places) this.#leave(place);
    this.#cancelFlush?.();
    this.#forget();
  }

  get isFollowed(): boolean {
    return this.#places.size > 0 || this.#clock.monotonicMs() - this.#leftMs <= LIMITS.eventKeepMs;
  }

  #forget(): void {
    this.#ring = [];
    this.#ringBytes = 0;
    this.#pending.clear();
  }

  #plan(): void {
    const sinceMs = this.#clock.monotonicMs() - this.#flushedMs;
    this.#cancelFlush ??= this.#clock.after(Math.max(0, LIMITS.eventEveryMs - sinceMs), () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush = undefined;
    this.#flushedMs = this.#clock.monotonicMs();
    const told = this.#pending.take();
    for (const event of told) {
      const text = textOf(`${this.#run}.${this.#next++}`, event);
      this.#ring.push({ text });
      this.#ringBytes += text.length;
    }
    const isTooMuch = (): boolean =>
      this.#ring.length > LIMITS.eventRingCount || this.#ringBytes > LIMITS.eventRingBytes;
    // What is told now stays, however long it is: nobody could have read it yet.
    while (this.#ring.length > told.length && isTooMuch()) {
      this.#ringBytes -= this.#ring.shift()?.text.length ?? 0;
    }
    for (const place of this.#places) if (!place.wake()) this.#drop(place);
    if (!this.#pending.isEmpty) this.#plan();
  }

  #beat(): void {
    this.#cancelBeat = undefined;
    for (const place of this.#places) if (!place.beat()) this.#drop(place);
    if (this.#places.size > 0) this.#cancelBeat = this.#clock.after(HEARTBEAT_MS, () => this.#beat());
  }

  #drop(place: Place): void {
    this.#leave(place);
    place.abort.abort();
  }

  #leave(place: Place): void {
    if (!this.#places.delete(place)) return;
    place.end();
    if (this.#places.size > 0) return;
    this.#leftMs = this.#clock.monotonicMs();
    this.#cancelBeat?.();
    this.#cancelBeat = undefined;
  }

  /** Texts of the events from number `from` on; undefined where the first of them is not kept any more. */
  #from(from: number): { readonly text: string; readonly next: number } | undefined {
    const first = this.#next - this.#ring.length;
    if (from < first) return undefined;
    // One at a time: a client that reads slowly should not hold the whole ring as one text.
    return { text: this.#ring[from - first]?.text ?? "", next: Math.min(from + 1, this.#next) };
  }

  #numberOf(id: string | undefined): number | undefined {
    const [, run, number] = /^([0-9a-f]{8})\.(\d{1,15})$/.exec(id ?? "") ?? [];
    return run === this.#run && Number(number) < this.#next ? Number(number) : undefined;
  }
}

/** Where a client is, and whether it waits. */
class Place {
  greeting = "";
  readonly abort = new AbortController();
  readonly #read: (from: number) => { readonly text: string; readonly next: number } | undefined;
  #at: number;
  #waiting: ((text: string | undefined) => void) | undefined;
  #missedBeats = 0;
  #isOver = false;

  constructor(at: number, read: (from: number) => { text: string; next: number } | undefined) {
    this.#at = at;
    this.#read = read;
  }

  next(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#missedBeats = 0;
      if (this.#isOver) this.end();
      else if (this.greeting !== "") {
        this.#give(this.greeting);
        this.greeting = "";
      } else this.wake();
    });
  }

  /** Gives what is there to a client that waits. False where the client is so far behind that something is missing. */
  wake(): boolean {
    const found = this.#read(this.#at);
    if (found === undefined) return false;
    if (this.#waiting === undefined || found.text === "") return true;
    this.#at = found.next;
    this.#give(found.text);
    return true;
  }

  /** False where the client has not read for too long. */
  beat(): boolean {
    if (this.#waiting !== undefined) this.#give(HEARTBEAT);
    else this.#missedBeats++;
    return this.#missedBeats <= MISSED_BEATS;
  }

  end(): void {
    this.#isOver = true;
    this.#give(undefined);
  }

  #give(text: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(text);
  }
}

type State = "status" | "network" | "relay";

/** What was published since the last telling, the newest of each kind. */
class Pending {
  /** Null for one that was removed. In the order in which they first changed, so that none waits for ever. */
  #transfers = new Map<string, Transfer | null>();
  #states = new Map<State, ApiEvent>();
  /** Of whose notes there are more. */
  #noted = new Set<string>();
  #notices: EventData<"notice">[] = [];
  #isReset = false;

  get isEmpty(): boolean {
    const count = this.#transfers.size + this.#states.size + this.#noted.size + this.#notices.length;
    return count === 0 && !this.#isReset;
  }

  add(event: ApiEvent): void {
    if (event.name === "transfers") {
      for (const transfer of event.data.changed) this.#transfers.set(transfer.id, transfer);
      for (const id of event.data.removed) this.#transfers.set(id, null);
    } else if (event.name === "notes") {
      for (const id of event.data.transfers) this.#noted.add(id);
    } else if (event.name === "notice") {
      this.#notices.push(event.data);
      if (this.#notices.length > LIMITS.eventNotices) this.#notices.shift();
    } else if (event.name === "reset") this.#isReset = true;
    else this.#states.set(event.name, event);
  }

  take(): ApiEvent[] {
    const events: ApiEvent[] = [];
    // Everything will be asked for again: what waits is in there.
    if (this.#isReset) {
      this.clear();
      return [{ name: "reset", data: {} }];
    }
    const some = [...this.#transfers].slice(0, LIMITS.eventTransfers);
    if (some.length > 0) {
      for (const [id] of some) this.#transfers.delete(id);
      const changed = some.flatMap(([, transfer]) => transfer ?? []);
      const removed = some.flatMap(([id, transfer]) => (transfer === null ? [id] : []));
      events.push({ name: "transfers", data: { changed, removed } });
    }
    const noted = [...this.#noted].slice(0, LIMITS.eventTransfers);
    for (const id of noted) this.#noted.delete(id);
    events.push(...this.#states.values());
    if (noted.length > 0) events.push({ name: "notes", data: { transfers: noted } });
    events.push(...this.#notices.map((data): ApiEvent => ({ name: "notice", data })));
    this.#states.clear();
    this.#notices = [];
    return events;
  }

  clear(): void {
    this.#transfers.clear();
    this.#states.clear();
    this.#noted.clear();
    this.#notices = [];
    this.#isReset = false;
  }
}

/** JSON has no line breaks outside of texts, and there they are escaped. */
function textOf(id: string, { name, data }: ApiEvent): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
