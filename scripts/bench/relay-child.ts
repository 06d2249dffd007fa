import { systemClock } from "../../packages/core/src/base/clock.ts";
import { systemRandom } from "../../packages/core/src/base/random.ts";
import { ChannelPool } from "../../packages/core/src/circuit/channel-pool.ts";
import { buildCircuit } from "../../packages/core/src/circuit/client-circuit.ts";
import { createRelay } from "../../packages/core/src/circuit/relay.ts";
import {
  SERVICE,
  STREAM_PAYLOAD_BYTES,
  type Circuit,
  type CircuitStream,
  type HopTarget,
} from "../../packages/core/src/circuit/stream.ts";
import { generateKeys } from "../../packages/core/src/crypto/keys.ts";
import { createTlsDialer } from "../../packages/core/src/net/tls-dialer.ts";
import { listenTls } from "../../packages/core/src/net/tls-listener.ts";

/**
 * One party of the relay benchmark in a process of its own, told by its parent who it is. A relay whose last hop it is sends for as long as it may; its relay
 * info is what this file makes of its address, since nothing here joins a network.
 */
export type ChildTask =
  | { readonly role: "relay" }
  /** Builds as many circuits, each over channels of its own, and reads all that comes. */
  | { readonly role: "readers"; readonly count: number; readonly path: readonly string[] };

/** What a child says: a relay's info, or that all circuits stand. */
export interface ChildReport {
  readonly info?: string;
  readonly ready?: boolean;
}

const NETWORK_ID = 77;

function targetOf(info: Buffer): HopTarget {
  const { node, onion, port } = JSON.parse(info.toString()) as { node: string; onion: string; port: number };
  const [nodeKey, onionKey] = [Buffer.from(node, "base64"), Buffer.from(onion, "base64")];
  return { nodeKey, onionKey, info, endpoints: [{ host: "127.0.0.1", port }] };
}

async function relay(): Promise<ChildReport> {
  const nodeKeys = generateKeys("ed25519");
  const onionKeys = generateKeys("x25519");
  const identity = { nodeKeys, info: () => Buffer.alloc(0) };
  const common = { networkId: NETWORK_ID, clock: systemClock, random: systemRandom, identity };
  const served = createRelay({
    nodeKey: nodeKeys.publicBytes,
    onionKeys: () => [onionKeys],
    dialer: createTlsDialer(common),
    clock: systemClock,
    isRelay: () => true,
    resolveExtend: targetOf,
    services: {
      [SERVICE.connect]: (stream) => {
        const fill = (): void => {
          while (stream.sendWindow > 0) stream.send(Buffer.alloc(STREAM_PAYLOAD_BYTES, 7));
        };
        setImmediate(fill);
        return { onData() {}, onWindow: fill, onEnd() {} };
      },
    },
  });
  const { port } = await listenTls(
    { ...common, host: "127.0.0.1", port: 0, channelsPerAddress: 1_024 },
    (channel) => served.accept(channel),
  );
  const [node, onion] = [nodeKeys, onionKeys].map(({ publicBytes }) => publicBytes.toString("base64"));
  return { info: JSON.stringify({ node, onion, port }) };
}

async function readers(count: number, path: readonly string[]): Promise<ChildReport> {
  const dialer = createTlsDialer({ networkId: NETWORK_ID, clock: systemClock, random: systemRandom });
  const hops = path.map((info) => targetOf(Buffer.from(info)));
  const circuits: Circuit[] = [];
  for (let number = 0; number < count; number++) {
    const channels = new ChannelPool({ dialer, clock: systemClock });
    // One after the other: a relay takes so many handshakes a second and no more.
    // oxlint-disable-next-line no-await-in-loop
    circuits.push(await buildCircuit({ channels, clock: systemClock }, hops));
  }
  for (const circuit of circuits) {
    const stream: CircuitStream = circuit.openStream(SERVICE.connect, Buffer.alloc(0), {
      onData: () => stream.consumed(1),
      onWindow() {},
      onEnd() {},
    });
  }
  return { ready: true };
}

process.on("message", (task: ChildTask) => {
  const report = task.role === "relay" ? relay() : readers(task.count, task.path);
  report.then(
    (said) => process.send?.(said),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
