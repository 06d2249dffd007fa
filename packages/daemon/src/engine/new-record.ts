import type { TransferRecord } from "../catalogue/catalogue.ts";

/** What is kept of a transfer of which nothing is known yet. */
export function newRecord(id: string, createdMs: number): Omit<TransferRecord, "role" | "state"> {
  return {
    id,
    name: "",
    kind: null,
    profile: "standard",
    fileCount: null,
    size: null,
    packLength: null,
    doneBytes: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    output: null,
    paths: [],
    failure: null,
    leftOutCount: 0,
    skippedCount: 0,
    chosenSize: null,
    wantedBytes: null,
    createdMs,
    finishedMs: null,
    root: null,
    link: null,
    sharerSeed: null,
    inputs: [],
    keys: {},
    seed: false,
    wait: false,
    accept: [],
  };
}
