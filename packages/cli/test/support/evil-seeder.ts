import { silentLog } from "@backroom/core/base/log.ts";
import { parseLink, topicSecret } from "@backroom/core/link/link.ts";
import { Client } from "@backroom/core/node/client.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { currentNetwork } from "@backroom/core/node/networks.ts";
import { Swarming } from "@backroom/core/node/swarming.ts";
import { openPackStore } from "@backroom/core/store/open-pack.ts";
import type { PieceStore } from "@backroom/core/store/piece-store.ts";
import { torrentInfo } from "@backroom/core/torrent/info.ts";
import { quietHooks } from "./quiet-hooks.ts";

/**
 * A seeder that holds a pack and hands out every third piece wrong, by one bit. Started like a command: `--json --data FOLDER LINK`; says
 * `ready` once it can be found, and `seeding` as `share` does.
 */
const [, folderName, text = ""] = process.argv.slice(2).filter((argument) => argument !== "--json");
const folder = await openDataFolder(folderName);
const link = parseLink(text);
const right = await openPackStore(folder.packs, torrentInfo(link.piecesRoot, link.packLength));
const { info } = right;

const wrong: PieceStore = {
  info,
  complete: right.complete,
  have: (piece) => right.have(piece),
  haveCount: () => right.haveCount(),
  pieceLayer: () => right.pieceLayer(),
  async read(offset, length) {
    const bytes = Buffer.from(await right.read(offset, length));
    for (let at = 0; at < length; at++) {
      const position = offset + at;
      const isWrong = Math.floor(position / info.pieceLength) % 3 === 0;
      if (isWrong && position % info.pieceLength === 0) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    }
    return bytes;
  },
  write: (piece, bytes) => right.write(piece, bytes),
  setPieceLayer: (layer) => right.setPieceLayer(layer),
  close: () => right.close(),
};

const say = (event: string, data: object): void =>
  void process.stdout.write(`${JSON.stringify({ v: 1, event, ...data })}\n`);
const client = await Client.open(
  {
    folder,
    network: await currentNetwork(folder),
    joinRelays: link.relays,
    profile: "standard",
    log: silentLog,
    proxy: undefined,
  },
  quietHooks,
);
const swarming = new Swarming({
  client,
  store: wrong,
  topic: { topicSecret: topicSecret(link), sharerFingerprint: link.sharerFingerprint },
  sharerKeys: undefined,
  notGates: new Set(),
});
let ready = false;
setInterval(() => {
  if (!ready && swarming.gateCount > 0) {
    ready = true;
    say("ready", {});
  }
  say("seeding", { uploadedBytes: swarming.swarm.stats().uploadedBytes });
}, 100);
