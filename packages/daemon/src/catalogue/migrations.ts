import type { DatabaseSync } from "node:sqlite";

/** Takes the file from the version before to its own, inside a transaction, with foreign keys looked at only at its end. */
export interface Migration {
  readonly version: number;
  run(db: DatabaseSync): void;
}

/** In every file of ours, so that it is not mistaken for another program's: "BkRm". */
export const APPLICATION_ID = 0x42_6b_52_6d;

const MOST = Number.MAX_SAFE_INTEGER;

/**
 * What is checked here is also looked for at each start (`PRAGMA integrity_check`), so the checks are those that damage would break.
 *
 * - `counts` is apart from `transfers`, since it changes every second, and a transfer's row may be long.
 * - `keys` is apart, since its rows go as soon as they are not needed, and no backup holds any.
 * - `transfers_by_age` holds all that a list asks for, so that finding a page reads no other row than the page's own.
 */
const VERSION_1 = `
CREATE TABLE transfers (
  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 16 AND id NOT GLOB '*[^a-z0-9]*'),
  created_ms INTEGER NOT NULL CHECK (created_ms BETWEEN 0 AND ${MOST}),
  finished_ms INTEGER CHECK (finished_ms BETWEEN 0 AND ${MOST}),
  role TEXT NOT NULL CHECK (role IN ('share', 'get', 'mirror')),
  state TEXT NOT NULL CHECK (state IN ('sealing', 'active', 'paused', 'done', 'failed')),
  name TEXT NOT NULL,
  searched TEXT NOT NULL,
  kind TEXT CHECK (kind IN ('read', 'locked')),
  profile TEXT NOT NULL CHECK (profile IN ('standard', 'strong')),
  file_count INTEGER CHECK (file_count BETWEEN 0 AND ${MOST}),
  size INTEGER CHECK (size BETWEEN 0 AND ${MOST}),
  pack_length INTEGER CHECK (pack_length BETWEEN 0 AND ${MOST}),
  left_out_count INTEGER NOT NULL CHECK (left_out_count BETWEEN 0 AND ${MOST}),
  output TEXT,
  paths TEXT NOT NULL CHECK (json_valid(paths)),
  failure TEXT CHECK (json_valid(failure)),
  root TEXT CHECK (length(root) = 64 AND root NOT GLOB '*[^0-9a-f]*'),
  link TEXT,
  sharer_seed TEXT,
  inputs TEXT NOT NULL CHECK (json_valid(inputs)),
  seed INTEGER NOT NULL CHECK (seed IN (0, 1)),
  wait INTEGER NOT NULL CHECK (wait IN (0, 1)),
  accept TEXT NOT NULL CHECK (json_valid(accept))
) STRICT;
CREATE UNIQUE INDEX transfers_by_root ON transfers (root) WHERE root IS NOT NULL;
CREATE INDEX transfers_by_age ON transfers (created_ms DESC, id DESC, role, state, searched);

CREATE TABLE counts (
  transfer TEXT NOT NULL PRIMARY KEY REFERENCES transfers (id) ON DELETE CASCADE,
  done_bytes INTEGER NOT NULL CHECK (done_bytes BETWEEN 0 AND ${MOST}),
  downloaded_bytes INTEGER NOT NULL CHECK (downloaded_bytes BETWEEN 0 AND ${MOST}),
  uploaded_bytes INTEGER NOT NULL CHECK (uploaded_bytes BETWEEN 0 AND ${MOST})
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  transfer TEXT NOT NULL PRIMARY KEY REFERENCES transfers (id) ON DELETE CASCADE,
  password TEXT,
  identity TEXT,
  recipients TEXT CHECK (json_valid(recipients))
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL CHECK (json_valid(scopes)),
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*'),
  created_ms INTEGER NOT NULL CHECK (created_ms BETWEEN 0 AND ${MOST}),
  used_ms INTEGER CHECK (used_ms BETWEEN 0 AND ${MOST}),
  expires_ms INTEGER CHECK (expires_ms BETWEEN 0 AND ${MOST})
) STRICT, WITHOUT ROWID;

CREATE TABLE watches (
  id TEXT NOT NULL PRIMARY KEY,
  folder TEXT NOT NULL,
  profile TEXT NOT NULL CHECK (profile IN ('standard', 'strong')),
  created_ms INTEGER NOT NULL CHECK (created_ms BETWEEN 0 AND ${MOST})
) STRICT, WITHOUT ROWID;

CREATE TABLE watch_shares (
  watch TEXT NOT NULL REFERENCES watches (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  seen TEXT NOT NULL,
  transfer TEXT NOT NULL,
  PRIMARY KEY (watch, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE "values" (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;
`;

/** What happened to transfers. `kind` has no check: a word more needs no version. */
const VERSION_2 = `
CREATE TABLE notes (
  transfer TEXT NOT NULL REFERENCES transfers (id) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND ${MOST}),
  at_ms INTEGER NOT NULL CHECK (at_ms BETWEEN 0 AND ${MOST}),
  level TEXT NOT NULL CHECK (level IN ('note', 'warn')),
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (transfer, number)
) STRICT, WITHOUT ROWID;
`;

/**
 * - `selections` is apart, since few transfers have one, and it may be long.
 * - `opened`: what was put where files belong already, as choices · `held`: the pieces of a pack that is not to become whole, base64 of a bitmap.
 */
const VERSION_3 = `
ALTER TABLE transfers ADD COLUMN skipped_count INTEGER NOT NULL DEFAULT 0 CHECK (skipped_count BETWEEN 0 AND ${MOST});
ALTER TABLE transfers ADD COLUMN wanted_bytes INTEGER CHECK (wanted_bytes BETWEEN 0 AND ${MOST});

CREATE TABLE selections (
  transfer TEXT NOT NULL PRIMARY KEY REFERENCES transfers (id) ON DELETE CASCADE,
  choices TEXT NOT NULL CHECK (json_valid(choices)),
  opened TEXT CHECK (json_valid(opened)),
  held TEXT
) STRICT;
`;

/** Of files that are chosen, bytes; NULL where none is skipped, and where nobody has counted yet. */
const VERSION_4 = `
ALTER TABLE transfers ADD COLUMN chosen_size INTEGER CHECK (chosen_size BETWEEN 0 AND ${MOST});
`;

/** With which error it failed. No check: a code more needs no version. */
const VERSION_5 = `
ALTER TABLE notes ADD COLUMN code TEXT;
`;

/** In which browser the page is whose session a token is; NULL for a program's. Those of before had names that only they could have. */
const VERSION_6 = `
ALTER TABLE tokens ADD COLUMN browser TEXT;
UPDATE tokens SET browser = 'browser' WHERE name = 'page ' || id;
`;

/** In order and without gaps. One that was released is never changed: a change is the next one. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, run: (db) => db.exec(VERSION_1) },
  { version: 2, run: (db) => db.exec(VERSION_2) },
  { version: 3, run: (db) => db.exec(VERSION_3) },
  { version: 4, run: (db) => db.exec(VERSION_4) },
  { version: 5, run: (db) => db.exec(VERSION_5) },
  { version: 6, run: (db) => db.exec(VERSION_6) },
];
