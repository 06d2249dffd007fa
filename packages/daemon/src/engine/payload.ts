import type { Catalogue, TransferRecord } from "../catalogue/catalogue.ts";
import type { Notes } from "./notes.ts";

type Progress = Pick<TransferRecord, "doneBytes" | "downloadedBytes" | "uploadedBytes">;

/** Keeps how far transfers are, and counts the payload of all of them since the daemon was started. */
export class Payload {
  readonly #catalogue: Pick<Catalogue, "get" | "putProgress">;
  readonly #notes: Pick<Notes, "happened">;
  readonly #onChange: (id: string) => void;
  downloadedBytes = 0;
  uploadedBytes = 0;

  /** `onChange` hears of transfers that are further than they were. */
  constructor(
    catalogue: Pick<Catalogue, "get" | "putProgress">,
    notes: Pick<Notes, "happened">,
    onChange: (id: string) => void,
  ) {
    this.#catalogue = catalogue;
    this.#notes = notes;
    this.#onChange = onChange;
  }

  put(id: string, { doneBytes, downloadedBytes, uploadedBytes }: Progress): void {
    const before = this.#catalogue.get(id);
    if (before === undefined) return;
    const isSame =
      before.doneBytes === doneBytes &&
      before.downloadedBytes === downloadedBytes &&
      before.uploadedBytes === uploadedBytes;
    if (isSame) return;
    this.downloadedBytes += Math.max(0, downloadedBytes - before.downloadedBytes);
    if (before.uploadedBytes === 0 && uploadedBytes > 0) this.#notes.happened(id, "given");
    this.uploadedBytes += Math.max(0, uploadedBytes - before.uploadedBytes);
    this.#catalogue.putProgress(id, { doneBytes, downloadedBytes, uploadedBytes });
    this.#onChange(id);
  }

  /** So much more of it was handed out. */
  given(id: string, bytes: number): void {
    const record = this.#catalogue.get(id);
    if (record === undefined) return;
    this.put(id, { ...record, uploadedBytes: record.uploadedBytes + bytes });
  }
}
