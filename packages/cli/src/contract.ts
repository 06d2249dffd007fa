import { z } from "zod";
import { ByteCount, Count, ErrorCode, Failure, Id, Path, Rate } from "@backroom/api/schemas/common.ts";
import {
  DaemonStatus,
  DoctorReport,
  LimitsStatus,
  MadeToken,
  SettingEntry,
  SettingList,
  TokenList,
} from "@backroom/api/schemas/daemon.ts";
import { TransferLinks } from "@backroom/api/schemas/link.ts";
import {
  Invite,
  NetworkEntry,
  NetworkList,
  NetworkStatus,
  RelayStatus,
  Watch,
  WatchList,
} from "@backroom/api/schemas/network.ts";
import { FileEntry, Transfer, TransferNote } from "@backroom/api/schemas/transfer.ts";

/**
 * What `--json` writes, for programs: docs/CLI.md is made from these shapes, and a test holds every command to them. Commands take the types alone, so
 * that no start waits for the schemas.
 */

/** Null where the command worked without a daemon. */
const TransferId = Id.nullable().meta({ description: "the transfer, or null where no daemon has one" });
const Paths = z.array(z.string()).meta({ description: "what was put into the folder" });

/** Whatever a command says before its result. */
export const EVENTS = {
  progress: z.object({
    label: z.enum(["Sealing", "Downloading", "Opening", "Checking"]),
    done: ByteCount,
    total: ByteCount,
    rate: Rate,
    secondsLeft: z.number().nullable(),
  }),
  warning: z.object({ text: z.string() }),
  begun: z.object({ id: Id }).meta({ description: "the daemon has the transfer from here on" }),
  waiting: z
    .object({ code: z.string(), why: z.string(), fix: z.string() })
    .meta({ description: "nothing moves now, and why; told again when the reason is another one" }),
  transfer: Transfer.meta({ description: "one row of `ls`" }),
  file: FileEntry.meta({ description: "one row of `files`" }),
  relays: z.object({ known: Count }).meta({ description: "relays in the table, whenever it changes" }),
  ready: z
    .object({
      port: Count,
      nodeKey: z.string().meta({ description: "hex" }),
      invite: z.string().nullable().meta({ description: "null: no relay is known yet" }),
      reachable: z.boolean().meta({ description: "others dial it" }),
      hosts: Count.meta({ description: "where not: how many relays keep its channels" }),
      gate: z.boolean(),
    })
    .meta({ description: "the relay runs" }),
  sibling: z
    .object({ number: Count, port: Count, nodeKey: z.string() })
    .meta({ description: "a further relay of `--processes` runs; counted from 2" }),
  standing: z
    .object({ reachable: z.boolean(), hosts: Count })
    .meta({ description: "as in `ready`, whenever it changes" }),
  relaying: z
    .object({ relaysKnown: Count, circuits: Count, guests: Count, carriedBytes: ByteCount })
    .meta({ description: "every minute and at the end" }),
  seeding: z
    .object({ gates: Count, peers: Count, uploadedBytes: ByteCount, rate: Rate })
    .meta({ description: "every second while this process hands out" }),
  error: z
    .object({ code: ErrorCode, exit: Count, what: z.string(), why: z.string(), try: z.string() })
    .meta({ description: "always the last line" }),
} as const;
export type EventName = keyof typeof EVENTS;

const Shown = z.object({
  shownCount: Count.meta({ description: "rows above" }),
  total: Count.meta({ description: "rows there are" }),
});
const Changed = z.object({ transfers: z.array(Transfer) });
const Sealed = {
  kind: z.enum(["read", "locked"]),
  fileCount: Count,
  size: ByteCount,
  packLength: ByteCount,
  leftOutCount: Count,
};
const Opened = {
  paths: Paths,
  fileCount: Count.meta({ description: "those that were chosen" }),
  size: ByteCount.meta({ description: "bytes of those" }),
  shareFileCount: Count.meta({ description: "all that the share holds" }),
  shareSize: ByteCount.meta({ description: "bytes of those" }),
  name: z.string(),
};
const CreatedNetwork = NetworkEntry.extend({
  invite: z.string().optional().meta({ description: "not with `--no-run`" }),
});

/** The result of each command, by its words. Null: it runs until it is stopped and has none. */
export const RESULTS = {
  share: z.object({ id: TransferId, link: z.string(), lockedLink: z.string(), name: z.string(), ...Sealed }),
  get: z.object({
    id: TransferId,
    ...Opened,
    fetchedBytes: ByteCount.meta({ description: "from peers; little where an earlier run was stopped" }),
  }),
  mirror: z.object({ id: Id, name: z.string(), packLength: ByteCount, fetchedBytes: ByteCount }),
  ls: Shown,
  info: Transfer.extend({ notes: z.array(TransferNote) }),
  files: Shown,
  link: TransferLinks,
  page: z.object({ url: z.string().meta({ description: "lets in whoever opens it first, once" }) }),
  open: z.object({ id: TransferId, ...Opened }),
  pause: Changed,
  resume: Changed,
  recheck: Changed,
  relocate: Transfer,
  rm: z.object({ removed: z.array(Id) }),
  "watch add": Watch,
  "watch list": WatchList,
  "watch rm": z.object({ removed: z.array(Id) }),
  limit: LimitsStatus,
  "schedule list": LimitsStatus,
  "schedule add": LimitsStatus,
  "schedule rm": LimitsStatus,
  "net status": NetworkStatus,
  "net list": NetworkList,
  "net create": CreatedNetwork,
  "net run": CreatedNetwork,
  "net join": NetworkEntry,
  "net use": NetworkEntry,
  "net lan": z.object({ lan: z.boolean().meta({ description: "whether the local network is asked" }) }),
  "relay status": RelayStatus,
  "relay auto": RelayStatus,
  "relay on": RelayStatus,
  "relay off": RelayStatus,
  "relay run": null,
  invite: Invite,
  proxy: z.object({
    place: z.string().nullable().meta({ description: "`address:port`, or null for none" }),
    hasLogin: z.boolean(),
  }),
  "daemon run": null,
  "daemon start": z.object({
    started: z.boolean().meta({ description: "false: it ran already" }),
    pid: Count,
    page: z.string().nullable().meta({ description: "its address, or null where none is served" }),
  }),
  "daemon stop": z.object({ stopped: z.boolean().meta({ description: "false: none ran" }) }),
  "daemon status": DaemonStatus,
  "daemon logs": z.object({ line: z.string().meta({ description: "of the log; a result for each" }) }),
  "service install": z.object({ file: z.string(), text: z.string(), installed: z.boolean() }),
  "service remove": z.object({
    file: z.string(),
    removed: z.boolean().meta({ description: "false: there was none" }),
  }),
  "token add": MadeToken,
  "token list": TokenList,
  "token rm": z.object({ removed: z.array(Id) }),
  "config list": SettingList,
  "config get": SettingEntry,
  "config set": SettingEntry,
  "config unset": SettingEntry,
  "config path": z.object({ file: Path }),
  doctor: DoctorReport,
  seal: z.object({ link: z.string(), output: Path, ...Sealed }),
  completion: z.object({ shell: z.string(), script: z.string() }),
  demo: z.object({
    identical: z.boolean(),
    met: z.boolean(),
    killed: z.string().meta({ description: "the relay" }),
    seconds: z.number().meta({ description: "of the download" }),
    totalSeconds: z.number(),
    rate: z.number(),
    measured: z.boolean(),
    pairs: z.array(z.tuple([z.string(), z.string()])).meta({ description: "who had a connection with whom" }),
    datagramUsers: z.array(z.string()),
  }),
} as const satisfies Record<string, z.ZodObject | null>;
export type CommandPath = keyof typeof RESULTS;

/** A command's result as its code builds it. */
export type Result<Path extends CommandPath> = (typeof RESULTS)[Path] extends z.ZodObject
  ? z.output<(typeof RESULTS)[Path]>
  : never;

void [DaemonStatus, DoctorReport, SettingEntry, SettingList, Failure];
