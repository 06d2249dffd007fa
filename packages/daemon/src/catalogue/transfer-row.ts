import type { Failure } from "@backroom/api/schemas/common.ts";
import type { TransferRecord } from "./catalogue.ts";
import { searched } from "./searched.ts";
import { damaged } from "./sqlite-error.ts";

/** What SQLite takes and gives for the columns that we have. */
export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/** Of the table `transfers`, all but `id`. */
const COLUMNS = [
  "created_ms",
  "finished_ms",
  "role",
  "state",
  "name",
  "searched",
  "kind",
  "profile",
  "file_count",
  "size",
  "pack_length",
  "left_out_count",
  "skipped_count",
  "chosen_size",
  "wanted_bytes",
  "output",
  "paths",
  "failure",
  "root",
  "link",
  "sharer_seed",
  "inputs",
  "seed",
  "wait",
  "accept",
] as const;

/** Keeps the row where it is, and with it what refers to it. */
export const PUT_TRANSFER = `INSERT INTO transfers (id, ${COLUMNS.join(", ")}) VALUES (:id, ${COLUMNS.map((name) => `:${name}`).join(", ")})
  ON CONFLICT (id) DO UPDATE SET ${COLUMNS.map((name) => `${name} = excluded.${name}`).join(", ")}`;
export const PUT_COUNTS = `INSERT INTO counts (transfer, done_bytes, downloaded_bytes, uploaded_bytes) VALUES (:id, :done_bytes, :downloaded_bytes, :uploaded_bytes)
  ON CONFLICT (transfer) DO UPDATE SET done_bytes = excluded.done_bytes, downloaded_bytes = excluded.downloaded_bytes, uploaded_bytes = excluded.uploaded_bytes`;
export const PUT_KEYS = `INSERT INTO keys (transfer, password, identity, recipients) VALUES (:id, :password, :identity, :recipients)
  ON CONFLICT (transfer) DO UPDATE SET password = excluded.password, identity = excluded.identity, recipients = excluded.recipients`;

/** Whole records; what follows selects among them. */
export const SELECT_TRANSFERS = `SELECT t.*, c.done_bytes, c.downloaded_bytes, c.uploaded_bytes, k.password, k.identity, k.recipients
  FROM transfers AS t JOIN counts AS c ON c.transfer = t.id LEFT JOIN keys AS k ON k.transfer = t.id`;

/** For PUT_TRANSFER. */
export function transferRow(record: TransferRecord): Row {
  return {
    id: record.id,
    created_ms: record.createdMs,
    finished_ms: record.finishedMs,
    role: record.role,
    state: record.state,
    name: record.name,
    searched: searched(record.name),
    kind: record.kind,
    profile: record.profile,
    file_count: record.fileCount,
    size: record.size,
    pack_length: record.packLength,
    left_out_count: record.leftOutCount,
    skipped_count: record.skippedCount,
    chosen_size: record.chosenSize,
    wanted_bytes: record.wantedBytes,
    output: record.output,
    paths: JSON.stringify(record.paths),
    failure: record.failure === null ? null : JSON.stringify(record.failure),
    root: record.root,
    link: record.link,
    sharer_seed: record.sharerSeed,
    inputs: JSON.stringify(record.inputs),
    seed: Number(record.seed),
    wait: Number(record.wait),
    accept: JSON.stringify(record.accept),
  };
}

/** For PUT_COUNTS. */
export function countsRow(
  id: string,
  counts: Pick<TransferRecord, "doneBytes" | "downloadedBytes" | "uploadedBytes">,
): Row {
  return {
    id,
    done_bytes: counts.doneBytes,
    downloaded_bytes: counts.downloadedBytes,
    uploaded_bytes: counts.uploadedBytes,
  };
}

/** For PUT_KEYS; undefined where there are none. */
export function keysRow(
  id: string,
  { password, identity, recipients }: TransferRecord["keys"],
): Row | undefined {
  if (password === undefined && identity === undefined && recipients === undefined) return undefined;
  return {
    id,
    password: password ?? null,
    identity: identity ?? null,
    recipients: recipients === undefined ? null : JSON.stringify(recipients),
  };
}

/** A row of SELECT_TRANSFERS. Raises E_CATALOGUE_DAMAGED for what `transferRow` never writes and the table's checks let pass. */
export function transferRecord(row: Row): TransferRecord {
  return {
    id: row["id"] as string,
    role: row["role"] as TransferRecord["role"],
    state: row["state"] as TransferRecord["state"],
    name: row["name"] as string,
    kind: row["kind"] as TransferRecord["kind"],
    profile: row["profile"] as TransferRecord["profile"],
    fileCount: row["file_count"] as number | null,
    size: row["size"] as number | null,
    packLength: row["pack_length"] as number | null,
    doneBytes: row["done_bytes"] as number,
    downloadedBytes: row["downloaded_bytes"] as number,
    uploadedBytes: row["uploaded_bytes"] as number,
    output: row["output"] as string | null,
    paths: stringsOf(row["paths"]),
    failure: failureOf(row["failure"]),
    leftOutCount: row["left_out_count"] as number,
    skippedCount: row["skipped_count"] as number,
    chosenSize: row["chosen_size"] as number | null,
    wantedBytes: row["wanted_bytes"] as number | null,
    createdMs: row["created_ms"] as number,
    finishedMs: row["finished_ms"] as number | null,
    root: row["root"] as string | null,
    link: row["link"] as string | null,
    sharerSeed: row["sharer_seed"] as string | null,
    inputs: stringsOf(row["inputs"]),
    keys: {
      ...(typeof row["password"] === "string" && { password: row["password"] }),
      ...(typeof row["identity"] === "string" && { identity: row["identity"] }),
      ...(typeof row["recipients"] === "string" && { recipients: stringsOf(row["recipients"]) }),
    },
    seed: row["seed"] === 1,
    wait: row["wait"] === 1,
    accept: stringsOf(row["accept"]),
  };
}

export function stringsOf(cell: Cell | undefined): string[] {
  const value = jsonOf(cell);
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw damaged("a list in the catalogue is none");
  }
  return value;
}

export function jsonOf(cell: Cell | undefined): unknown {
  try {
    return JSON.parse(String(cell));
  } catch {
    throw damaged("a value in the catalogue cannot be read");
  }
}

export function failureOf(cell: Cell | undefined): Failure | null {
  if (typeof cell !== "string") return null;
  const value = jsonOf(cell);
  const { code, what, why, fix } = (value ?? {}) as Record<string, unknown>;
  if (
    typeof code !== "string" ||
    typeof what !== "string" ||
    typeof why !== "string" ||
    typeof fix !== "string"
  ) {
    throw damaged("a failure in the catalogue says nothing");
  }
  return { code, what, why, fix };
}
