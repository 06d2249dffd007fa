import { z } from "zod";
import { FILE_PRIORITIES, NOTE_KINDS, TRANSFER_ROLES, TRANSFER_STATES, WAITS } from "../words.ts";
import { ByteCount, Count, ErrorCode, Failure, Id, Path, Rate, TimeMs } from "./common.ts";

/** Profiles of a path (PROTOCOL 7.5): relays on each side of the gate, two or three. */
export const Profile = z.enum(["standard", "strong"]);

/**
 * What a transfer does just now.
 *
 * - `queued`: waits for its turn · `sealing`: files are read into a pack · `joining`: the network is being joined
 * - `looking`: nobody who has it is connected; `waits` says for what · `choosing`: its files are known, and none of them is chosen
 * - `downloading` · `opening`: pieces become files
 * - `seeding`: handed out · `paused`: by a person · `done`: a download that is not handed out · `failed`: `failure` says why
 */
export const TransferState = z.enum(TRANSFER_STATES);
export type TransferState = z.infer<typeof TransferState>;

/** `share`: made here. `get`: fetched and opened. `mirror`: fetched, stored and handed out without being opened. */
export const TransferRole = z.enum(TRANSFER_ROLES);

const WaitCode = z.union([z.enum(WAITS), ErrorCode]);

export const Transfer = z.object({
  id: Id,
  role: TransferRole,
  state: TransferState,
  /** From the sharer, shown as text only. Empty where a locked link does not say. */
  name: z.string(),
  /** Of the link: `locked` says that it opens with a password or somebody's key only. Null until sealed. */
  kind: z.enum(["read", "locked"]).nullable(),
  profile: Profile,
  fileCount: Count.nullable(),
  /** Of all files of the share. */
  size: ByteCount.nullable(),
  /** Of the files that are chosen, which may be a part: `size` where none is skipped. Null while that is not known. */
  chosenSize: ByteCount.nullable(),
  packLength: ByteCount.nullable(),
  /** Of the pack, or of what is wanted of it where files are skipped: sealed, fetched, checked or opened, as the state says. */
  doneBytes: ByteCount,
  totalBytes: ByteCount,
  downloadRate: Rate,
  uploadRate: Rate,
  /** Payload over the transfer's whole life. */
  downloadedBytes: ByteCount,
  uploadedBytes: ByteCount,
  peerCount: Count,
  /** Gates at which the share can be found now. */
  gateCount: Count,
  /** Of the seconds that are left, or null where nothing can be said. */
  secondsLeft: Count.nullable(),
  /** Where files went or will go; null for shares and mirrors. */
  output: Path.nullable(),
  /** What was put there: absolute paths of the topmost files and folders. */
  paths: z.array(Path),
  /**
   * What is being waited for, as a sentence for people, and what may help; null where nothing is. `code` is that of an error, or a word for what is none:
   * `WAIT_SEALING` and `WAIT_DOWNLOAD` its turn, `WAIT_CHOICE` files to be chosen, `WAIT_SEEDER` and `WAIT_GATE` somebody, `WAIT_ROUND` its turn to be found.
   */
  waits: z.object({ code: WaitCode, why: z.string(), fix: z.string() }).nullable(),
  failure: Failure.nullable(),
  /** Files that were left out when sealing, since they could not be shared. */
  leftOutCount: Count,
  /** Files that were chosen not to be fetched; 0 while it is not known which files there are. */
  skippedCount: Count,
  createdMs: TimeMs,
  finishedMs: TimeMs.nullable(),
});
export type Transfer = z.infer<typeof Transfer>;

export const TransferPage = z.object({
  transfers: z.array(Transfer),
  /** To be given as `after` for what follows; null at the end. */
  next: z.string().nullable(),
  total: Count,
});

export const ListQuery = z.object({
  state: TransferState.optional(),
  role: TransferRole.optional(),
  /** Part of a name, in any case, or how an id begins. */
  search: z.string().max(255).optional(),
  after: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
});

/** Who can open a share: everybody with the link, or who knows a password, or some people. */
const SealFor = {
  name: z.string().min(1).max(255).optional(),
  password: z.string().min(1).max(1024).optional(),
  recipients: z.array(z.string().max(4096)).max(100).optional(),
  profile: Profile.default("standard"),
};

/** What a person accepts so that a network can be joined where less than usual is hidden from somebody. */
const Accept = z.array(z.enum(["few-sources", "link-relays", "dht"])).default([]);

export const NewShare = z.object({
  paths: z.array(Path).min(1).max(10_000),
  ...SealFor,
  accept: Accept,
});
export const NewUploadedShare = z.object({ ...SealFor, accept: Accept });

/** `skip`: not fetched. `low`, `normal`, `high`: in this order, the last one first. Files that nothing was said of are `normal`. */
const FilePriority = z.enum(FILE_PRIORITIES);

const FileChoice = z.strictObject({
  /** Of a file, or of a folder with all that is beneath it, with or without the one folder that all of the share lies in; empty for everything. */
  path: z.string().max(4096),
  priority: FilePriority,
});
/** Later ones beat earlier ones. */
const Choices = z.array(FileChoice).max(10_000);
export const FileChoices = z.object({ choices: Choices });

export const NewGet = z.object({
  link: z.string().min(1).max(4096),
  /** The folder that the files are put into; the setting `downloads.folder` by default. */
  output: Path.optional(),
  /** For a locked link. */
  password: z.string().min(1).max(1024).optional(),
  /** An age key file's content, for a share sealed to people. */
  identity: z.string().max(65_536).optional(),
  /** Store and hand out without opening. */
  mirror: z.boolean().default(false),
  /** Hand it out once it is there. */
  seed: z.boolean().default(false),
  /** Wait for as long as it takes until somebody has it, instead of failing after a while. */
  wait: z.boolean().default(false),
  /**
   * Which files are fetched; absent: all. `skip` for everything fetches the list of files alone, and then waits in `choosing`. A path that the share does not
   * hold is looked for below the one folder that all of it lies in, if there is one. Where the share is being fetched already, or its files are where they
   * were put, these come beside those that were chosen before.
   */
  choices: Choices.optional(),
  profile: Profile.default("standard"),
  accept: Accept,
});

export const RemoveQuery = z.object({
  /** What became of a download stays in any case. `true` keeps the pack, too. */
  keepPack: z.stringbool().default(false),
});

export const FileEntry = z.object({
  /** Inside the share, with `/`. Chosen by the sharer: shown as text only. */
  path: z.string(),
  size: ByteCount,
  mtimeMs: z.int().nullable(),
  /** Bytes of it that can be read by now. */
  doneBytes: ByteCount,
  priority: FilePriority,
});
export const FilePage = z.object({ files: z.array(FileEntry), next: z.string().nullable(), total: Count });
export const FilesQuery = z.object({
  after: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
});

/** Pieces that are there, for a picture: `map` has one number from 0 (nothing) to 100 (all) for each of up to 512 equal parts of the pack. */
export const PieceMap = z.object({
  pieceCount: Count,
  haveCount: Count,
  pieceLength: ByteCount,
  map: z.array(z.int().min(0).max(100)).max(512),
});

export const Relocation = z.object({ output: Path });

export const OpenRequest = z.object({
  output: Path.optional(),
  password: z.string().min(1).max(1024).optional(),
  identity: z.string().max(65_536).optional(),
  /** A read link of the same share, where this transfer has only a locked one. */
  link: z.string().max(4096).optional(),
});

/**
 * What happened to a transfer.
 *
 * - `begun`, `again`: asked for, and once more · `restarted`: went on when the daemon was started anew
 * - `sealed`, `linked`: its files became a pack, which got its link · `given`: somebody fetched from this computer, for the first time
 * - `found`, `alone`: somebody who has it was connected, or nobody is any more
 * - `stored`, `opened`: the pack is here whole; its files are where they belong · `mended`: what was damaged came from others
 * - `checked`, `paused`, `resumed`, `moved`: as somebody wished · `failed`: `text` says why · `said`: `text` is all that there is to it
 */
export const NoteKind = z.enum(NOTE_KINDS);
export type NoteKind = z.infer<typeof NoteKind>;

export const TransferNote = z.object({
  /** Among the transfer's own: a later one has a greater one. */
  number: Count,
  atMs: TimeMs,
  level: z.enum(["note", "warn"]),
  kind: NoteKind,
  /** Of the error, where it failed by one; null elsewhere. */
  code: ErrorCode.nullable(),
  /** A sentence for people, in English. */
  text: z.string(),
});
export type TransferNote = z.infer<typeof TransferNote>;
/** The oldest first; of many, the last. */
export const TransferNotes = z.object({ notes: z.array(TransferNote) });
