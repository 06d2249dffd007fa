import { formatLink } from "@backroom/core/link/link.ts";
import { sharerKeyFromSeed } from "@backroom/core/link/sharer-key.ts";
import { makeShareLink } from "@backroom/core/node/share-link.ts";
import { writeShareRecord } from "@backroom/core/node/share-record.ts";
import { joinFor } from "./network-use.ts";
import type { Run } from "./run.ts";
import { linked, unsealed } from "./transfer-state.ts";

/** Makes the link of a pack that was sealed. It waits for the network for as long as it takes: what is sealed is not sealed twice. */
export async function linkStep(run: Run): Promise<void> {
  const { deps } = run;
  const { root, packLength, sharerSeed, size, keys, name, fileCount } = run.record();
  if (root === null || packLength === null || sharerSeed === null) return deps.put(unsealed(run.record()));
  const pack = await deps.packs.hold(root, packLength);
  const isThere = pack.store.complete;
  await pack.release();
  if (!isThere) {
    await deps.packs.remove(root, packLength);
    return deps.put(unsealed(run.record()));
  }
  const held = await joinFor(run, undefined, true);
  try {
    const link = makeShareLink(
      {
        root: Buffer.from(root, "hex"),
        length: packLength,
        name,
        fileBytes: size ?? 0,
        identity: keys.identity === undefined ? undefined : Buffer.from(keys.identity, "hex"),
        sharerFingerprint: sharerKeyFromSeed(Buffer.from(sharerSeed, "hex")).fingerprint,
      },
      held.client,
    );
    const text = formatLink(link);
    deps.put(linked(run.record(), text, deps.nowMs()));
    deps.note("linked");
    // Beside the pack as a command in the foreground does: whoever loses the catalogue has lost no share.
    const seed = Buffer.from(sharerSeed, "hex");
    await writeShareRecord(deps.folder, { link: text, sharerSeed: seed, fileCount: fileCount ?? 0 });
  } finally {
    held.release();
  }
}
