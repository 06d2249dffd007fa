import type { Transfer, TransferState } from "@backroom/api/schemas/transfer.ts";
import type { StoredState, TransferRecord } from "../catalogue/catalogue.ts";

/** What a transfer does just now, beside what is kept of it. */
export interface Live {
  readonly state: TransferState;
  /** Undefined where what is kept says it. */
  readonly doneBytes?: number | undefined;
  readonly totalBytes?: number | undefined;
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly peerCount: number;
  readonly gateCount: number;
  readonly waits: Transfer["waits"];
}

const STATES: Readonly<Record<StoredState, TransferState>> = {
  sealing: "queued",
  active: "queued",
  paused: "paused",
  done: "done",
  failed: "failed",
};

/** What people see of a transfer. Nothing secret is in it. */
export function viewOf(record: TransferRecord, live?: Live): Transfer {
  const doneBytes = live?.doneBytes ?? record.doneBytes;
  const totalBytes = live?.totalBytes ?? record.wantedBytes ?? record.packLength ?? record.size ?? 0;
  return {
    id: record.id,
    role: record.role,
    state: live?.state ?? STATES[record.state],
    name: record.name,
    kind: record.kind,
    profile: record.profile,
    fileCount: record.fileCount,
    size: record.size,
    packLength: record.packLength,
    doneBytes: Math.round(Math.min(doneBytes, totalBytes)),
    totalBytes,
    downloadRate: Math.round(live?.downloadRate ?? 0),
    uploadRate: Math.round(live?.uploadRate ?? 0),
    downloadedBytes: record.downloadedBytes,
    uploadedBytes: record.uploadedBytes,
    peerCount: live?.peerCount ?? 0,
    gateCount: live?.gateCount ?? 0,
    secondsLeft: secondsLeft(live),
    output: record.output,
    paths: [...record.paths],
    waits: live?.waits ?? null,
    failure: record.failure,
    leftOutCount: record.leftOutCount,
    skippedCount: record.skippedCount,
    chosenSize: record.skippedCount === 0 ? record.size : record.chosenSize,
    createdMs: record.createdMs,
    finishedMs: record.finishedMs,
  };
}

function secondsLeft(live: Live | undefined): number | null {
  if (live?.state !== "downloading" || live.downloadRate < 1) return null;
  return Math.ceil(Math.max(0, (live.totalBytes ?? 0) - (live.doneBytes ?? 0)) / live.downloadRate);
}
