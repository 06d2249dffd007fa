import assert from "node:assert/strict";
import type { Client } from "@backroom/api/client/client.ts";
import { ROUTES, type Answer, type Input, type RouteName } from "@backroom/api/routes.ts";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";

type FakeHandlers = { [Name in RouteName]?: (input: Input<Name>) => Answer<Name> | Promise<Answer<Name>> };

/** A transfer as the daemon tells it, seeding what was shared here unless something else is said. */
export function transferOf(id: string, more: Partial<Transfer> = {}): Transfer {
  return {
    id,
    role: "share",
    state: "seeding",
    name: "Holiday",
    kind: "read",
    profile: "standard",
    fileCount: 3,
    size: 3_000_000,
    packLength: 3_100_000,
    doneBytes: 3_100_000,
    totalBytes: 3_100_000,
    downloadRate: 0,
    uploadRate: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    peerCount: 0,
    gateCount: 2,
    secondsLeft: null,
    output: null,
    paths: [],
    waits: null,
    failure: null,
    leftOutCount: 0,
    skippedCount: 0,
    chosenSize: null,
    createdMs: Date.UTC(2026, 0, 2, 3, 4),
    finishedMs: null,
    ...more,
  };
}

const NEVER = new AbortController().signal;
const NO_LIMITS = { downloadRate: null, uploadRate: null, relayRate: null };

/**
 * A daemon in memory that answers as the contract says: what comes in and goes out is held to the schemas, as over the wire. It does only what commands
 * can tell: keeps transfers, tokens, watches and limits, and tells of changes.
 */
export class FakeDaemon implements Client {
  transfers: Transfer[] = [];
  readonly asked: { readonly name: RouteName; readonly input: unknown }[] = [];
  /** What tests answer instead. */
  readonly instead: FakeHandlers = {};
  readonly #listeners = new Set<(event: ApiEvent) => void>();
  #limits: Answer<"limits"> = { always: NO_LIMITS, schedule: [], now: NO_LIMITS };
  readonly #tokens: Answer<"listTokens">["tokens"] = [];
  readonly #watches: Answer<"listWatches">["watches"] = [];
  #made = 0;

  call: Client["call"] = async (name, ...given) => {
    const [input = {}] = given;
    this.asked.push({ name, input });
    // As on the wire: what has no value is not there, and what there is is text in a query.
    const sent = JSON.parse(JSON.stringify(input)) as Record<string, unknown>;
    const { params, query, body } = ROUTES[name] as unknown as Record<string, never>;
    const parsed = {} as Record<string, unknown>;
    for (const part of [params, query, body] as unknown as (
      | { parse(value: unknown): object }
      | undefined
    )[]) {
      if (typeof part === "object") Object.assign(parsed, part.parse(sent));
    }
    const handlers: FakeHandlers = { ...this.#handlers, ...this.instead };
    const handler = handlers[name] as ((input: unknown) => unknown) | undefined;
    assert.ok(handler !== undefined, `the fake daemon does not know ${name}`);
    return ROUTES[name].answer.parse(await handler(parsed)) as never;
  };

  async *events({ signal = NEVER }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<ApiEvent> {
    const waiting: ApiEvent[] = [{ name: "reset", data: {} }];
    let wake = (): void => {};
    const listen = (event: ApiEvent): void => {
      waiting.push(event);
      wake();
    };
    this.#listeners.add(listen);
    signal.addEventListener("abort", () => wake());
    try {
      for (;;) {
        if (signal.aborted) return;
        yield* waiting.splice(0);
        if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listen);
    }
  }

  /** Changes a transfer and tells of it. */
  change(id: string, change: Partial<Transfer>): Transfer {
    const before = this.#get(id);
    const changed = { ...before, ...change };
    this.transfers = this.transfers.map((one) => (one === before ? changed : one));
    this.tell({ name: "transfers", data: { changed: [changed], removed: [] } });
    return changed;
  }

  /** How many still listen to events. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  tell(event: ApiEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  add(more: Partial<Transfer>): Transfer {
    const made = transferOf(this.#newId(), more);
    this.transfers = [made, ...this.transfers];
    return made;
  }

  #get(id: string): Transfer {
    const found = this.transfers.find((one) => one.id === id);
    if (found === undefined) throw new BackroomError("E_NO_TRANSFER", "there is no transfer of this id");
    return found;
  }

  #newId(): string {
    return `${(++this.#made).toString(36).padStart(3, "0")}fake0000000000`.slice(0, 16);
  }

  readonly #handlers: FakeHandlers = {
    listTransfers: ({ state, role, search, after, limit }) => {
      const fitting = this.transfers.filter(
        (one) =>
          (state === undefined || one.state === state) &&
          (role === undefined || one.role === role) &&
          (search === undefined ||
            one.name.toLowerCase().includes(search.toLowerCase()) ||
            one.id.startsWith(search)),
      );
      const start = after === undefined ? 0 : fitting.findIndex(({ id }) => id === after) + 1;
      const transfers = fitting.slice(start, start + limit);
      const isLast = start + limit >= fitting.length;
      return { transfers, total: fitting.length, next: isLast ? null : (transfers.at(-1)?.id ?? null) };
    },
    getTransfer: ({ id }) => this.#get(id),
    addShare: ({ name }) => this.add({ state: "sealing", kind: null, name: name ?? "Holiday", gateCount: 0 }),
    addGet: ({ mirror, output }) =>
      this.add({
        role: mirror ? "mirror" : "get",
        state: "looking",
        output: output ?? null,
        fileCount: null,
      }),
    pause: ({ id }) => this.change(id, { state: "paused" }),
    resume: ({ id }) => this.change(id, { state: "seeding" }),
    recheck: ({ id }) => this.change(id, { state: "checking", doneBytes: 0 }),
    remove: ({ id }) => {
      const gone = this.#get(id);
      this.transfers = this.transfers.filter((one) => one !== gone);
      return {};
    },
    relocate: ({ id, output }) => this.change(id, { output, paths: [`${output}/Holiday`] }),
    openTransfer: ({ id, output = "" }) => this.change(id, { output, paths: [`${output}/Holiday`] }),
    files: ({ after, limit }) => {
      const all = ["Holiday/a.jpg", "Holiday/b.jpg", "Holiday/c.mp4"];
      const start = Number(after ?? 0);
      const files = all.slice(start, start + limit).map((path) => ({
        path,
        size: 1_000_000,
        mtimeMs: null,
        doneBytes: 1_000_000,
        priority: "normal" as const,
      }));
      return { files, total: all.length, next: start + limit < all.length ? String(start + limit) : null };
    },
    notes: ({ id }) => {
      const atMs = this.#get(id).createdMs;
      return {
        notes: [
          { number: 1, atMs, level: "note", kind: "begun", code: null, text: "begun" },
          { number: 2, atMs, level: "warn", kind: "said", code: null, text: "a relay is slow" },
        ],
      };
    },
    links: ({ id }) => {
      this.#get(id);
      return { link: `backroom:read${id}`, lockedLink: `backroom:locked${id}`, kind: "read" };
    },
    inspectLink: () => ({
      kind: "read",
      name: "Holiday",
      size: 3_000_000,
      packLength: 3_100_000,
      isNetworkKnown: true,
      joinRelayCount: 0,
      transfer: null,
      freeBytes: null,
      fits: null,
    }),
    listWatches: () => ({ watches: this.#watches }),
    addWatch: ({ folder, profile }) => {
      const watch = { id: this.#newId(), folder, profile, sharedCount: 0, createdMs: 0 };
      this.#watches.push(watch);
      return watch;
    },
    removeWatch: ({ id }) => {
      this.#watches.splice(
        this.#watches.findIndex((one) => one.id === id),
        1,
      );
      return {};
    },
    limits: () => this.#limits,
    setLimits: ({ always, schedule }) => {
      const { downloadRate, uploadRate, relayRate } = always ?? {};
      const { always: before } = this.#limits;
      const next = {
        downloadRate: downloadRate === undefined ? before.downloadRate : downloadRate,
        uploadRate: uploadRate === undefined ? before.uploadRate : uploadRate,
        relayRate: relayRate === undefined ? before.relayRate : relayRate,
      };
      this.#limits = { always: next, schedule: schedule ?? this.#limits.schedule, now: next };
      return this.#limits;
    },
    listTokens: () => ({ tokens: this.#tokens }),
    addToken: ({ name, scopes, expiresMs = null }) => {
      const token = { id: this.#newId(), name, browser: null, scopes, createdMs: 0, usedMs: null, expiresMs };
      this.#tokens.push(token);
      return { token, secret: "a-secret" };
    },
    removeToken: ({ id }) => {
      this.#tokens.splice(
        this.#tokens.findIndex((one) => one.id === id),
        1,
      );
      return {};
    },
    openPage: () => ({ url: "http://127.0.0.1:1/#code=x", expiresMs: 0 }),
  };
}
