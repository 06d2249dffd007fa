import { z } from "zod";
import { PLACES, type Place } from "./places.ts";
import { Empty, Id } from "./schemas/common.ts";
import * as daemon from "./schemas/daemon.ts";
import * as link from "./schemas/link.ts";
import * as network from "./schemas/network.ts";
import * as transfer from "./schemas/transfer.ts";

/**
 * One operation of the API. From this table come the daemon's routing and validation, the client's types, the OpenAPI document and the reference page.
 * `{id}` and its kin in `path` are named by `params`. `body: "stream"` takes bytes as they come instead of JSON.
 */
export interface Route extends Place {
  /** Null: needs no token, since what is sent proves enough. */
  readonly scope: daemon.Scope | null;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject | "stream";
  readonly answer: z.ZodObject;
}

const byId = z.object({ id: Id });

export const ROUTES = {
  status: route({
    ...PLACES.status,
    scope: "read",
    summary: "The daemon and its totals",
    answer: daemon.DaemonStatus,
  }),
  stop: route({
    ...PLACES.stop,
    scope: "admin",
    summary: "Stop the daemon",
    body: Empty,
    answer: Empty,
  }),
  logs: route({
    ...PLACES.logs,
    scope: "admin",
    summary: "The last lines of the log",
    query: daemon.LogQuery,
    answer: daemon.LogLines,
  }),

  listTransfers: route({
    ...PLACES.listTransfers,
    scope: "read",
    summary: "Transfers, newest first",
    query: transfer.ListQuery,
    answer: transfer.TransferPage,
  }),
  getTransfer: route({
    ...PLACES.getTransfer,
    scope: "read",
    summary: "One transfer",
    params: byId,
    answer: transfer.Transfer,
  }),
  addShare: route({
    ...PLACES.addShare,
    scope: "write",
    summary: "Seal files and folders of this computer, and hand them out",
    body: transfer.NewShare,
    answer: transfer.Transfer,
  }),
  addGet: route({
    ...PLACES.addGet,
    scope: "write",
    summary: "Fetch what a link names",
    body: transfer.NewGet,
    answer: transfer.Transfer,
  }),
  pause: route({
    ...PLACES.pause,
    scope: "write",
    summary: "Stop fetching and handing out until resumed",
    params: byId,
    body: Empty,
    answer: transfer.Transfer,
  }),
  resume: route({
    ...PLACES.resume,
    scope: "write",
    summary: "Go on, also after a failure",
    params: byId,
    body: Empty,
    answer: transfer.Transfer,
  }),
  remove: route({
    ...PLACES.remove,
    scope: "write",
    summary: "Forget a transfer and its pack; fetched files stay",
    params: byId,
    query: transfer.RemoveQuery,
    answer: Empty,
  }),
  recheck: route({
    ...PLACES.recheck,
    scope: "write",
    summary: "Verify every piece on disk",
    params: byId,
    body: Empty,
    answer: transfer.Transfer,
  }),
  relocate: route({
    ...PLACES.relocate,
    scope: "write",
    summary: "Move fetched files to another folder",
    params: byId,
    body: transfer.Relocation,
    answer: transfer.Transfer,
  }),
  openTransfer: route({
    ...PLACES.openTransfer,
    scope: "write",
    summary: "Open a stored pack into files",
    params: byId,
    body: transfer.OpenRequest,
    answer: transfer.Transfer,
  }),
  files: route({
    ...PLACES.files,
    scope: "read",
    summary: "The files of a share, as far as its index is there",
    params: byId,
    query: transfer.FilesQuery,
    answer: transfer.FilePage,
  }),
  chooseFiles: route({
    ...PLACES.chooseFiles,
    scope: "write",
    summary: "Choose which files of a share are fetched, and how soon; adds to what was chosen before",
    params: byId,
    body: transfer.FileChoices,
    answer: transfer.Transfer,
  }),
  pieces: route({
    ...PLACES.pieces,
    scope: "read",
    summary: "Which parts of the pack are there",
    params: byId,
    answer: transfer.PieceMap,
  }),
  notes: route({
    ...PLACES.notes,
    scope: "read",
    summary: "What happened to a transfer, kept as long as it is",
    params: byId,
    answer: transfer.TransferNotes,
  }),
  links: route({
    ...PLACES.links,
    scope: "links",
    summary: "The links of a share",
    params: byId,
    answer: link.TransferLinks,
  }),
  contentUrl: route({
    ...PLACES.contentUrl,
    scope: "read",
    summary: "A signed address on the content port for one file of a share",
    params: byId,
    body: daemon.ContentRequest,
    answer: daemon.ContentUrl,
  }),
  inspectLink: route({
    ...PLACES.inspectLink,
    scope: "read",
    summary: "What a link says, without asking the network",
    body: link.LinkText,
    answer: link.LinkFacts,
  }),

  beginUpload: route({
    ...PLACES.beginUpload,
    scope: "write",
    summary: "Begin a share whose files are sent here",
    body: Empty,
    answer: daemon.UploadMade,
  }),
  uploadFile: route({
    ...PLACES.uploadFile,
    scope: "write",
    summary: "Send one file's bytes",
    params: byId,
    query: daemon.UploadFileQuery,
    body: "stream",
    answer: daemon.UploadedFile,
  }),
  shareUpload: route({
    ...PLACES.shareUpload,
    scope: "write",
    summary: "Seal what was sent, and hand it out",
    params: byId,
    body: transfer.NewUploadedShare,
    answer: transfer.Transfer,
  }),
  dropUpload: route({
    ...PLACES.dropUpload,
    scope: "write",
    summary: "Throw away what was sent",
    params: byId,
    answer: Empty,
  }),

  listWatches: route({
    ...PLACES.listWatches,
    scope: "read",
    summary: "Folders that share what lands in them",
    answer: network.WatchList,
  }),
  addWatch: route({
    ...PLACES.addWatch,
    scope: "write",
    summary: "Watch a folder",
    body: network.NewWatch,
    answer: network.Watch,
  }),
  removeWatch: route({
    ...PLACES.removeWatch,
    scope: "write",
    summary: "Watch a folder no longer; its shares stay",
    params: byId,
    answer: Empty,
  }),

  network: route({
    ...PLACES.network,
    scope: "read",
    summary: "The network in use, its guards and circuits",
    answer: network.NetworkStatus,
  }),
  listNetworks: route({
    ...PLACES.listNetworks,
    scope: "read",
    summary: "Networks of this member",
    answer: network.NetworkList,
  }),
  joinNetwork: route({
    ...PLACES.joinNetwork,
    scope: "admin",
    summary: "Join a network through an invite",
    body: network.InviteText,
    answer: network.NetworkEntry,
  }),
  useNetwork: route({
    ...PLACES.useNetwork,
    scope: "admin",
    summary: "Make another network the one in use",
    body: network.NetworkName,
    answer: network.NetworkEntry,
  }),
  makeInvite: route({
    ...PLACES.makeInvite,
    scope: "links",
    summary: "An invite into the network in use",
    body: Empty,
    answer: network.Invite,
  }),
  relay: route({
    ...PLACES.relay,
    scope: "read",
    summary: "This computer's relay",
    answer: network.RelayStatus,
  }),
  setRelay: route({
    ...PLACES.setRelay,
    scope: "admin",
    summary: "Carry others' circuits, or do not",
    body: network.RelayChange,
    answer: network.RelayStatus,
  }),

  limits: route({
    ...PLACES.limits,
    scope: "read",
    summary: "Limits of speed and their schedule",
    answer: daemon.LimitsStatus,
  }),
  setLimits: route({
    ...PLACES.setLimits,
    scope: "write",
    summary: "Change limits or schedule",
    body: daemon.LimitsChange,
    answer: daemon.LimitsStatus,
  }),
  listSettings: route({
    ...PLACES.listSettings,
    scope: "read",
    summary: "Every setting, its value and where that comes from",
    answer: daemon.SettingList,
  }),
  setSetting: route({
    ...PLACES.setSetting,
    scope: "admin",
    summary: "Change a setting in the file",
    params: z.object({ key: z.string().max(64) }),
    body: daemon.SettingChange,
    answer: daemon.SettingEntry,
  }),
  doctor: route({
    ...PLACES.doctor,
    scope: "read",
    summary: "Look at the computer, the network and the data folder",
    body: Empty,
    answer: daemon.DoctorReport,
  }),

  listTokens: route({
    ...PLACES.listTokens,
    scope: "admin",
    summary: "Tokens, without their secrets",
    answer: daemon.TokenList,
  }),
  addToken: route({
    ...PLACES.addToken,
    scope: "admin",
    summary: "Make a token",
    body: daemon.NewToken,
    answer: daemon.MadeToken,
  }),
  removeToken: route({
    ...PLACES.removeToken,
    scope: "admin",
    summary: "Revoke a token",
    params: byId,
    answer: Empty,
  }),

  openPage: route({
    ...PLACES.openPage,
    scope: "admin",
    summary: "An address that opens the page with a session of its own, once",
    body: Empty,
    answer: daemon.PageUrl,
  }),
  beginSession: route({
    ...PLACES.beginSession,
    scope: null,
    summary: "Give the code of the page's address for a token",
    body: daemon.SessionCode,
    answer: daemon.MadeToken,
  }),
  endSession: route({
    ...PLACES.endSession,
    scope: "read",
    summary: "Revoke the token that this is asked with",
    answer: Empty,
  }),
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;

type Given<R, Part extends string, Else> =
  R extends Record<Part, infer S extends z.ZodType> ? (IsEmpty<S> extends true ? Else : z.output<S>) : Else;
type Sent<R, Part extends string> =
  R extends Record<Part, infer S extends z.ZodType>
    ? IsEmpty<S> extends true
      ? unknown
      : z.input<S>
    : unknown;
/** Of an object without fields the compiler says that it may have none at all, beside those of the path either. */
type IsEmpty<S> = S extends z.ZodObject<infer Shape> ? (keyof Shape extends never ? true : false) : false;

/** What a handler gets: params, query and body in one, validated, defaults filled in. Their names never collide (a test looks). */
export type Input<Name extends RouteName> = Given<(typeof ROUTES)[Name], "params", unknown> &
  Given<(typeof ROUTES)[Name], "query", unknown> &
  Given<(typeof ROUTES)[Name], "body", unknown>;
/** What a client gives: the same, where what has a default may be left out. */
export type Request<Name extends RouteName> = Sent<(typeof ROUTES)[Name], "params"> &
  Sent<(typeof ROUTES)[Name], "query"> &
  Sent<(typeof ROUTES)[Name], "body">;
export type Answer<Name extends RouteName> = z.output<(typeof ROUTES)[Name]["answer"]>;

/** Who asks, and how: what a handler may need besides its input. */
export interface CallContext {
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** The bytes of a route whose body is a stream; empty elsewhere. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** The token that it was asked with; null for the command line, which needs none. */
  readonly tokenId: string | null;
  /** The folder below which alone whoever asks may have files put; null: anywhere. */
  readonly reach: string | null;
  /** The host that the page was asked for under; null for the command line. */
  readonly host: string | null;
  /** The IP address that it came from; empty for the command line. */
  readonly address: string;
}

/** An application that answers the API: each part of the daemon implements some, and together they are complete. Raises BackroomError. */
export type Handlers = {
  readonly [Name in RouteName]: (input: Input<Name>, context: CallContext) => Promise<Answer<Name>>;
};

function route<const R extends Route>(definition: R): R {
  return definition;
}
