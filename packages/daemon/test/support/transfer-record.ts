import type { TransferRecord } from "../../src/catalogue/catalogue.ts";
import { newRecord } from "../../src/engine/new-record.ts";

/** A share that is sealed and handed out, number `index`, with what a test wants otherwise. */
export function transferOf(index: number, more: Partial<TransferRecord> = {}): TransferRecord {
  return {
    ...newRecord(index.toString(36).padStart(16, "0"), 1_700_000_000_000 + index),
    role: "share",
    state: "active",
    name: `Film ${index}.mp4`,
    kind: "read",
    fileCount: 1,
    size: 1_000_000,
    packLength: 1_010_000,
    doneBytes: 1_010_000,
    root: index.toString(16).padStart(64, "0"),
    link: `backroom:${"a".repeat(300)}`,
    sharerSeed: "5".repeat(64),
    inputs: [`/home/person/Film ${index}.mp4`],
    seed: true,
    ...more,
  };
}
