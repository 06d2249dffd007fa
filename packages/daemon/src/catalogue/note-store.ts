import { NOTE_KINDS } from "@backroom/api/words.ts";
import { ErrorCode } from "@backroom/api/schemas/common.ts";
import type { NoteKind, TransferNote } from "@backroom/api/schemas/transfer.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { NoteStore } from "./catalogue.ts";
import type { Cell } from "./transfer-row.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

const KINDS: ReadonlySet<string> = new Set(NOTE_KINDS);

/** The last notes of each transfer in the catalogue: see `NoteStore`. */
export class SqliteNoteStore implements NoteStore {
  readonly #db: Database;
  readonly #writer: Writer;

  constructor(db: Database, writer: Writer) {
    this.#db = db;
    this.#writer = writer;
  }

  list(transfer: string): TransferNote[] {
    return this.#db
      .all("SELECT * FROM notes WHERE transfer = :transfer ORDER BY number", { transfer })
      .map((row) => ({
        number: row["number"] as number,
        atMs: row["at_ms"] as number,
        level: row["level"] as TransferNote["level"],
        kind: kindOf(row["kind"] as string),
        code: codeOf(row["code"]),
        text: row["text"] as string,
      }));
  }

  add(transfer: string, { atMs, level, kind, code, text }: Omit<TransferNote, "number">): boolean {
    return this.#writer.writeSoon(() => {
      const isAdded =
        this.#db.run(
          `INSERT INTO notes (transfer, number, at_ms, level, kind, code, text)
           SELECT id, 1 + coalesce((SELECT max(number) FROM notes WHERE transfer = :transfer), 0), :at_ms, :level, :kind, :code, :text
           FROM transfers WHERE id = :transfer`,
          { transfer, at_ms: atMs, level, kind, code, text },
        ) > 0;
      this.#db.run(
        "DELETE FROM notes WHERE transfer = :transfer AND number <= (SELECT max(number) FROM notes WHERE transfer = :transfer) - :most",
        { transfer, most: LIMITS.transferNotes },
      );
      return isAdded;
    });
  }
}

/** Whatever a damaged letter made of it, its sentence can be read. */
function kindOf(word: string): NoteKind {
  return KINDS.has(word) ? (word as NoteKind) : "said";
}

function codeOf(cell: Cell | undefined): string | null {
  return typeof cell === "string" && ErrorCode.safeParse(cell).success ? cell : null;
}
