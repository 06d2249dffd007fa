import { SELECT_TRANSFERS } from "./transfer-row.ts";

/** All columns are in `transfers_by_age`. `instr` and not LIKE: what people type has no wildcards, and % is a letter. */
const FITS = `(:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
  AND (:role IS NULL OR role = :role)
  AND (:search IS NULL OR instr(searched, :search) > 0 OR instr(id, :prefix) = 1)`;

/** The page's ids first, out of the index alone; then their rows. */
export const LIST_TRANSFERS = `${SELECT_TRANSFERS} WHERE t.id IN (
    SELECT id FROM transfers WHERE (created_ms, id) < (:created_ms, :id) AND ${FITS} ORDER BY created_ms DESC, id DESC LIMIT :limit
  ) ORDER BY t.created_ms DESC, t.id DESC`;
export const COUNT_TRANSFERS = `SELECT count(*) AS total FROM transfers WHERE ${FITS}`;
export const COUNT_STATES = "SELECT state, count(*) AS count FROM transfers GROUP BY state";
export const LIST_OUTLINES = `SELECT id, role, state, profile, finished_ms, root, link, accept FROM transfers
  WHERE state IN (SELECT value FROM json_each(:states)) ORDER BY created_ms DESC, id DESC`;
