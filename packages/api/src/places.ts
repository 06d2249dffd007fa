/** Where each operation is asked for. Apart from `routes.ts` so that a client need not load the schemas, which take longer than the answer. */
export interface Place {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below API_PREFIX. */
  readonly path: `/${string}`;
}

export const API_PREFIX = "/api/v1";

/** Server-sent events (`EVENTS` in `schemas/event.ts`), and how often the daemon shows that it is there where nothing happens. */
export const EVENTS_PATH = `${API_PREFIX}/events`;
export const HEARTBEAT_MS = 15_000;

export const PLACES = {
  status: { method: "GET", path: "/status" },
  stop: { method: "POST", path: "/stop" },
  logs: { method: "GET", path: "/logs" },
  listTransfers: { method: "GET", path: "/transfers" },
  getTransfer: { method: "GET", path: "/transfers/{id}" },
  addShare: { method: "POST", path: "/shares" },
  addGet: { method: "POST", path: "/gets" },
  pause: { method: "POST", path: "/transfers/{id}/pause" },
  resume: { method: "POST", path: "/transfers/{id}/resume" },
  remove: { method: "DELETE", path: "/transfers/{id}" },
  recheck: { method: "POST", path: "/transfers/{id}/recheck" },
  relocate: { method: "POST", path: "/transfers/{id}/relocate" },
  openTransfer: { method: "POST", path: "/transfers/{id}/open" },
  files: { method: "GET", path: "/transfers/{id}/files" },
  chooseFiles: { method: "PUT", path: "/transfers/{id}/selection" },
  pieces: { method: "GET", path: "/transfers/{id}/pieces" },
  notes: { method: "GET", path: "/transfers/{id}/notes" },
  links: { method: "GET", path: "/transfers/{id}/links" },
  contentUrl: { method: "POST", path: "/transfers/{id}/content" },
  inspectLink: { method: "POST", path: "/links/inspect" },
  beginUpload: { method: "POST", path: "/uploads" },
  uploadFile: { method: "PUT", path: "/uploads/{id}/file" },
  shareUpload: { method: "POST", path: "/uploads/{id}/share" },
  dropUpload: { method: "DELETE", path: "/uploads/{id}" },
  listWatches: { method: "GET", path: "/watches" },
  addWatch: { method: "POST", path: "/watches" },
  removeWatch: { method: "DELETE", path: "/watches/{id}" },
  network: { method: "GET", path: "/network" },
  listNetworks: { method: "GET", path: "/networks" },
  joinNetwork: { method: "POST", path: "/networks/join" },
  useNetwork: { method: "POST", path: "/networks/use" },
  makeInvite: { method: "POST", path: "/invites" },
  relay: { method: "GET", path: "/relay" },
  setRelay: { method: "PUT", path: "/relay" },
  limits: { method: "GET", path: "/limits" },
  setLimits: { method: "PATCH", path: "/limits" },
  listSettings: { method: "GET", path: "/settings" },
  setSetting: { method: "PUT", path: "/settings/{key}" },
  doctor: { method: "POST", path: "/doctor" },
  listTokens: { method: "GET", path: "/tokens" },
  addToken: { method: "POST", path: "/tokens" },
  removeToken: { method: "DELETE", path: "/tokens/{id}" },
  openPage: { method: "POST", path: "/page" },
  beginSession: { method: "POST", path: "/session" },
  endSession: { method: "DELETE", path: "/session" },
} as const satisfies Record<string, Place>;
