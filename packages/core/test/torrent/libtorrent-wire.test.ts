import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { encodeHandshake } from "../../src/torrent/handshake.ts";
import { pieceBytes, torrentInfo, type TorrentInfo } from "../../src/torrent/info.ts";
import { MerkleHasher } from "../../src/torrent/merkle-hasher.ts";
import { verifyPiece } from "../../src/torrent/merkle.ts";
import { encodeMessage, type BlockRange, type WireMessage } from "../../src/torrent/peer-wire.ts";
import { PieceLayerFetch } from "../../src/torrent/piece-layer-fetch.ts";
import { PieceTree } from "../../src/torrent/piece-tree.ts";
import { encodeTorrentFile } from "../../src/torrent/torrent-file.ts";
import { PeerWireDecoder } from "../../src/torrent/wire-decoder.ts";
import { havePartners } from "../support/partners.ts";

const SESSION = `
import libtorrent as lt, sys, os, time
session = lt.session({
    "listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
    "enable_natpmp": False, "enable_outgoing_utp": False, "enable_incoming_utp": False,
    "in_enc_policy": 2, "out_enc_policy": 2, "allow_multiple_connections_per_ip": True,
})
folder, name, mode = sys.argv[1:4]
wanted = lt.add_torrent_params()
wanted.save_path = folder
`;
/** Seeds from a folder, says at which port, and waits to be killed. */
const SEEDER = `${SESSION}
wanted.ti = lt.torrent_info(os.path.join(folder, name + ".torrent"))
handle = session.add_torrent(wanted)
while not handle.status().is_seeding: time.sleep(0.02)
print(session.listen_port(), flush=True)
time.sleep(60)
`;
/** Knows the info dictionary and no piece layer, as after a magnet link; ends once it has everything from the one peer at argv[3]. */
const LEECHER = `${SESSION}
info = open(os.path.join(folder, name + ".info"), "rb").read()
wanted.info_hashes = lt.info_hash_t(lt.sha256_hash(bytes.fromhex(sys.argv[4])))
handle = session.add_torrent(wanted)
handle.set_metadata(info)
while not handle.status().is_seeding:
    if handle.status().num_peers == 0: handle.connect_peer(("127.0.0.1", int(mode)))
    time.sleep(0.05)
`;

/** 513 pieces: the second request for hashes has a single one in it, which is where implementations differ most. */
const LENGTH = 512 * 65_536 + 1000;

interface Made {
  readonly folder: string;
  readonly bytes: Buffer;
  readonly info: TorrentInfo;
  readonly pieceLayer: Buffer;
}

async function withPack(run: (made: Made) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "backroom-wire-"));
  try {
    const bytes = randomBytes(LENGTH);
    const hasher = new MerkleHasher();
    hasher.update(bytes);
    const { root, pieceLayer } = hasher.digest();
    await run({ folder, bytes, info: torrentInfo(root, LENGTH), pieceLayer });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A bare peer: the handshake, then `onMessage` for everything. Fulfilled when `onMessage` says "done", or the socket closes. */
async function speak(
  socket: Socket,
  info: TorrentInfo,
  onMessage: (message: WireMessage, send: (message: WireMessage) => void) => "done" | void,
): Promise<void> {
  const decoder = new PeerWireDecoder(info.pieceCount);
  const send = (message: WireMessage): void => void socket.write(encodeMessage(message));
  socket.write(encodeHandshake(info.infohash, randomBytes(20)));
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    for (const message of decoder.push(chunk)) {
      if (message.type === "handshake") {
        assert.deepEqual(message.infohash, info.infohash.subarray(0, 20));
        assert.ok(message.fast && message.extensions);
      } else if (onMessage(message, send) === "done") return;
    }
  }
}

test("libtorrent, which knows only the info dictionary, gets the piece layer and all pieces from us", async (t) => {
  if (!havePartners(t, "libtorrent")) return;
  await withPack(async ({ folder, bytes, info, pieceLayer }) => {
    const tree = new PieceTree(info, pieceLayer);
    const seen = new Set<string>();
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write(Buffer.alloc(0));
      speak(socket, info, (message, send) => {
        seen.add(message.type);
        if (message.type === "extended" && message.id === 0) send({ type: "haveAll" });
        if (message.type === "interested") send({ type: "unchoke" });
        if (message.type === "hashRequest") send(tree.answer(message));
        if (message.type === "request")
          send({ ...message, type: "piece", bytes: blockOf(bytes, info, message) });
      }).catch(() => socket.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = String((server.address() as AddressInfo).port);
    writeFileSync(path.join(folder, `${info.name}.info`), info.infoBytes);
    const args = ["-c", LEECHER, folder, info.name, port, info.infohash.toString("hex")];
    const child = spawn("/usr/bin/python3", args, { stdio: "inherit", timeout: 40_000 });
    const [status] = await once(child, "close");
    server.close();
    assert.equal(status, 0, `libtorrent did not finish; it sent ${[...seen].join(", ")}`);
    assert.ok(readFileSync(path.join(folder, info.name)).equals(bytes));
    assert.ok(seen.has("hashRequest"));
  });
});

test("a piece layer and pieces that libtorrent sends are understood and verified", async (t) => {
  if (!havePartners(t, "libtorrent")) return;
  await withPack(async ({ folder, bytes, info, pieceLayer }) => {
    writeFileSync(path.join(folder, info.name), bytes);
    writeFileSync(path.join(folder, `${info.name}.torrent`), encodeTorrentFile(info, pieceLayer));
    const child = spawn("/usr/bin/python3", ["-c", SEEDER, folder, info.name, "seed"], { timeout: 40_000 });
    const gone = once(child, "close");
    try {
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      const socket = connect(Number(said.toString()), "127.0.0.1");
      const fetch = new PieceLayerFetch(info);
      const pieces = new Map<number, Buffer>();
      await speak(socket, info, (message, send) => {
        if (message.type === "haveAll" || message.type === "bitfield") {
          send({ type: "interested" });
          for (const range of fetch.missing()) send({ type: "hashRequest", ...range });
        }
        if (message.type === "hashes") fetch.accept(message);
        if (message.type === "unchoke") {
          for (const piece of [0, 511, 512]) for (const block of blocksOf(info, piece)) send(block);
        }
        if (message.type === "piece") {
          const whole = pieces.get(message.piece) ?? Buffer.alloc(pieceBytes(info, message.piece));
          message.bytes.copy(whole, message.begin);
          pieces.set(message.piece, whole);
        }
        const blocks = [0, 511, 512].every((piece) => complete(bytes, info, piece, pieces));
        return fetch.layer !== undefined && blocks ? "done" : undefined;
      });
      assert.deepEqual(fetch.layer, pieceLayer);
      assert.equal(pieces.size, 3);
      for (const [piece, got] of pieces) assert.ok(verifyPiece(info, pieceLayer, piece, got));
    } finally {
      child.kill("SIGKILL");
      await gone;
    }
  });
});

/** libtorrent 2.0 pads a v2 file to whole pieces and asks for whole blocks at its end too: what lies behind the end is zeros. */
function blockOf(bytes: Buffer, info: TorrentInfo, block: BlockRange): Buffer {
  const start = block.piece * info.pieceLength + block.begin;
  return Buffer.concat([bytes.subarray(start, start + block.length)], block.length);
}

function blocksOf(info: TorrentInfo, piece: number): WireMessage[] {
  const total = pieceBytes(info, piece);
  return Array.from({ length: Math.ceil(total / 16_384) }, (_, at) => {
    const begin = at * 16_384;
    return { type: "request", piece, begin, length: Math.min(16_384, total - begin) };
  });
}

function complete(bytes: Buffer, info: TorrentInfo, piece: number, got: Map<number, Buffer>): boolean {
  const whole = { piece, begin: 0, length: pieceBytes(info, piece) };
  return got.get(piece)?.equals(blockOf(bytes, info, whole)) === true;
}
