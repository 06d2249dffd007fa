import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { encodeTorrentFile } from "../../src/torrent/torrent-file.ts";
import { havePartners } from "../support/partners.ts";
import { socketDuplex } from "../support/socket-duplex.ts";
import { memberOf, samplePack, storeOf, type SamplePack } from "./fixtures.ts";

/** libtorrent cannot but send addresses and its name; in the product such a peer is dropped. */
const ON_LOOPBACK = {
  addressPolicy: "ignore",
  // It passes over what it does not know, also our offer to take leases.
  leases: { take: () => undefined, offer: () => [] },
} as const;
const LIMIT = { timeout: 60_000 };
const MIB = 1024 * 1024;

function folderFor(t: TestContext, pack: SamplePack): { folder: string; torrent: string; file: string } {
  const folder = mkdtempSync(path.join(tmpdir(), "backroom-swarm-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const torrent = path.join(folder, "pack.torrent");
  writeFileSync(torrent, encodeTorrentFile(pack.info, pack.pieceLayer));
  return { folder, torrent, file: path.join(folder, pack.info.name) };
}

/** Starts libtorrent; `line` gives what it prints, line by line. It leaves when the test ends. */
function libtorrent(t: TestContext, mode: "seed" | "leech", torrent: string, folder: string, port = 0) {
  const script = path.join(import.meta.dirname, "partner-peer.py");
  const child: ChildProcess = spawn("/usr/bin/python3", [script, mode, torrent, folder, String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => void child.kill());
  assert.ok(child.stdout !== null);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const next = await lines.next();
    assert.ok(next.done !== true, "libtorrent left early");
    return next.value;
  };
  return { line };
}

test("libtorrent as seeder: piece layer by hash requests, then every piece", LIMIT, async (t) => {
  if (!havePartners(t, "libtorrent")) return;
  const pack = samplePack(30 * MIB + 1234);
  const { folder, torrent, file } = folderFor(t, pack);
  writeFileSync(file, pack.bytes);
  const partner = libtorrent(t, "seed", torrent, folder);
  const port = Number(await partner.line());
  const leecher = memberOf(new MemoryStore(pack.info), ON_LOOPBACK);
  leecher.swarm.addPeer(socketDuplex(createConnection(port, "127.0.0.1")), { initiator: true });
  await leecher.complete;
  assert.ok((await leecher.store.read(0, pack.bytes.length)).equals(pack.bytes));
  assert.deepEqual(leecher.store.pieceLayer(), pack.pieceLayer);
  assert.equal(leecher.swarm.stats().downloadedBytes, pack.bytes.length);
  leecher.swarm.close();
});

test("libtorrent as leecher gets the pack from us", LIMIT, async (t) => {
  if (!havePartners(t, "libtorrent")) return;
  // Whole blocks: libtorrent 2.0.8 takes the rest of the last block for a pad file and asks for that too, beyond the pack's end.
  const pack = samplePack(30 * MIB + 32 * 1024);
  const { folder, torrent, file } = folderFor(t, pack);
  const seeder = memberOf(await storeOf(pack), ON_LOOPBACK);
  const server = createServer((socket) => {
    seeder.swarm.addPeer(socketDuplex(socket), { initiator: false });
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const partner = libtorrent(t, "leech", torrent, folder, (server.address() as AddressInfo).port);
  await partner.line();
  assert.equal(await partner.line(), "done");
  assert.ok(readFileSync(file).equals(pack.bytes));
  seeder.swarm.close();
});

test("in the product libtorrent is dropped, for the address it sends", LIMIT, async (t) => {
  if (!havePartners(t, "libtorrent")) return;
  const pack = samplePack(MIB);
  const { folder, torrent, file } = folderFor(t, pack);
  writeFileSync(file, pack.bytes);
  const partner = libtorrent(t, "seed", torrent, folder);
  const port = Number(await partner.line());
  const closed = Promise.withResolvers<string | undefined>();
  const leecher = memberOf(
    new MemoryStore(pack.info),
    {},
    { onPeerClosed: (_peer, error) => closed.resolve(error?.code) },
  );
  leecher.swarm.addPeer(socketDuplex(createConnection(port, "127.0.0.1")), { initiator: true });
  assert.equal(await closed.promise, "E_PEER_ADDRESS");
  leecher.swarm.close();
});
