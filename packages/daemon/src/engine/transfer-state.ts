import type { Failure } from "@backroom/api/schemas/common.ts";
import type { BackroomError } from "@backroom/core/base/errors.ts";
import type { TransferOutline, TransferRecord } from "../catalogue/catalogue.ts";

/**
 * What a transfer has to do next:
 * - `seal`: files become a pack · `link`: the pack gets its link, which names relays of the network
 * - `fetch`: the pack arrives, and is opened where it is not a mirror · `hand-out`: others fetch it from here
 * - `rest`: nothing, until a person says so
 */
export type Step = "seal" | "link" | "fetch" | "hand-out" | "rest";

/** From what is kept alone, so that a start after a kill goes on with the same step. */
export function nextStep(record: TransferOutline): Step {
  if (record.state !== "sealing" && record.state !== "active") return "rest";
  if (record.role !== "share") return record.finishedMs === null ? "fetch" : "hand-out";
  if (record.root === null) return "seal";
  return record.link === null ? "link" : "hand-out";
}

/** What sealing gave. */
export interface Sealed {
  readonly root: string;
  readonly packLength: number;
  readonly name: string;
  readonly fileCount: number;
  /** Of the files, bytes. */
  readonly size: number;
  readonly leftOutCount: number;
  readonly sharerSeed: string;
  /** SECRET, in hex: of the identity that opens the pack; undefined where a password or people's keys do. */
  readonly identity: string | undefined;
}

export function sealed(record: TransferRecord, facts: Sealed): TransferRecord {
  const { identity, ...more } = facts;
  return {
    ...record,
    ...more,
    kind: identity === undefined ? "locked" : "read",
    doneBytes: facts.packLength,
    // What it was sealed for stays until it has its link: a pack that turns out not to be there is sealed once more, and for nobody else.
    keys: identity === undefined ? record.keys : { identity },
  };
}

/** What was sealed is not there: the process was killed before it had its place. The key that was drawn for it goes with it. */
export function unsealed(record: TransferRecord): TransferRecord {
  const { identity: _, ...keys } = record.keys;
  return {
    ...record,
    state: "sealing",
    root: null,
    link: null,
    sharerSeed: null,
    packLength: null,
    keys,
  };
}

export function linked(record: TransferRecord, link: string, nowMs: number): TransferRecord {
  return { ...record, state: "active", link, keys: {}, finishedMs: nowMs };
}

/** What opening put where; undefined for a mirror. */
export interface Opened {
  readonly name: string;
  readonly fileCount: number;
  readonly size: number;
  readonly paths: string[];
}

export function fetched(record: TransferRecord, opened: Opened | undefined, nowMs: number): TransferRecord {
  return {
    ...record,
    ...opened,
    // What was put beside what was there before.
    paths: [...new Set([...record.paths, ...(opened?.paths ?? [])])],
    state: record.role === "mirror" || record.seed ? "active" : "done",
    finishedMs: nowMs,
    doneBytes: record.wantedBytes ?? record.packLength ?? record.doneBytes,
    keys: {},
  };
}

/** What has come to its end stays as it is, also where it did while it was being stopped. */
export function paused(record: TransferRecord): TransferRecord {
  if (record.state === "done" || record.state === "failed") return record;
  return { ...record, state: "paused", failure: null };
}

export function failed(record: TransferRecord, error: BackroomError): TransferRecord {
  return { ...record, state: "failed", failure: failureOf(error) };
}

/** Goes on with the step that it stopped at. What is done and not to be handed out stays done. */
export function resumed(record: TransferRecord): TransferRecord {
  if (record.state === "sealing" || record.state === "active" || record.state === "done") return record;
  const isSealing = record.role === "share" && record.link === null;
  const isDone = record.role === "get" && record.finishedMs !== null && !record.seed;
  return { ...record, state: isSealing ? "sealing" : isDone ? "done" : "active", failure: null };
}

/** To be fetched once more, as somebody asked for it again. */
export function fetchedAgain(record: TransferRecord): TransferRecord {
  return { ...record, state: "active", failure: null, finishedMs: null, paths: [] };
}

/** Of a transfer that is to bring all files. */
export const WHOLE = { skippedCount: 0, wantedBytes: null, chosenSize: null } as const;

/** Other files are wanted beside those that are there. */
export function fetchedBeside(record: TransferRecord): TransferRecord {
  const state = record.state === "paused" ? "paused" : "active";
  return { ...record, state, failure: null, finishedMs: null };
}

function failureOf({ code, message, why, fix }: BackroomError): Failure {
  return { code, what: message, why, fix };
}
