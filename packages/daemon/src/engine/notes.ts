import type { NoteKind, TransferNote } from "@backroom/api/schemas/transfer.ts";
import { isBackroomError, type BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import type { DaemonContext } from "../context.ts";

/** What happened, where the sentence is always the same. */
export type Happening = Exclude<NoteKind, "failed" | "said">;

/** In the file's language, English; the page has its own for each. */
const SENTENCES: Readonly<Record<Happening, string>> = {
  begun: "begun",
  again: "asked for once more",
  restarted: "the daemon was started anew, and it goes on",
  sealed: "the files were sealed into a pack",
  linked: "it has its link and is handed out from now on",
  found: "somebody who has it is connected",
  alone: "nobody who has it has been connected for minutes",
  stored: "the whole pack is here",
  opened: "the files are where they belong",
  mended: "what was damaged or missing came from others",
  checked: "every piece on disk was verified",
  given: "somebody fetched from this computer, for the first time",
  paused: "paused",
  resumed: "resumed",
  moved: "the files were moved to another folder",
};

/**
 * Keeps what happens to each transfer, for people who look later. Whoever finds the data folder reads it, too: nothing is in it that is not in the list of
 * transfers already, and of those who fetch a share no more than that there was one.
 */
export class Notes {
  readonly #context: DaemonContext;

  constructor(context: DaemonContext) {
    this.#context = context;
  }

  happened(id: string, kind: Happening): void {
    this.#add(id, { kind, code: null, level: "note", text: SENTENCES[kind] });
  }

  failed(id: string, { code, message, why }: BackroomError): void {
    this.#add(id, { kind: "failed", code, level: "warn", text: `${message}: ${why}` });
  }

  said(id: string, level: TransferNote["level"], text: string): void {
    this.#add(id, { kind: "said", code: null, level, text });
  }

  /** What could not be kept, as on a full disk, is no reason to stop a transfer. */
  #add(id: string, { kind, code, level, text }: Omit<TransferNote, "number" | "atMs">): void {
    const { catalogue, events, machine, log } = this.#context;
    const short =
      text.length > LIMITS.transferNoteChars ? `${text.slice(0, LIMITS.transferNoteChars)}…` : text;
    try {
      const last = catalogue.notes.list(id).at(-1);
      // What is tried again and again would push out what happened before.
      if (last?.kind === kind && last.text === short) return;
      const note = { atMs: machine.clock.nowMs(), kind, code, level, text: short };
      if (catalogue.notes.add(id, note)) events.publish({ name: "notes", data: { transfers: [id] } });
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      log("debug", "a note could not be kept", { code: error.code });
    }
  }
}
