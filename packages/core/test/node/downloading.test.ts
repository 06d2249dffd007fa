import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isBackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { startDownload } from "../../src/node/downloading.ts";
import { LEVELS } from "../../src/swarm/pick-order.ts";
import { tempFolder } from "../support/pack-fixtures.ts";
import { samplePack, storeOf } from "../swarm/fixtures.ts";
import { newShareWorld } from "./share-world.ts";

/** Would catch: a process that spins for ever, and does nothing else any more, once a download is closed of which more was wanted in the end. */
test("a download that is closed while more is wanted than at first ends", { timeout: 20_000 }, async (t) => {
  const world = newShareWorld(1);
  t.after(() => world.close());
  const pack = samplePack(1024 * 1024);
  const store = await storeOf(pack, (piece) => piece < 3);
  const level = (isWanted: boolean): number => (isWanted ? LEVELS.normal : LEVELS.skip);
  const levels = Uint8Array.from({ length: pack.info.pieceCount }, (_, piece) => level(piece < 3));
  const { client } = world.newMember(store);
  const download = await startDownload({
    folder: await openDataFolder(await tempFolder(t)),
    client: { ...client, relays: () => [] },
    link: {
      kind: "locked",
      networkId: 0,
      piecesRoot: pack.info.root,
      packLength: pack.info.length,
      sharerFingerprint: Buffer.alloc(16),
      relays: [],
      topicSecret: Buffer.alloc(32),
    },
    store,
    opening: undefined,
    levels,
    log: silentLog,
    signal: new AbortController().signal,
  });
  download.swarming.swarm.want({ levels: levels.fill(LEVELS.normal) });
  let isOver = false;
  void download.finished.catch(() => {}).finally(() => (isOver = true));
  await nextTurn();
  assert.equal(isOver, false);
  await download.close();
  await assert.rejects(download.finished, (error: unknown) => isBackroomError(error, "E_SWARM_CLOSED"));
});
