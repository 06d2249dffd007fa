/**
 * Writes the pieces of a pack again and again until it is killed. argv: folder, file with the pack's bytes. Says "ready" once the first
 * piece is marked.
 */
import { readFileSync } from "node:fs";
import { openPackStore } from "../../src/store/open-pack.ts";
import { torrentInfo } from "../../src/torrent/info.ts";
import { MerkleHasher } from "../../src/torrent/merkle-hasher.ts";

const [folder = "", file = ""] = process.argv.slice(2);
const bytes = readFileSync(file);
const hasher = new MerkleHasher();
hasher.update(bytes);
const { root, pieceLayer } = hasher.digest();
const info = torrentInfo(root, bytes.length);
const store = await openPackStore(folder, info);
await store.setPieceLayer(pieceLayer);
const pieces = Array.from({ length: info.pieceCount }, (_, piece) => piece).filter(
  (piece) => !store.have(piece),
);
await Promise.all(
  [0, 1, 2, 3].map(async (lane) => {
    for (const piece of pieces.filter((candidate) => candidate % 4 === lane)) {
      await store.write(piece, bytes.subarray(piece * info.pieceLength, (piece + 1) * info.pieceLength));
      process.stdout.write("ready\n");
    }
  }),
);
