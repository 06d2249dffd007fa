import {
  decodeBencode,
  encodeBencode,
  type BencodedDict,
  type BencodedValue,
} from "../../src/base/bencode.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import { pieceLayerRoot } from "../../src/torrent/merkle.ts";

/** What BEP 52 says of one file of a torrent. */
interface TorrentFileEntry {
  readonly path: string;
  readonly length: number;
  readonly root: Buffer | undefined;
}

/**
 * Decodes any v2 or hybrid `.torrent` and checks all that BEP 52 asks for, with our bencode and our Merkle tree. The product reads no
 * torrent files; this is how both are held to other people's. Raises BackroomErrors whose text says what is wrong.
 */
export function decodeTorrentFile(bytes: Buffer): { infohash: Buffer; files: TorrentFileEntry[] } {
  const file = dictOf(decodeBencode(bytes), "file");
  const info = dictOf(file.get("info"), "info");
  if (info.get("meta version") !== 2) throw bad("meta version");
  const pieceLength = info.get("piece length");
  const power = typeof pieceLength === "number" && Number.isInteger(Math.log2(pieceLength));
  if (!power || pieceLength < 16_384) throw bad("piece length");
  const files = filesIn(dictOf(info.get("file tree"), "file tree"), "");
  if (files.length === 0) throw bad("file tree");
  const layers = dictOf(file.get("piece layers"), "piece layers");
  for (const entry of files) checkLayer(entry, layers, pieceLength);
  if (info.has("files")) checkAlignment(info.get("files"), files, pieceLength);
  return { infohash: sha256(encodeBencode(info)), files };
}

function filesIn(tree: BencodedDict, above: string): TorrentFileEntry[] {
  return [...tree].flatMap(([name, below]) => {
    const node = dictOf(below, "file tree");
    if (name !== "") return filesIn(node, `${above}/${name}`);
    const length = node.get("length");
    const root = node.get("pieces root");
    if (above === "" || tree.size !== 1) throw bad("file tree");
    if (typeof length !== "number" || length < 0) throw bad("length");
    const usable = Buffer.isBuffer(root) && root.length === 32 && root.some((byte) => byte !== 0);
    if (length > 0 && !usable) throw bad("pieces root");
    return [{ path: above, length, root: Buffer.isBuffer(root) ? root : undefined }];
  });
}

/** Every file longer than a piece has a layer that leads to its root. */
function checkLayer(entry: TorrentFileEntry, layers: BencodedDict, pieceLength: number): void {
  if (entry.length <= pieceLength || entry.root === undefined) return;
  const layer = layers.get(entry.root.toString("latin1"));
  const size = Math.ceil(entry.length / pieceLength) * 32;
  if (!Buffer.isBuffer(layer) || layer.length !== size) throw bad("piece layer size");
  if (!pieceLayerRoot(layer, pieceLength).equals(entry.root)) throw bad("piece layer hash");
}

/** A hybrid's v1 list names the same files, each beginning at a piece. */
function checkAlignment(
  list: BencodedValue | undefined,
  files: TorrentFileEntry[],
  pieceLength: number,
): void {
  let offset = 0;
  const real: { path: string; length: number }[] = [];
  for (const item of Array.isArray(list) ? list : []) {
    const entry = dictOf(item, "files");
    const [length, attributes, names] = [entry.get("length"), entry.get("attr"), entry.get("path")];
    if (typeof length !== "number" || !Array.isArray(names) || !names.every((part) => Buffer.isBuffer(part)))
      throw bad("files");
    const padding = Buffer.isBuffer(attributes) && attributes.includes("p");
    if (!padding) {
      if (offset % pieceLength !== 0) throw bad("file alignment");
      real.push({ path: `/${names.map((part) => part.toString("latin1")).join("/")}`, length });
    }
    offset += length;
  }
  const same = files.every((file, at) => file.path === real[at]?.path && file.length === real[at].length);
  if (!same || real.length !== files.length) throw bad("file alignment");
}

function dictOf(value: BencodedValue | undefined, what: string): BencodedDict {
  if (!(value instanceof Map)) throw bad(what);
  return value;
}

function bad(what: string): BackroomError {
  return new BackroomError("E_DECODE", `a torrent's ${what} is missing or wrong`);
}
