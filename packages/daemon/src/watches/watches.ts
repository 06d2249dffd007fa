import { watch as watchFolder } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { Answer, Input } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import type { WatchedShare, WatchRecord } from "../catalogue/catalogue.ts";
import type { DaemonContext, Part } from "../context.ts";
import { isIn } from "../is-in.ts";
import { newId } from "../new-id.ts";
import { realFolder } from "./real-folder.ts";
import { lookAtFolder, liesIn } from "./look-at-folder.ts";
import { WatchLogic, type FolderLook, type Landed } from "./watch-logic.ts";
import { Watcher } from "./watcher.ts";

/** Each is looked at every half a minute. */
const MOST_WATCHES = 32;
/** In place of a transfer: it was there before the watch, and is left alone. */
const LEFT_ALONE = "";

type Names = "listWatches" | "addWatch" | "removeWatch";

export interface WatchesDeps {
  /** Shares these files and folders; `signal` is aborted when the daemon ends. Raises as the operation of that name. */
  addShare(input: Input<"addShare">, signal: AbortSignal): Promise<{ readonly id: string }>;
}

/** Folders that share what lands in them, from the moment at which they are watched. */
export function createWatches(context: DaemonContext, deps: WatchesDeps): Part<Names> {
  const { catalogue, machine, folder: dataFolder, settings, events, log } = context;
  const { clock, random } = machine;
  const watchers = new Map<string, Watcher>();
  const ending = new AbortController();
  for (const record of catalogue.watches.list()) start(record, catalogue.watches.shares(record.id));

  function start(record: WatchRecord, done: ReadonlyMap<string, WatchedShare>): void {
    // What was shared by a daemon that was killed before it had kept that; after the first look nothing can be.
    let leftovers: Map<string, Leftover> | undefined;
    const logic = new WatchLogic([...done].map(([name, { seen }]) => [name, seen]));
    const look = async (): Promise<FolderLook> => lookAtFolder(record.folder);
    const share = async (landed: Landed): Promise<boolean> => {
      leftovers ??= unkept(record, done);
      if (!(await liesIn(record.folder, landed.name))) return false;
      const leftover = leftovers.get(landed.name);
      leftovers.delete(landed.name);
      const transfer =
        (await transferOf(record, landed.name, leftover)) ?? (await shareAnew(record, landed.name));
      // The watch may have been removed meanwhile.
      if (watchers.has(record.id)) {
        catalogue.watches.putShare(record.id, landed.name, { seen: landed.seen, transfer });
      }
      return true;
    };
    watchers.set(
      record.id,
      new Watcher({
        clock,
        log,
        logic,
        name: record.folder,
        look,
        share,
        signs: (onSign) => signsOf(record.folder, onSign),
        notice: (level, text) => events.publish({ name: "notice", data: { level, text, transfer: null } }),
      }),
    );
  }

  async function shareAnew({ folder, profile }: WatchRecord, name: string): Promise<string> {
    const input: Input<"addShare"> = { paths: [path.join(folder, name)], profile, accept: [] };
    const { id } = await deps.addShare(input, ending.signal);
    return id;
  }

  /** Shares of single things in the folder that the catalogue has and the watch does not know, by name. */
  function unkept(
    { folder, createdMs }: WatchRecord,
    done: ReadonlyMap<string, WatchedShare>,
  ): Map<string, Leftover> {
    const known = new Set([...done.values()].map(({ transfer }) => transfer));
    const found = new Map<string, Leftover>();
    let after: string | undefined;
    do {
      const page = catalogue.list({ role: "share", after, limit: 1_000 });
      for (const { id: transfer, inputs, createdMs: sharedMs } of page.transfers) {
        const [input] = inputs;
        const isOurs = inputs.length === 1 && input !== undefined && path.dirname(input) === folder;
        if (isOurs && sharedMs >= createdMs && !known.has(transfer))
          found.set(path.basename(input), { transfer, sharedMs });
      }
      after = page.next ?? undefined;
    } while (after !== undefined);
    if (found.size > 0)
      log("info", "shares of a watched folder were found again", { shareCount: found.size });
    return found;
  }

  async function add({ folder: given, profile }: Input<"addWatch">): Promise<Answer<"addWatch">> {
    const folder = await usableFolder(given);
    const others = catalogue.watches.list();
    if (others.length >= MOST_WATCHES) {
      throw new BackroomError("E_WATCH", `${MOST_WATCHES} folders are watched already`, {
        why: "each of them is looked at all the time",
        fix: "watch one folder less first: backroom watch rm ID",
      });
    }
    if (others.some((other) => other.folder === folder)) {
      throw new BackroomError("E_WATCH", "the folder is watched already");
    }
    const record = { id: newId(random), folder, profile, createdMs: clock.nowMs() };
    const there = await lookAtFolder(folder);
    const done = new Map<string, WatchedShare>();
    for (const [name, seen] of there) done.set(name, { seen, transfer: LEFT_ALONE });
    catalogue.together(() => {
      catalogue.watches.put(record);
      for (const [name, share] of done) catalogue.watches.putShare(record.id, name, share);
    });
    start(record, done);
    return answerOf(record, done);
  }

  /** With all links resolved. Raises E_WATCH. */
  async function usableFolder(given: string): Promise<string> {
    if (!path.isAbsolute(given))
      throw new BackroomError("E_WATCH", "the folder is not named by an absolute path");
    const folder = await realFolder(given);
    const own = await resolved(dataFolder.root);
    if (isIn(own, folder) || isIn(folder, own)) {
      throw new BackroomError("E_WATCH", "Backroom's own data lies there", {
        why: "this computer's keys and links would be shared",
      });
    }
    if (isIn(await resolved(settings.get("downloads.folder")), folder)) {
      throw new BackroomError("E_WATCH", "downloads go there", {
        why: "whatever is fetched would be shared once more, half finished or whole",
      });
    }
    return folder;
  }

  function remove(id: string): void {
    const watcher = watchers.get(id);
    if (watcher === undefined) throw new BackroomError("E_NO_WATCH", "there is no such watch");
    catalogue.watches.remove(id);
    watcher.close();
    watchers.delete(id);
  }

  return {
    handlers: {
      listWatches: async () => ({
        watches: catalogue.watches
          .list()
          .map((record) => answerOf(record, catalogue.watches.shares(record.id))),
      }),
      addWatch: add,
      removeWatch: async ({ id }) => {
        remove(id);
        return {};
      },
    },
    async close() {
      ending.abort();
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

interface Leftover {
  readonly transfer: string;
  readonly sharedMs: number;
}

/** The leftover's, where the thing has not changed since. */
async function transferOf(
  { folder }: WatchRecord,
  name: string,
  leftover: Leftover | undefined,
): Promise<string | undefined> {
  if (leftover === undefined) return undefined;
  const { mtimeMs } = await stat(path.join(folder, name));
  return mtimeMs <= leftover.sharedMs ? leftover.transfer : undefined;
}

function answerOf(record: WatchRecord, shares: ReadonlyMap<string, WatchedShare>): Answer<"addWatch"> {
  const sharedCount = [...shares.values()].filter(({ transfer }) => transfer !== LEFT_ALONE).length;
  return { ...record, sharedCount };
}

/** Where the system gives no signs, as of a disk of another computer, or not of so many folders, looking now and then has to do. */
function signsOf(folder: string, onSign: () => void): () => void {
  try {
    const watcher = watchFolder(folder, { persistent: false }, onSign);
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}

async function resolved(folder: string): Promise<string> {
  return realpath(folder).catch(() => path.resolve(folder));
}
