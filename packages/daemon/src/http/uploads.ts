import { constants } from "node:fs";
import { mkdir, open, readdir, rename, rm, statfs } from "node:fs/promises";
import path from "node:path";
import type { Handlers } from "@backroom/api/routes.ts";
import type { Clock } from "@backroom/core/base/clock.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { Random } from "@backroom/core/base/random.ts";
import { withStoreErrors } from "@backroom/core/store/store-error.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Part } from "../context.ts";
import { newId } from "../new-id.ts";
import { UPLOADS_FOLDER } from "../uploads-folder.ts";
import { patient, writeAll } from "./upload-bytes.ts";
import { addPath, takeUp, uploadIn, type Upload } from "./upload-folder.ts";

const SWEEP_MS = 60_000;
/** O_NOFOLLOW does not exist on Windows, where O_EXCL refuses links, too. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

export interface UploadDeps {
  /** The data folder. */
  readonly root: string;
  readonly catalogue: Pick<Catalogue, "get" | "list">;
  readonly addShare: Handlers["addShare"];
  readonly clock: Clock;
  readonly random: Random;
  /** Bytes that are free where the folder lies; for tests. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

type Names = "beginUpload" | "uploadFile" | "shareUpload" | "dropUpload";

/** Uploads, and what a test or a timer asks of them. */
export interface Uploads extends Part<Names> {
  /** Removes what was abandoned, and what has been sealed. */
  sweep(): Promise<void>;
}

/**
 * Shares whose files are sent to the daemon. Their names are checked like those of a pack that somebody else made, since a page may be made to send
 * anything. Takes up what an earlier run was sealing, and removes all else that it left. Raises E_STORE.
 */
export async function openUploads(deps: UploadDeps): Promise<Uploads> {
  const { clock, random, catalogue } = deps;
  const root = path.join(deps.root, UPLOADS_FOLDER);
  const uploads = new Map<string, Upload>();
  await withStoreErrors("the folder for uploads cannot be used", () =>
    mkdir(root, { recursive: true, mode: 0o700 }),
  );
  await takeUp(root, { catalogue, random, nowMs: clock.nowMs() }, uploads);

  const removeFolder = async (id: string, upload: Upload): Promise<void> => {
    upload.isClosed = true;
    uploads.delete(id);
    await rm(upload.folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const isDone = ({ transferId, busy, touchedMs }: Upload): boolean => {
    if (transferId === null) return busy.size === 0 && clock.nowMs() - touchedMs >= LIMITS.uploadIdleMs;
    const transfer = catalogue.get(transferId);
    // Not before it has its link: until then a pack that a kill has left without its place is sealed again.
    return transfer === undefined || transfer.link !== null;
  };
  let sweeping = Promise.resolve();
  const sweep = (): Promise<void> => {
    sweeping = sweeping.then(async () => {
      for (const [id, upload] of uploads) {
        // What cannot be removed now is removed when the daemon begins the next time.
        if (isDone(upload)) await removeFolder(id, upload).catch(() => {});
      }
    });
    return sweeping;
  };
  const later = (): (() => void) =>
    clock.after(SWEEP_MS, () => {
      cancel = later();
      void sweep();
    });
  let cancel = later();

  /** Raises E_NO_UPLOAD. */
  const find = (id: string): Upload => {
    const upload = uploads.get(id);
    if (upload === undefined || upload.isClosed)
      throw new BackroomError("E_NO_UPLOAD", "there is no such upload");
    upload.touchedMs = clock.nowMs();
    return upload;
  };
  const totalBytes = (): number => {
    let total = 0;
    for (const { bytes } of uploads.values()) total += bytes;
    return total;
  };
  const freeBytes = deps.freeBytes ?? freeBytesOf;
  /** Raises E_TOO_LARGE or E_DISK_FULL unless so many bytes have room beside the `written` ones of the same file. */
  const checkRoom = async (more: number, written = 0): Promise<void> => {
    if (totalBytes() + written + more > LIMITS.uploadBytes) {
      throw new BackroomError("E_TOO_LARGE", "there is more in uploads than they may hold together");
    }
    if ((await freeBytes(root)) - more < LIMITS.uploadFreeBytes) {
      throw new BackroomError("E_DISK_FULL", "the upload does not fit on the disk", {
        fix: "make room, or share the files where they lie: backroom share PATH",
      });
    }
  };

  return {
    sweep,
    handlers: {
      beginUpload: async () => {
        const open = [...uploads.values()].filter(({ transferId }) => transferId === null);
        if (open.length >= LIMITS.uploads)
          throw new BackroomError("E_BUSY", "too many uploads are under way");
        const id = newId(random);
        const folder = path.join(root, id);
        await withStoreErrors("the folder of an upload could not be made", async () => {
          await mkdir(folder, { mode: 0o700 });
          await mkdir(path.join(folder, "tree"), { mode: 0o700 });
        });
        uploads.set(id, uploadIn(folder, random, clock.nowMs()));
        return { id };
      },

      uploadFile: async ({ id, path: name, length, mtimeMs }, { stream, signal }) => {
        const upload = find(id);
        addPath(upload, name);
        if (upload.busy.has(name)) throw new BackroomError("E_REQUEST", "that file is being sent already");
        upload.busy.add(name);
        const aside = path.join(upload.folder, newId(random));
        try {
          await checkRoom(length ?? 0);
          const size = await withStoreErrors("a file of an upload could not be written", async () => {
            const handle = await open(aside, NEW_FILE, 0o600);
            try {
              const written = await writeAll(handle, patient(stream, clock, signal), checkRoom);
              if (length !== undefined && written !== length) {
                throw new BackroomError("E_REQUEST", "fewer or more bytes came than were announced");
              }
              if (mtimeMs !== undefined) await handle.utimes(mtimeMs / 1000, mtimeMs / 1000);
              return written;
            } finally {
              await handle.close();
            }
          });
          find(id);
          const place = path.join(upload.folder, "tree", ...name.split("/"));
          await withStoreErrors("a file of an upload could not be put in its place", async () => {
            await mkdir(path.dirname(place), { recursive: true, mode: 0o700 });
            await rename(aside, place);
          });
          upload.bytes += size - (upload.known.get(name) ?? 0);
          upload.known.set(name, size);
          return { size };
        } finally {
          upload.busy.delete(name);
          upload.touchedMs = clock.nowMs();
          await rm(aside, { force: true });
        }
      },

      shareUpload: async ({ id, ...seal }, context) => {
        const upload = find(id);
        if (upload.busy.size > 0)
          throw new BackroomError("E_REQUEST", "files of the upload are still being sent");
        // At once: whoever asks twice shares it once.
        upload.isClosed = true;
        try {
          const tree = path.join(upload.folder, "tree");
          const names = await readdir(tree);
          if (names.length === 0) throw new BackroomError("E_REQUEST", "nothing was sent");
          const paths = names.toSorted().map((name) => path.join(tree, name));
          const transfer = await deps.addShare({ ...seal, paths }, context);
          upload.transferId = transfer.id;
          return transfer;
        } catch (error) {
          upload.isClosed = false;
          throw error;
        }
      },

      dropUpload: async ({ id }) => {
        await removeFolder(id, find(id));
        return {};
      },
    },
    close: async () => cancel(),
  };
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await withStoreErrors("the free space is not known", () => statfs(folder));
  return bavail * bsize;
}
