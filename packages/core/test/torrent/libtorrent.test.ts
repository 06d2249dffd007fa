import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { torrentInfo } from "../../src/torrent/info.ts";
import { MerkleHasher } from "../../src/torrent/merkle-hasher.ts";
import { encodeTorrentFile } from "../../src/torrent/torrent-file.ts";
import { havePartners } from "../support/partners.ts";
import { libtorrentJson } from "./libtorrent.ts";

const MAKE = `
folder = sys.argv[1]
answers = []
for name, piece_length in zip(sys.argv[2::2], sys.argv[3::2]):
    files = lt.file_storage()
    files.add_file(name, os.path.getsize(os.path.join(folder, name)))
    made = lt.create_torrent(files, int(piece_length), lt.create_torrent.v2_only)
    lt.set_piece_hashes(made, folder)
    entry = made.generate()
    info = lt.torrent_info(entry)
    tree = entry[b"info"][b"file tree"][name.encode()][b""]
    layers = entry.get(b"piece layers", {})
    ours = lt.torrent_info(os.path.join(folder, name + ".torrent"))
    answers.append({
        "root": tree[b"pieces root"].hex(),
        "infohash": str(info.info_hashes().v2),
        "layer": layers.get(tree[b"pieces root"], b"").hex(),
        "oursInfohash": str(ours.info_hashes().v2),
        "oursName": ours.name(),
    })
print(json.dumps(answers))
`;

/** Lengths at the edges of leaf, piece and tree height. The last ones have longer pieces. */
const LENGTHS = [
  1,
  16_383,
  16_384,
  16_385,
  65_535,
  65_536,
  65_537,
  81_920,
  131_072,
  196_609,
  65_536 * 5 - 3,
  65_536 * 16,
  2 ** 26,
  2 ** 26 + 1,
  2 ** 26 + 700_000,
];

test("libtorrent computes the same pieces root, piece layer and infohash, and reads our torrent file", (t) => {
  if (!havePartners(t, "libtorrent")) return;
  const folder = mkdtempSync(path.join(tmpdir(), "backroom-libtorrent-"));
  try {
    const bytes = randomBytes(LENGTHS.at(-1) as number);
    const made = LENGTHS.map((length) => {
      const hasher = new MerkleHasher();
      hasher.update(bytes.subarray(0, length));
      const { root, pieceLayer } = hasher.digest();
      const info = torrentInfo(root, length);
      writeFileSync(path.join(folder, info.name), bytes.subarray(0, length));
      writeFileSync(path.join(folder, `${info.name}.torrent`), encodeTorrentFile(info, pieceLayer));
      return { info, pieceLayer };
    });
    const args = made.flatMap(({ info }) => [info.name, String(info.pieceLength)]);
    const expected = made.map(({ info, pieceLayer }) => ({
      root: info.root.toString("hex"),
      infohash: info.infohash.toString("hex"),
      layer: info.pieceCount === 1 ? "" : pieceLayer.toString("hex"),
      oursInfohash: info.infohash.toString("hex"),
      oursName: info.name,
    }));
    assert.deepEqual(libtorrentJson(MAKE, folder, ...args), expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
