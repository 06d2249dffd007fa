import { existsSync } from "node:fs";
import { realpath, statfs } from "node:fs/promises";
import path from "node:path";
import type { Answer, Handlers, Input } from "@backroom/api/routes.ts";
import type { TransferState } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { formatLink, lockedLink, parseLink, topicSecret, type ShareLink } from "@backroom/core/link/link.ts";
import { currentNetwork, readNetwork } from "@backroom/core/node/networks.ts";
import { withOutputFolder } from "@backroom/core/node/output-folder.ts";
import { keysOf, openInto } from "@backroom/core/node/pack-files.ts";
import { isRecipient } from "@backroom/core/pack/age-keys.ts";
import { diskFiles } from "@backroom/core/pack/input-files.ts";
import { checkPassword } from "@backroom/core/pack/password.ts";
import { resolveRoots } from "@backroom/core/pack/walk.ts";
import { readState, packPaths } from "@backroom/core/store/store-files.ts";
import type { StoredState, TransferRecord } from "../catalogue/catalogue.ts";
import { newId } from "./new-id.ts";
import { isIn } from "../is-in.ts";
import { UPLOADS_FOLDER } from "../uploads-folder.ts";
import { infoOf } from "./packs.ts";
import { moveInto } from "./relocation.ts";
import { liveOf } from "./run.ts";
import type { ShareFiles } from "./share-content.ts";
import { fetchedAgain, nextStep, paused, resumed } from "./transfer-state.ts";
import type { Transfers } from "./transfers.ts";

export type EngineRoutes =
  | "listTransfers"
  | "getTransfer"
  | "addShare"
  | "addGet"
  | "pause"
  | "resume"
  | "remove"
  | "recheck"
  | "relocate"
  | "openTransfer"
  | "files"
  | "pieces"
  | "links"
  | "inspectLink";

const OVER: readonly StoredState[] = ["paused", "done", "failed"];
/** Parts of the picture of a pack. */
const MAP_PARTS = 512;

/** The API's operations on transfers and links. */
export function transferHandlers(transfers: Transfers, files: ShareFiles): Pick<Handlers, EngineRoutes> {
  const { catalogue, folder, settings, machine } = transfers.context;
  const nowMs = (): number => machine.clock.nowMs();
  const view = (id: string): Answer<"getTransfer"> => transfers.view(id);

  async function listTransfers({ state, role, search, after, limit }: Input<"listTransfers">) {
    const query = { role, search, after, limit };
    if (state === undefined || isOver(state)) {
      const page = catalogue.list({ ...query, ...(state === undefined ? {} : { states: [state] }) });
      return { ...page, transfers: page.transfers.map((record) => transfers.viewOf(record)) };
    }
    // What goes on just now is not kept: whole pages are looked through until one has something.
    const inState = (cursor: string | undefined) => {
      const page = catalogue.list({ ...query, states: ["sealing", "active"], after: cursor });
      const fitting = page.transfers.filter((record) => transfers.stateOf(record) === state);
      return { next: page.next, fitting };
    };
    let page = inState(after);
    while (page.fitting.length === 0 && page.next !== null) page = inState(page.next);
    const isNarrow = role !== undefined || search !== undefined;
    const total = isNarrow ? countIn(state, { role, search }) : (transfers.liveCounts().get(state) ?? 0);
    return { transfers: page.fitting.map((record) => transfers.viewOf(record)), next: page.next, total };
  }

  function countIn(state: TransferState, query: Pick<Input<"listTransfers">, "role" | "search">): number {
    let count = 0;
    let after: string | undefined;
    do {
      const page = catalogue.list({ ...query, states: ["sealing", "active"], after, limit: 1_000 });
      count += page.transfers.filter((record) => transfers.stateOf(record) === state).length;
      after = page.next ?? undefined;
    } while (after !== undefined);
    return count;
  }

  async function addShare(input: Input<"addShare">) {
    const { password, recipients, paths, profile, accept } = input;
    if (password !== undefined && recipients !== undefined) {
      throw new BackroomError("E_REQUEST", "a password and people's keys exclude each other");
    }
    if (password !== undefined) checkPassword(password);
    if (recipients?.every((one) => isRecipient(one)) === false || recipients?.length === 0) {
      throw new BackroomError("E_RECIPIENT", "a key that was to open the share is no age recipient");
    }
    for (const one of paths) {
      if (!path.isAbsolute(one))
        throw new BackroomError("E_REQUEST", "a path that is shared is not absolute");
    }
    // What is wrong with them is better said now than when it is their turn.
    const roots = await resolveRoots(paths, diskFiles);
    await refuseOwnData(roots.map(({ diskPath }) => diskPath));
    await currentNetwork(folder);
    const record: TransferRecord = {
      ...newRecord(newId(machine.random), nowMs()),
      role: "share",
      state: "sealing",
      name: input.name ?? roots[0]?.name ?? "",
      profile,
      inputs: paths,
      keys: {
        ...(password === undefined ? {} : { password }),
        ...(recipients === undefined ? {} : { recipients }),
      },
      seed: true,
      wait: true,
      accept,
    };
    transfers.put(record);
    transfers.launch(record.id);
    return view(record.id);
  }

  /** Whoever may share could read every key and link otherwise: of the data folder only what was sent here to be shared is. */
  async function refuseOwnData(places: readonly string[]): Promise<void> {
    const own = await realpath(folder.root);
    const sent = path.join(own, UPLOADS_FOLDER) + path.sep;
    if (!places.some((place) => isIn(own, place) || (isIn(place, own) && !place.startsWith(sent)))) return;
    throw new BackroomError("E_INPUT", "Backroom's own data lies there", {
      why: "this computer's keys and links would be shared",
      fix: "share what lies beside it, or move the data elsewhere (--data)",
    });
  }

  async function addGet(input: Input<"addGet">) {
    const link = parseLink(input.link);
    if (link.networkId === 0) {
      throw new BackroomError("E_LINK", "this link names no network, so nothing can be fetched with it", {
        why: "it came from `backroom seal`, which works without a network",
        fix: "open the pack that belongs to it: backroom open PACK LINK",
      });
    }
    if (!input.mirror) keysOf(link, input);
    const known = catalogue.byRoot(link.piecesRoot.toString("hex"));
    if (known !== undefined) return transfers.change(known.id, () => getAgain(known.id, link, input));
    const output = path.resolve(input.output ?? settings.get("downloads.folder"));
    const record: TransferRecord = {
      ...newRecord(newId(machine.random), nowMs()),
      role: input.mirror ? "mirror" : "get",
      state: "active",
      name: link.name ?? "",
      kind: link.kind,
      size: link.filesBytes ?? null,
      packLength: link.packLength,
      root: link.piecesRoot.toString("hex"),
      link: formatLink(link),
      output: input.mirror ? null : output,
      ...wishesOf(input),
    };
    transfers.put(record);
    transfers.launch(record.id);
    return view(record.id);
  }

  /** The same share once more: it takes over what is wished now, and goes on. */
  async function getAgain(id: string, link: ShareLink, input: Input<"addGet">) {
    const here = transfers.record(id);
    if (here.role === "share" || (here.role === "mirror" && !input.mirror && here.finishedMs !== null)) {
      // It is here already, and is opened from here.
      const better = betterLink(here, link);
      if (better !== here) transfers.put(better);
      if (!input.mirror) await openStored(id, input, new AbortController().signal);
      return view(id);
    }
    await transfers.halt(id);
    // Not before: it may have come to its end while it was being stopped.
    const before = transfers.record(id);
    const better = betterLink(before, link);
    const output = path.resolve(input.output ?? before.output ?? settings.get("downloads.folder"));
    const isMoved = input.output !== undefined && output !== before.output;
    const wanted: TransferRecord = {
      ...better,
      ...wishesOf(input),
      // Who hands it out goes on with that.
      seed: input.seed || before.seed,
      wait: input.wait || before.wait,
      role:
        input.mirror && before.finishedMs === null
          ? "mirror"
          : before.role === "mirror" && !input.mirror
            ? "get"
            : before.role,
      output: input.mirror ? before.output : output,
      failure: null,
    };
    // What was deleted since is put there again, from the pack as far as that is kept.
    const isThere = wanted.paths.length > 0 && wanted.paths.every((file) => existsSync(file));
    const isOver = wanted.finishedMs !== null && !isMoved && isThere;
    if (isOver && (!input.seed || before.seed)) transfers.put(resumed(wanted));
    else if (wanted.role === "mirror" && wanted.finishedMs !== null)
      transfers.put({ ...wanted, state: "active" });
    else transfers.put(fetchedAgain(wanted));
    go(id);
    return view(id);
  }

  /** Lets it go on from what is kept of it. */
  function go(id: string): void {
    if (nextStep(transfers.record(id)) !== "rest") transfers.launch(id);
  }

  async function pause({ id }: Input<"pause">) {
    return transfers.change(id, async () => {
      await transfers.halt(id);
      const record = transfers.record(id);
      const next = paused(record);
      if (next !== record) transfers.put(next);
      return view(id);
    });
  }

  async function resume({ id }: Input<"resume">) {
    return transfers.change(id, async () => {
      const record = transfers.record(id);
      const next = resumed(record);
      if (next === record) return view(id);
      transfers.put(next);
      go(id);
      return view(id);
    });
  }

  async function remove({ id, keepPack }: Input<"remove">) {
    await transfers.change(id, () => transfers.forget(id, keepPack));
    return {};
  }

  async function recheck({ id }: Input<"recheck">) {
    return transfers.change(id, async () => {
      const { root, packLength } = transfers.record(id);
      if (root === null || packLength === null) throw notHeld();
      await transfers.halt(id);
      const info = infoOf(root, packLength);
      const marks = await readState(info, packPaths(folder.packs, info.root).state);
      if (marks === undefined || marks.have.count === 0) {
        go(id);
        throw notHeld();
      }
      transfers.launch(id, { isCheck: true });
      return view(id);
    });
  }

  async function relocate({ id, output }: Input<"relocate">, { signal }: { readonly signal: AbortSignal }) {
    return transfers.change(id, async () => {
      const before = transfers.record(id);
      if (before.output === null) {
        throw new BackroomError("E_REQUEST", "this transfer put no files anywhere that could be moved");
      }
      if (!path.isAbsolute(output))
        throw new BackroomError("E_REQUEST", "the folder is not an absolute path");
      await transfers.halt(id);
      try {
        // One after the other, each kept at once: what was moved is known to be there, whatever becomes of the next.
        for (const place of before.paths) {
          const moved = await withOutputFolder(output, () => moveInto(place, output, signal));
          const now = transfers.record(id);
          transfers.put({ ...now, paths: now.paths.map((one) => (one === place ? moved : one)) });
        }
        transfers.put({ ...transfers.record(id), output: path.resolve(output) });
      } finally {
        go(id);
      }
      return view(id);
    });
  }

  async function openTransfer(input: Input<"openTransfer">, { signal }: { readonly signal: AbortSignal }) {
    const { id } = input;
    return transfers.change(id, async () => {
      const record = transfers.record(id);
      const link = input.link === undefined ? undefined : parseLink(input.link);
      if (link !== undefined) {
        if (record.root !== link.piecesRoot.toString("hex")) {
          throw new BackroomError("E_OTHER_PACK", "the link is that of another share");
        }
        const better = betterLink(record, link);
        if (better !== record) transfers.put(better);
      }
      const isUnfinished = record.role === "get" && record.finishedMs === null;
      if (!isUnfinished) {
        await openStored(id, input, signal);
        return view(id);
      }
      // It is opened while it arrives: it begins anew with what is known now.
      await transfers.halt(id);
      const now = transfers.record(id);
      const keys = keysGiven(input);
      keysOf(parseLink(now.link ?? ""), { ...now.keys, ...keys });
      const output = input.output === undefined ? now.output : path.resolve(input.output);
      transfers.put({ ...resumed(now), output, keys: { ...now.keys, ...keys } });
      go(id);
      return view(id);
    });
  }

  /** Opens a pack that is here whole. Whoever asked waits for it, and is told what becomes of it. */
  async function openStored(
    id: string,
    input: Pick<Input<"openTransfer">, "output" | "password" | "identity">,
    signal: AbortSignal,
  ): Promise<void> {
    const record = transfers.record(id);
    const { root, packLength, link: text } = record;
    if (root === null || packLength === null || text === null) throw notHeld();
    const link = parseLink(text);
    const keys = keysOf(link, keysGiven(input));
    const outputFolder = path.resolve(input.output ?? record.output ?? settings.get("downloads.folder"));
    const pack = await transfers.packs.hold(root, packLength);
    try {
      const { store } = pack;
      if (!store.complete) throw notHeld();
      const live = liveOf(record);
      const show = (doneBytes: number, totalBytes: number): void =>
        transfers.job(id, { ...live, state: "opening", doneBytes, totalBytes });
      show(0, record.size ?? packLength);
      const source = {
        length: packLength,
        read: (offset: number, length: number) => store.read(offset, length),
      };
      const progress = (_stage: unknown, done: number, total: number): void => show(done, total);
      const opened = await withOutputFolder(outputFolder, () =>
        openInto(source, link.piecesRoot, keys, { outputFolder, signal }, { progress }),
      );
      transfers.job(id, undefined);
      const now = transfers.record(id);
      const { fileCount, size, name } = opened;
      transfers.put({ ...now, fileCount, size, name, paths: [...new Set([...now.paths, ...opened.paths])] });
    } finally {
      transfers.job(id, undefined);
      await pack.release();
    }
  }

  async function pieces({ id }: Input<"pieces">) {
    const { root, packLength } = transfers.record(id);
    if (root === null || packLength === null) return { pieceCount: 0, haveCount: 0, pieceLength: 0, map: [] };
    const info = infoOf(root, packLength);
    const { pieceCount, pieceLength } = info;
    const store = await transfers.packs.current(root);
    const kept =
      store === undefined ? await readState(info, packPaths(folder.packs, info.root).state) : undefined;
    const has = (piece: number): boolean => store?.have(piece) ?? kept?.have.has(piece) ?? false;
    const haveCount = store?.haveCount() ?? kept?.have.count ?? 0;
    return { pieceCount, haveCount, pieceLength, map: pictureOf(pieceCount, has) };
  }

  async function links({ id }: Input<"links">) {
    const { link: text } = transfers.record(id);
    if (text === null) {
      throw new BackroomError("E_NOT_HELD", "the share has no link yet", {
        why: "the link names the pack, which is being sealed, and relays of the network, which is being joined",
        fix: "wait until it is handed out",
      });
    }
    const link = parseLink(text);
    const locked = formatLink(link.kind === "read" ? lockedLink(link) : link);
    return { link: text, lockedLink: locked, kind: link.kind };
  }

  async function inspectLink({ link: text }: Input<"inspectLink">) {
    const link = parseLink(text);
    const freeBytes = await freeBytesAt(settings.get("downloads.folder"));
    const needed = link.packLength + (link.filesBytes ?? link.packLength);
    return {
      kind: link.kind,
      name: link.name ?? "",
      size: link.filesBytes ?? null,
      packLength: link.packLength,
      isNetworkKnown: link.networkId !== 0 && (await readNetwork(folder, link.networkId)) !== undefined,
      joinRelayCount: link.relays.length,
      transfer: catalogue.byRoot(link.piecesRoot.toString("hex"))?.id ?? null,
      freeBytes,
      fits: freeBytes === null ? null : needed <= freeBytes,
    };
  }

  return {
    listTransfers,
    getTransfer: async ({ id }) => view(id),
    addShare,
    addGet,
    pause,
    resume,
    remove,
    recheck,
    relocate,
    openTransfer,
    files: (input, { signal }) => files.list(input, signal),
    pieces,
    links,
    inspectLink,
  };
}

function newRecord(id: string, createdMs: number): Omit<TransferRecord, "role" | "state"> {
  return {
    id,
    name: "",
    kind: null,
    profile: "standard",
    fileCount: null,
    size: null,
    packLength: null,
    doneBytes: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    output: null,
    paths: [],
    failure: null,
    leftOutCount: 0,
    createdMs,
    finishedMs: null,
    root: null,
    link: null,
    sharerSeed: null,
    inputs: [],
    keys: {},
    seed: false,
    wait: false,
    accept: [],
  };
}

function keysGiven({
  password,
  identity,
}: Pick<Input<"addGet">, "password" | "identity">): TransferRecord["keys"] {
  return {
    ...(password === undefined ? {} : { password }),
    ...(identity === undefined ? {} : { identity }),
  };
}

function wishesOf(
  input: Input<"addGet">,
): Pick<TransferRecord, "keys" | "seed" | "wait" | "profile" | "accept"> {
  const { seed, wait, profile, accept } = input;
  return { keys: keysGiven(input), seed, wait, profile, accept };
}

/** With a read link of the same share, where only a locked one was known. Raises E_OTHER_PACK for one that merely names the same pack. */
function betterLink(record: TransferRecord, link: ShareLink): TransferRecord {
  if (record.link === null || link.kind !== "read") return record;
  const known = parseLink(record.link);
  if (known.kind === "read") return record;
  if (!topicSecret(link).equals(topicSecret(known))) {
    throw new BackroomError("E_OTHER_PACK", "the link is that of another share of the same pack");
  }
  const { name, filesBytes } = link;
  return {
    ...record,
    link: formatLink(link),
    kind: "read",
    name: record.name === "" ? (name ?? "") : record.name,
    size: record.size ?? filesBytes ?? null,
  };
}

function pictureOf(pieceCount: number, has: (piece: number) => boolean): number[] {
  const parts = Math.min(MAP_PARTS, pieceCount);
  return Array.from({ length: parts }, (_, part) => {
    const from = Math.floor((part * pieceCount) / parts);
    const to = Math.floor(((part + 1) * pieceCount) / parts);
    let there = 0;
    for (let piece = from; piece < to; piece++) if (has(piece)) there++;
    return Math.floor((100 * there) / (to - from));
  });
}

/** Of the file system that the folder is on, or will be; null where it does not say. */
async function freeBytesAt(wanted: string): Promise<number | null> {
  for (let at = path.resolve(wanted); ; at = path.dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch {
      if (path.dirname(at) === at) return null;
    }
  }
}

function isOver(state: TransferState): state is "paused" | "done" | "failed" {
  return OVER.includes(state as StoredState);
}

function notHeld(): BackroomError {
  return new BackroomError("E_NOT_HELD", "nothing of the pack is here");
}
