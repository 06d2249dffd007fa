import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { systemClock } from "@backroom/core/base/clock.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { formatLink } from "@backroom/core/link/link.ts";
import { planOf } from "@backroom/core/node/piece-levels.ts";
import { PackReader } from "@backroom/core/pack/pack-reader.ts";
import { Selection } from "@backroom/core/pack/selection.ts";
import { MemoryStore } from "@backroom/core/store/memory-store.ts";
import { createSwarm } from "@backroom/core/swarm/swarm.ts";
import { pieceBytes, torrentInfo } from "@backroom/core/torrent/info.ts";
import { MerkleHasher } from "@backroom/core/torrent/merkle-hasher.ts";
import {
  bufferSource,
  keys,
  makeTree,
  noise,
  sealToBuffer,
} from "../../../core/test/support/pack-fixtures.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { ContentFile } from "../../src/engine/content.ts";
import { ShareFiles } from "../../src/engine/share-content.ts";
import type { Transfers } from "../../src/engine/transfers.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const KIB = 1024;
const A = noise(300 * KIB, 1);
const ONLY_A = [
  { path: "", priority: "skip" as const },
  { path: "album/a", priority: "normal" as const },
];
/** Of a request that nobody hangs up. */
const { signal } = new AbortController();

/** A share of which a swarm that nobody else is in has what `isHeld` says beside its list of files, and wants `album/a` and nothing else. */
async function partOf(folder: string, isHeld: boolean) {
  await makeTree(path.join(folder, "in"), { "album/a": A, "album/b": noise(3 * KIB * KIB, 2) });
  const { pack } = await sealToBuffer([path.join(folder, "in/album")]);
  const hasher = new MerkleHasher();
  hasher.update(pack);
  const { root, pieceLayer } = hasher.digest();
  const info = torrentInfo(root, pack.length);
  const reader = await PackReader.open(bufferSource(pack), keys);
  const wish = { selection: Selection.of(ONLY_A), opened: undefined, isKept: false };
  const { levels, frame } = await planOf(reader, info, wish);
  const store = new MemoryStore(info);
  await store.setPieceLayer(pieceLayer);
  for (const [piece, level] of levels.entries()) {
    const at = piece * info.pieceLength;
    if (isHeld ? level > 0 : frame.includes(piece))
      await store.write(piece, pack.subarray(at, at + pieceBytes(info, piece)));
  }
  const swarm = createSwarm({ store, clock: systemClock, random: systemRandom, log: silentLog });
  swarm.want({ levels });
  const link = formatLink({
    kind: "read",
    networkId: 7,
    piecesRoot: root,
    packLength: pack.length,
    sharerFingerprint: Buffer.alloc(16, 2),
    identity: Buffer.alloc(32, 7),
    relays: [],
  });
  const output = path.join(folder, "out");
  const record = transferOf(1, {
    role: "get",
    link,
    root: root.toString("hex"),
    packLength: pack.length,
    output,
    paths: [path.join(output, "album")],
  });
  const catalogue = memoryCatalogue();
  catalogue.put(record);
  const transfers = {
    context: { catalogue },
    record: () => record,
    packs: { hold: async () => ({ store, release: async () => {} }) },
    arriving: () => swarm.source(),
  } as unknown as Transfers;
  const files = new ShareFiles(transfers);
  return { record, catalogue, files, swarm, output };
}

async function bytesOf(file: ContentFile): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of file.read(0, file.size)) parts.push(part);
  return Buffer.concat(parts);
}

/** Would catch: a download that looks for ever for a file that somebody looked at for a moment, and that nobody has. */
test(
  "whoever stops looking at a file that nobody chose takes back that it is wanted",
  { timeout: 60_000 },
  async () => {
    await withFolder(async (folder) => {
      const { record, files, swarm } = await partOf(folder, true);
      assert.ok(swarm.stats().complete);
      const leaving = new AbortController();
      const staying = new AbortController();
      const [left, stayed] = [leaving, staying].map(async (viewer) => {
        const file = await files.open(record.id, "album/b", viewer.signal);
        return assert.rejects(bytesOf(file), { code: "E_INTERRUPTED" });
      });
      while (swarm.stats().complete) await new Promise((resolve) => setImmediate(resolve));
      leaving.abort();
      await left;
      assert.equal(swarm.stats().complete, false, "somebody waits for it still");
      staying.abort();
      await stayed;
      assert.ok(swarm.stats().complete);
      swarm.close();
    });
  },
);

/** Would catch: files that seem to be gone, and are fetched once more by whoever looks at them, while others of the share arrive. */
test(
  "what was put in its place earlier is there while more arrives, though the pack has it no longer",
  { timeout: 60_000 },
  async () => {
    await withFolder(async (folder) => {
      const { record, catalogue, files, swarm, output } = await partOf(folder, false);
      catalogue.putSelection(record.id, { choices: [], opened: ONLY_A, held: null });
      await mkdir(path.join(output, "album"), { recursive: true });
      await writeFile(path.join(output, "album/a"), A);
      const list = await files.list({ id: record.id, limit: 10 }, signal);
      assert.deepEqual(
        list.files.map(({ path: name, doneBytes }) => [name, doneBytes]),
        [
          ["album/a", A.length],
          ["album/b", 0],
        ],
      );
      const file = await files.open(record.id, "album/a", signal);
      assert.ok((await bytesOf(file)).equals(await readFile(path.join(output, "album/a"))));
      swarm.close();
    });
  },
);
