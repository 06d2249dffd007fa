import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Runs with a folder of its own, which is gone afterwards. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-store-"));
  try {
    await run(folder);
  } finally {
    // What was closed may still be writing what it keeps.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
