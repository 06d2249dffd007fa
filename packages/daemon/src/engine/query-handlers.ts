import { statfs } from "node:fs/promises";
import path from "node:path";
import type { Handlers, Input } from "@backroom/api/routes.ts";
import type { TransferState } from "@backroom/api/schemas/transfer.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { formatLink, lockedLink, parseLink } from "@backroom/core/link/link.ts";
import { readNetwork } from "@backroom/core/node/networks.ts";
import { readState, packPaths } from "@backroom/core/store/store-files.ts";
import type { StoredState } from "../catalogue/catalogue.ts";
import { infoOf } from "./packs.ts";
import type { ShareFiles } from "./share-content.ts";
import type { Transfers } from "./transfers.ts";

type Names = "listTransfers" | "getTransfer" | "files" | "pieces" | "notes" | "links" | "inspectLink";

const OVER: readonly StoredState[] = ["paused", "done", "failed"];
/** Parts of the picture of a pack. */
const MAP_PARTS = 512;

/** What can be asked about transfers and links; changes nothing. */
export function queryHandlers(transfers: Transfers, files: ShareFiles): Pick<Handlers, Names> {
  const { catalogue, folder, settings } = transfers.context;

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
    getTransfer: async ({ id }) => transfers.view(id),
    files: (input, { signal }) => files.list(input, signal),
    pieces,
    notes: async ({ id }) => ({ notes: catalogue.notes.list(transfers.record(id).id) }),
    links,
    inspectLink,
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
