import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { formatLink } from "@backroom/core/link/link.ts";
import { sharerKeyFromSeed } from "@backroom/core/link/sharer-key.ts";
import { encodeState, packPaths } from "@backroom/core/store/store-files.ts";
import { Bitfield } from "@backroom/core/torrent/bitfield.ts";
import { torrentInfo } from "@backroom/core/torrent/info.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { TransferRecord } from "../../src/catalogue/catalogue.ts";
import { GROUP_SHARES, OWN_MOST } from "../../src/engine/roster.ts";
import { CONTEXT, newEngineWorld, type TestEngine } from "../support/engine-world.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const PACK_BYTES = 5_000;

/** A share whose pack is on the disk as far as its marks say; nobody ever reads it. */
async function fakeShare(engine: TestEngine, index: number): Promise<TransferRecord> {
  const [piecesRoot, seed] = [randomBytes(32), randomBytes(32)];
  const info = torrentInfo(piecesRoot, PACK_BYTES);
  const { pack, state } = packPaths(engine.data.packs, piecesRoot);
  await writeFile(pack, Buffer.alloc(PACK_BYTES));
  await writeFile(state, encodeState(info, { have: Bitfield.full(1), pieceLayer: piecesRoot }));
  const link = formatLink({
    kind: "read",
    networkId: 7,
    piecesRoot,
    packLength: PACK_BYTES,
    sharerFingerprint: sharerKeyFromSeed(seed).fingerprint,
    relays: [],
    identity: randomBytes(32),
  });
  const root = piecesRoot.toString("hex");
  const more = { root, link, sharerSeed: seed.toString("hex"), packLength: PACK_BYTES, finishedMs: 1 };
  return transferOf(index, { ...more, createdMs: Date.now() + index });
}

/** Would catch: a circuit for each of thousands of shares, a group too large for its circuit, and packs that are open for nobody. */
test("of many shares those that were active last have circuits of their own, the others are found in groups", async () => {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      const file = await world.makeFile("old.bin", 50_000);
      const before = await world.newEngine("before");
      const { id, link } = await before.share([file]);
      await before.engine.close();
      await cp(before.data.root, path.join(folder, "after"), { recursive: true });
      const catalogue = memoryCatalogue();
      const own = before.catalogue.get(id);
      assert.ok(own !== undefined);
      catalogue.put(own);
      const count = OWN_MOST + GROUP_SHARES - 1;
      for (let index = 0; index < count; index++) catalogue.put(await fakeShare(before, index));
      await cp(before.data.packs, path.join(folder, "after", "packs"), { recursive: true, force: true });

      const after = await world.newEngine("after", { catalogue });
      await after.until(id, ({ gateCount }) => gateCount === 2);
      const all = await after.handlers.listTransfers({ limit: 1_000 }, CONTEXT);
      for (const transfer of all.transfers)
        await after.until(transfer.id, ({ gateCount }) => gateCount === 2);
      assert.equal(all.transfers.length, count + 1);
      assert.deepEqual(after.totals().byState, { seeding: count + 1 });
      const circuits = after.members.list()[0]?.client?.pictures() ?? [];
      assert.equal(circuits.length, 2 * (OWN_MOST + 1));

      const getter = await world.newEngine("getter");
      const { id: getId } = await getter.get(link);
      const done = await getter.reach(getId, "done");
      assert.ok((await readFile(done.paths[0] ?? "")).equals(await readFile(file)));
      await after.until(id, ({ uploadedBytes }) => uploadedBytes > 0);
    } finally {
      await world.close();
    }
  });
});
