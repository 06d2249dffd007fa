import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isBackroomError } from "../../src/base/errors.ts";
import { torrentInfo } from "../../src/torrent/info.ts";
import { pieceLayerRoot } from "../../src/torrent/merkle.ts";
import { encodeTorrentFile } from "../../src/torrent/torrent-file.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { haveFolder, havePartners } from "../support/partners.ts";
import { decodeTorrentFile } from "../support/torrent-file.ts";
import { libtorrentJson } from "./libtorrent.ts";

const besideRepository = fileURLToPath(new URL("../../../../../shared/vectors", import.meta.url));
const FOLDER = path.join(process.env["BACKROOM_VECTORS"] ?? besideRepository, "bep52");

/** What each refused file must be refused for. The large file is one whose piece layer is far too short for its length. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "v2_bad_file_alignment.torrent": /file alignment/,
  "v2_deep_recursion.torrent": /nests too deeply/,
  "v2_invalid_piece_layer.torrent": /piece layer size/,
  "v2_invalid_piece_layer_size.torrent": /piece layer size/,
  "v2_invalid_root_hash.torrent": /piece layer|pieces root/,
  "v2_large_file.torrent": /piece layer size/,
  "v2_no_power2_piece.torrent": /piece length/,
  "v2_overlong_integer.torrent": /integer is missing, malformed/,
  "v2_piece_layer_invalid_file_hash.torrent": /piece layer/,
  "v2_zero_root.torrent": /pieces root/,
};

const INFOHASHES = `
print(json.dumps([str(lt.torrent_info(file).info_hashes().v2) for file in sys.argv[1:]]))
`;

test("libtorrent's own torrents decode to its infohash, or are refused for what their name says", (t) => {
  if (!haveFolder(t, FOLDER, "the BEP 52 torrents of libtorrent's tests")) return;
  const decoded: { file: string; infohash: string }[] = [];
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".torrent"))) {
    const file = path.join(FOLDER, name);
    const reason = REFUSED[name];
    const decode = (): ReturnType<typeof decodeTorrentFile> => decodeTorrentFile(readFileSync(file));
    if (reason === undefined) decoded.push({ file, infohash: decode().infohash.toString("hex") });
    else assert.throws(decode, (error) => isBackroomError(error) && reason.test(error.message), name);
  }
  assert.ok(decoded.length >= 4);
  if (!havePartners(t, "libtorrent")) return;
  const theirs = libtorrentJson(INFOHASHES, ...decoded.map(({ file }) => file));
  assert.deepEqual(
    theirs,
    decoded.map(({ infohash }) => infohash),
  );
});

const layer = Buffer.from(Array.from({ length: 3 * 32 }, (_, index) => index));
const info = torrentInfo(pieceLayerRoot(layer, 65_536), 3 * 65_536);

decoderSuite({
  name: "torrent file",
  decode: decodeTorrentFile,
  samples: [encodeTorrentFile(info, layer), encodeTorrentFile(torrentInfo(info.root, 5), info.root)],
});

test("a torrent file of ours says of itself what torrentInfo says", () => {
  const { infohash, files } = decodeTorrentFile(encodeTorrentFile(info, layer));
  assert.deepEqual(infohash, info.infohash);
  assert.deepEqual(files, [{ path: `/${info.name}`, length: info.length, root: info.root }]);
});
