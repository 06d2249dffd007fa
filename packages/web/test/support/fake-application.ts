import type { Answer, Handlers } from "@backroom/api/routes.ts";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import type { NoteKind, Transfer, TransferNote } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { withChoices, type FileChoice, type FileEntry } from "../../src/state/file-tree.ts";

export const LINK = `backroom:${"abcdefghijklmnopqrstuvwxyz234567".repeat(6)}`;
/** Of a network that is not known yet, with a password. */
export const LOCKED_LINK = `backroom:${"lockedabcdefghijklmnopqrstuvwxyz".repeat(6)}`;
const START_MS = Date.UTC(2026, 4, 3, 12);

const FILES: readonly FileEntry[] = [
  ["Beach/Evening/IMG_0101.jpg", 4_100_000, 4_100_000],
  ["Beach/Evening/IMG_0102.jpg", 4_400_000, 4_400_000],
  ["Beach/IMG_0001.jpg", 3_900_000, 3_900_000],
  ["Beach/IMG_0002.jpg", 4_600_000, 1_200_000],
  ["Film.mp4", 1_480_000_000, 560_000_000],
  ["a letter.txt", 12_000, 0],
].map(([path, size, doneBytes]) => ({
  path: String(path),
  size: Number(size),
  mtimeMs: START_MS,
  doneBytes: Number(doneBytes),
  priority: "normal",
}));
const NOTES: readonly TransferNote[] = [
  { number: 1, atMs: START_MS, level: "note", kind: "begun", code: null, text: "begun" },
  { number: 2, atMs: START_MS + 4_000, level: "note", kind: "found", code: null, text: "found" },
  {
    number: 3,
    atMs: START_MS + 65_000,
    level: "warn",
    kind: "said",
    code: null,
    text: "A guard that let too few circuits through was replaced by another one.",
  },
  { number: 4, atMs: START_MS + 3_600_000, level: "note", kind: "paused", code: null, text: "paused" },
  { number: 5, atMs: START_MS + 7_200_000, level: "note", kind: "resumed", code: null, text: "resumed" },
];

/** An application of no network: what a page shows of it is known to the last byte, and a test changes it as it likes. */
export interface FakeApplication {
  readonly handlers: Handlers;
  readonly transfers: Map<string, Transfer>;
  /** Of transfers that have other files than all others. */
  readonly files: Map<string, readonly FileEntry[]>;
  /** What was asked for, by operation, in order. */
  readonly calls: { readonly name: string; readonly input: unknown }[];
  /** As somebody did before. */
  choose(id: string, choices: readonly FileChoice[]): void;
  /** From now on that operation fails; undefined: as always. */
  refuse(name: string, error: BackroomError | undefined): void;
  /** Adds to what is noted of a transfer, and tells it. */
  note(id: string, kind: NoteKind, text?: string): void;
  /** Changes a transfer and tells it. */
  change(id: string, changes: Partial<Transfer>): void;
  /** Changes several at once. */
  changeMany(changes: readonly (readonly [id: string, changes: Partial<Transfer>])[]): void;
}

export function transferOf(number: number, given: Partial<Transfer> = {}): Transfer {
  // Where it does not download, nothing of that goes on.
  const isOn = (given.state ?? "downloading") === "downloading";
  return {
    id: String(number).padStart(16, "0"),
    role: "get",
    state: "downloading",
    name: `share ${number}`,
    kind: "read",
    profile: "standard",
    fileCount: 6,
    size: 1_500_000_000,
    packLength: 1_400_000_000,
    doneBytes: 600_000_000,
    totalBytes: 1_400_000_000,
    downloadRate: isOn ? 4_200_000 : 0,
    uploadRate: 0,
    downloadedBytes: 600_000_000,
    uploadedBytes: 12_000_000,
    peerCount: isOn ? 2 : 0,
    gateCount: 2,
    secondsLeft: isOn ? 190 : null,
    output: "/home/ada/Downloads",
    paths: [],
    waits: null,
    failure: null,
    leftOutCount: 0,
    skippedCount: 0,
    chosenSize: null,
    createdMs: START_MS + 1000 * number,
    finishedMs: null,
    ...given,
  };
}

export function fakeApplication(
  first: readonly Transfer[],
  publish: (event: ApiEvent) => void,
): FakeApplication {
  const transfers = new Map(first.map((transfer) => [transfer.id, transfer]));
  const refusals = new Map<string, BackroomError>();
  const files = new Map<string, readonly FileEntry[]>();
  const notes = new Map<string, TransferNote[]>();
  const calls: { name: string; input: unknown }[] = [];
  let count = first.length;
  let relay: Answer<"relay"> = {
    mode: null,
    gate: false,
    state: "off",
    reachable: null,
    hostCount: 0,
    circuitCount: 0,
    guestCount: 0,
    carriedBytes: 0,
    port: null,
    sinceMs: null,
    failure: null,
  };
  let limits: Answer<"limits">["always"] = { downloadRate: null, uploadRate: null, relayRate: null };
  let schedule: Answer<"limits">["schedule"] = [];
  const network = { id: "0badcafe", name: "Friends", test: false, current: true, relaysKnown: 212 };

  const get = (id: string): Transfer => {
    const transfer = transfers.get(id);
    if (transfer === undefined) throw new BackroomError("E_NO_TRANSFER", "no transfer has this id");
    return transfer;
  };
  const put = (transfer: Transfer): Transfer => {
    transfers.set(transfer.id, transfer);
    publish({ name: "transfers", data: { changed: [transfer], removed: [] } });
    return transfer;
  };
  const filesOf = (id: string): readonly FileEntry[] => {
    get(id);
    return files.get(id) ?? FILES;
  };
  const choose = (id: string, choices: readonly FileChoice[]): Transfer => {
    const chosen = withChoices(filesOf(id), choices);
    files.set(id, chosen);
    const skippedCount = chosen.filter(({ priority }) => priority === "skip").length;
    const chosenSize = chosen.reduce((sum, { priority, size }) => sum + (priority === "skip" ? 0 : size), 0);
    const state = skippedCount === chosen.length ? "choosing" : get(id).state;
    return put({
      ...get(id),
      state: state === "choosing" && skippedCount < chosen.length ? "downloading" : state,
      fileCount: chosen.length,
      skippedCount,
      chosenSize,
    });
  };
  const status = (): Answer<"status"> => ({
    version: "0.1.0",
    pid: 4711,
    startedMs: START_MS,
    page: null,
    transferCount: transfers.size,
    activeCount: 2,
    downloadRate: 4_200_000,
    uploadRate: 310_000,
    memoryBytes: 90_000_000,
  });

  const known: Partial<Handlers> = {
    status: async () => status(),
    listTransfers: async ({ after, limit }) => {
      const all = [...transfers.values()].sort((a, b) => b.createdMs - a.createdMs);
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
      const page = all.slice(from, from + limit);
      return {
        transfers: page,
        next: from + limit < all.length ? (page.at(-1)?.id ?? null) : null,
        total: all.length,
      };
    },
    getTransfer: async ({ id }) => get(id),
    addGet: async ({ mirror, choices = [] }) => {
      const made = transferOf(++count, { role: mirror ? "mirror" : "get", name: "Holiday", doneBytes: 0 });
      put(made);
      return choose(made.id, choices);
    },
    addShare: async ({ name = "Plans" }) =>
      put(transferOf(++count, { role: "share", name, state: "seeding", downloadRate: 0, output: null })),
    pause: async ({ id }) => put({ ...get(id), state: "paused", downloadRate: 0, secondsLeft: null }),
    resume: async ({ id }) => put({ ...get(id), state: "downloading" }),
    remove: async ({ id }) => {
      get(id);
      transfers.delete(id);
      publish({ name: "transfers", data: { changed: [], removed: [id] } });
      return {};
    },
    files: async ({ id, after, limit }) => {
      const all = filesOf(id);
      const from = Number(after ?? 0);
      const next = from + limit < all.length ? String(from + limit) : null;
      return { files: all.slice(from, from + limit), next, total: all.length };
    },
    chooseFiles: async ({ id, choices }) => choose(id, choices),
    pieces: async () => ({
      pieceCount: 334,
      haveCount: 143,
      pieceLength: 4_194_304,
      map: Array.from({ length: 334 }, (_, at) => (at % 7 < 3 ? 100 : at % 7 === 3 ? 40 : 0)),
    }),
    notes: async ({ id }) => ({ notes: [...(notes.get(id) ?? NOTES)] }),
    links: async () => ({ link: LINK, lockedLink: LINK.replace("abc", "xyz"), kind: "read" }),
    inspectLink: async ({ link }) => {
      if (!link.startsWith("backroom:")) throw new BackroomError("E_LINK", "this is no Backroom link");
      return {
        kind: link === LOCKED_LINK ? "locked" : "read",
        name: "Holiday",
        size: 1_500_000_000,
        packLength: 1_400_000_000,
        isNetworkKnown: link !== LOCKED_LINK,
        joinRelayCount: 3,
        transfer: null,
        freeBytes: 90_000_000_000,
        fits: true,
      };
    },
    network: async () => ({
      network,
      state: "joined",
      guardCount: 3,
      privacy: {
        level: "fair",
        sentences: ["With 212 relays of 180 networks, no single one sees both ends of a circuit."],
      },
      circuitCount: 3,
      circuits: [
        {
          purpose: "seeder",
          ageMs: 5_400_000,
          hops: [
            { role: "guard", key: "k3fa" },
            { role: "middle", key: "9x2p" },
            { role: "gate", key: "w77c" },
          ],
        },
        {
          purpose: "downloader",
          ageMs: 62_000,
          hops: [
            { role: "guard", key: "k3fa" },
            { role: "middle", key: "b1m0" },
            { role: "gate", key: "t5ye" },
          ],
        },
        {
          purpose: "lookup",
          ageMs: 4_000,
          hops: [
            { role: "guard", key: "k3fa" },
            { role: "middle", key: "q8dd" },
            { role: "scout", key: "2n6z" },
          ],
        },
      ],
      clockSkewMs: 300,
    }),
    listNetworks: async () => ({
      networks: [network, { ...network, id: "0badbeef", name: "Family", current: false }],
    }),
    joinNetwork: async () => network,
    useNetwork: async () => network,
    makeInvite: async () => ({ invite: `backroom-join:${"abcdefgh".repeat(20)}`, relayCount: 3 }),
    relay: async () => relay,
    setRelay: async ({ mode, gate = false }) => {
      const isOn = mode !== "off";
      relay = {
        ...relay,
        mode,
        gate,
        state: isOn ? "running" : "off",
        reachable: isOn ? true : null,
        circuitCount: 12,
        carriedBytes: 8_400_000_000,
      };
      publish({ name: "relay", data: relay });
      return relay;
    },
    limits: async () => ({ always: limits, schedule, now: limits }),
    setLimits: async (wanted) => {
      const { always = {} } = wanted;
      limits = {
        downloadRate: always.downloadRate ?? null,
        uploadRate: always.uploadRate ?? null,
        relayRate: always.relayRate ?? null,
      };
      schedule = wanted.schedule ?? schedule;
      return { always: limits, schedule, now: limits };
    },
    listSettings: async () => ({
      file: "/home/ada/.config/backroom/config.toml",
      settings: [
        {
          key: "downloads.folder",
          value: "/home/ada/Downloads",
          origin: "default",
          default: "/home/ada/Downloads",
          expects: "a folder",
          environment: "BACKROOM_DOWNLOADS_FOLDER",
          description: "Where fetched files go",
          takesHold: "now",
        },
        {
          key: "network.lan",
          value: false,
          origin: "file",
          default: false,
          expects: "true or false",
          environment: "BACKROOM_NETWORK_LAN",
          description: "Ask the local network for relays, too",
          takesHold: "now",
        },
      ],
      problems: [],
    }),
    doctor: async () => ({
      status: "warn",
      rows: [
        { check: "Memory", status: "ok", found: "8 GiB", minimum: "2 GiB", recommended: "6 GiB", fix: null },
        {
          check: "Processor",
          status: "warn",
          found: "2 cores",
          minimum: "2 cores",
          recommended: "4 cores",
          fix: "Works; sealing large shares takes longer.",
        },
        {
          check: "Free disk",
          status: "fail",
          found: "12 GB",
          minimum: "25 GB",
          recommended: "250 GB",
          fix: "Make room, or move the data folder to a larger disk.",
        },
        {
          check: "Line",
          status: "unknown",
          found: "no transfer yet",
          minimum: "15 Mbit/s",
          recommended: "35 Mbit/s",
          fix: null,
        },
      ],
    }),
    listTokens: async () => ({
      tokens: [
        {
          id: "a".repeat(16),
          name: "backup script",
          browser: null,
          scopes: ["read"],
          createdMs: START_MS,
          usedMs: null,
          expiresMs: null,
        },
        {
          id: "c".repeat(16),
          name: "page in Firefox, 2026-11-02",
          browser: "Firefox",
          scopes: ["admin"],
          createdMs: START_MS,
          usedMs: START_MS + 60_000,
          expiresMs: null,
        },
      ],
    }),
    addToken: async ({ name, scopes }) => ({
      token: {
        id: "b".repeat(16),
        name,
        browser: null,
        scopes,
        createdMs: START_MS,
        usedMs: null,
        expiresMs: null,
      },
      secret: "s".repeat(43),
    }),
    removeToken: async () => ({}),
    listWatches: async () => ({ watches: [] }),
    stop: async () => ({}),
  };
  const handlers = new Proxy(known, {
    get: (target, name) => async (input: unknown, context: never) => {
      calls.push({ name: String(name), input });
      const refusal = refusals.get(String(name));
      if (refusal !== undefined) throw refusal;
      const handler = target[name as keyof Handlers] as
        | ((input: unknown, context: never) => Promise<unknown>)
        | undefined;
      if (handler === undefined) throw new BackroomError("E_USAGE", "the fake application does not do this");
      return handler(input, context);
    },
  }) as Handlers;
  const changeMany: FakeApplication["changeMany"] = (all) => {
    const changed = all.map(([id, changes]) => ({ ...get(id), ...changes }));
    for (const transfer of changed) transfers.set(transfer.id, transfer);
    publish({ name: "transfers", data: { changed, removed: [] } });
  };
  const note: FakeApplication["note"] = (id, kind, text = kind) => {
    const before = notes.get(id) ?? NOTES;
    const number = before.length + 1;
    notes.set(id, [...before, { number, atMs: START_MS + 8_000_000, level: "note", kind, code: null, text }]);
    publish({ name: "notes", data: { transfers: [id] } });
  };
  return {
    handlers,
    choose,
    refuse: (name, error) => {
      if (error === undefined) refusals.delete(name);
      else refusals.set(name, error);
    },
    transfers,
    files,
    calls,
    note,
    change: (id, changes) => changeMany([[id, changes]]),
    changeMany,
  };
}
