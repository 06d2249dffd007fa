import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { limitRows } from "../support/limits-document.ts";

const PACKAGES = path.resolve(import.meta.dirname, "../../..");

/** Limits that no test can be made to notice, each with the reason. */
const UNTESTED: Record<string, string> = {
  dhtStoredPeers: "given to the library in the DHT process, which keeps it to itself",
  dhtStoredMs: "the same",
  dhtTables: "the same",
  dhtContacts: "what the DHT process and its keeper remember is not to be seen from outside",
  dhtRefreshMs: "the same",
  dhtRestartMostMs: "a process would have to die for minutes",
  scoutCacheCount: "what is forgotten is too old to be served by then",
  logFileBytes: "given by the command line; node/log-file.test.ts fills a smaller file",
  portMappingHeapMiB: "what a router may send (portMappingHttpBytes) is far too little to fill it",
  portMappingSearchMs: "without it the process's own time (portMappingMs) ends the search",
  creditPoolFrames: "circuit/credit-pool.test.ts shares a smaller pool",
  circuitFramesUsed: "the pool bounds it as well; circuit/credit-window.test.ts has a window of its own",
  streamFramesUsed: "the same",
  streamFramesLeast: "a lower bound: without it crowded streams are slow, not large",
  streamQueueLeast: "the same",
  finderTroubles: "nothing tells from outside what a finder has forgotten",
  peerLeasesRemembered: "what is forgotten may be said again, and need not be",
  peerHashRequests: "a pack would need four thousand pieces and a peer that answers slowly",
  swarmReadAheadBytes: "a matter of order, not of memory",
  creditBatch: "the same as windowBatch",
  windowBatch: "a small window is granted anew when half of it is used up, whatever this says",
  packEntries: "eight million entries would take minutes and a gigabyte",
};

test("docs/LIMITS.md has every limit once and no other", () => {
  assert.deepEqual(
    limitRows().map(({ limit }) => limit),
    Object.keys(LIMITS),
  );
});

/** Would catch: a bound that stands in the list and is enforced nowhere. */
test("each limit is used where docs/LIMITS.md says", () => {
  for (const { limit, sources } of limitRows()) {
    for (const source of sources) {
      const text = readFileSync(path.join(PACKAGES, source), "utf8");
      assert.match(text, new RegExp(`\\bLIMITS\\.${limit}\\b`), `${limit} in ${source}`);
    }
  }
});

test("each limit names a test that is there, except those that cannot have one", () => {
  const rows = limitRows();
  for (const { limit, test: file } of rows) {
    if (file !== undefined) assert.ok(existsSync(path.join(PACKAGES, file)), `${limit}: ${file}`);
  }
  const without = rows.filter(({ test: file }) => file === undefined).map(({ limit }) => limit);
  assert.deepEqual(without.toSorted(), Object.keys(UNTESTED).toSorted());
});
