import { readFile } from "node:fs/promises";
import { systemClock } from "../../packages/core/src/base/clock.ts";
import { silentLog } from "../../packages/core/src/base/log.ts";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { createRelay } from "../../packages/core/src/circuit/relay.ts";
import { SERVICE, type Service, type ServiceHandler } from "../../packages/core/src/circuit/stream.ts";
import { generateKeys, type KeyPair } from "../../packages/core/src/crypto/keys.ts";
import { createMemoryNetwork } from "../../packages/core/src/net/memory-channel.ts";
import type { Dialer, Endpoint } from "../../packages/core/src/net/channel.ts";
import { listenTls } from "../../packages/core/src/net/tls-listener.ts";
import { createSwarm } from "../../packages/core/src/swarm/swarm.ts";
import { torrentInfo } from "../../packages/core/src/torrent/info.ts";
import { GivenStore } from "./given-store.ts";
import { hopOf, NETWORK_ID, type FeederReport, type SavedHop } from "./ends-hops.ts";
import { acceptTunnel } from "../../packages/core/src/tunnel/tunnel.ts";

/**
 * What stands at the other end of the benchmark's downloader, all of it in one process: three relays, the first of them behind TLS, and a seeder at the last
 * one, whose pack lies in memory. So it costs less than the downloader does, who is what is measured.
 */
export interface FeederTask {
  readonly pack: string;
  readonly root: string;
  readonly pieceLayer: string;
  readonly psk: string;
}

const RELAYS = 3;

async function feed(task: FeederTask): Promise<FeederReport> {
  const bytes = await readFile(task.pack);
  const store = new GivenStore(torrentInfo(Buffer.from(task.root, "base64"), bytes.length), bytes);
  await store.setPieceLayer(Buffer.from(task.pieceLayer, "base64"));
  const swarm = createSwarm({ store, clock: systemClock, random: systemRandom, log: silentLog });
  const seeder = { leaseKeys: generateKeys("ed25519"), tunnelKeys: generateKeys("x25519") };
  const connect: ServiceHandler = (stream) => {
    const { handlers, ready } = acceptTunnel(stream, seeder, Buffer.from(task.psk, "base64"), {
      clock: systemClock,
    });
    void ready.then((tunnel) => swarm.addPeer(tunnel, { initiator: false }));
    return handlers;
  };
  const deps = { clock: systemClock, random: systemRandom };
  const network = createMemoryNetwork(deps);
  const hops: SavedHop[] = [];
  for (let number = 0; number < RELAYS; number++) {
    const keys = { nodeKeys: generateKeys("ed25519"), onionKeys: generateKeys("x25519") };
    const identity = { nodeKeys: keys.nodeKeys, info: () => Buffer.alloc(0) };
    const dialer = network.createDialer({ networkId: NETWORK_ID, identity });
    const relay = relayOf(keys, dialer, number === RELAYS - 1 ? { [SERVICE.connect]: connect } : {});
    const common = { networkId: NETWORK_ID, identity };
    const endpoints: Endpoint[] = [];
    if (number === 0) {
      const { port } = await listenTls({ ...common, ...deps, host: "127.0.0.1", port: 0 }, (channel) =>
        relay.accept(channel),
      );
      endpoints.push({ host: "127.0.0.1", port });
    } else network.listen(common, (channel) => relay.accept(channel));
    hops.push({
      nodeKey: keys.nodeKeys.publicBytes.toString("base64"),
      onionKey: keys.onionKeys.publicBytes.toString("base64"),
      endpoints,
    });
  }
  return {
    hops,
    leaseKey: seeder.leaseKeys.publicBytes.toString("base64"),
    tunnelKey: seeder.tunnelKeys.publicBytes.toString("base64"),
  };
}

function relayOf(
  { nodeKeys, onionKeys }: { nodeKeys: KeyPair; onionKeys: KeyPair },
  dialer: Dialer,
  services: Partial<Record<Service, ServiceHandler>>,
): ReturnType<typeof createRelay> {
  return createRelay({
    nodeKey: nodeKeys.publicBytes,
    onionKeys: () => [onionKeys],
    dialer,
    clock: systemClock,
    isRelay: () => true,
    resolveExtend: (info) => hopOf(JSON.parse(info.toString()) as SavedHop),
    services,
  });
}

process.on("message", (task: FeederTask) => {
  feed(task).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
