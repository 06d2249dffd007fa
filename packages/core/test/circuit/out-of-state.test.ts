import assert from "node:assert/strict";
import { test } from "node:test";
import {
  COMMAND,
  DESTROY_REASON,
  encodeBegin,
  encodeExtend,
  makeDataFrame,
  decodeControl,
  writeControl,
  writeData,
  type ControlMessage,
} from "../../src/circuit/control.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import {
  CLIENT_MESSAGE_BYTES,
  clientHello,
  PROTOCOL_ID,
  SERVER_REPLY_BYTES,
  serverReply,
} from "../../src/circuit/handshake.ts";
import { ClientLayers, HopLayers, MAX_HOPS, MINE, PASS_ON, RelayLayers } from "../../src/circuit/layer.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { SERVICE, type HopTarget } from "../../src/circuit/stream.ts";
import type { Channel } from "../../src/net/channel.ts";
import { FRAME, frameBody, frameType, makeFrame } from "../../src/net/frame.ts";
import { createCircuitWorld, settle, type CircuitWorld, type WorldRelay } from "../support/circuit-world.ts";

const CIRCUIT = 0x8000_0001;
const STREAM = 1;

/** A client that has the keys of each hop by itself, and can say anything to any of them, whatever the state of its circuit. */
class RawClient {
  readonly #channel: Channel;
  readonly #hops: HopLayers[] = [];
  #next: Buffer | undefined;
  /** Reasons of DESTROY. */
  readonly destroyed: number[] = [];

  private constructor(channel: Channel) {
    this.#channel = channel;
    channel.start({
      onFrame: (frame) => {
        if (frameType(frame) === FRAME.destroy) this.destroyed.push(frameBody(frame)[0] as number);
        if (frameType(frame) === FRAME.created || frameType(frame) === FRAME.control) this.#next = frame;
      },
      onDrain() {},
      onClose: () => this.destroyed.push(-1),
    });
  }

  static async enter(world: CircuitWorld, first: HopTarget): Promise<RawClient> {
    const client = new RawClient(await world.network.createDialer({ networkId: 7 }).dial({ ...first }));
    const hello = helloFor(first, 1);
    const frame = makeFrame(FRAME.create, CIRCUIT);
    frameBody(frame).set(hello.message);
    client.#channel.send(frame);
    client.#add(hello, frameBody(await client.#answer()));
    return client;
  }

  async extend(target: HopTarget): Promise<void> {
    const hello = helloFor(target, this.#hops.length + 1);
    this.control(
      { command: COMMAND.extend, stream: 0, payload: encodeExtend(target.info, hello.message) },
      this.#hops.length,
    );
    const { command, payload } = decodeControl(
      this.#layers()
        .open(await this.#answer())
        .subarray(1),
    );
    assert.equal(command, COMMAND.extended);
    this.#add(hello, payload);
  }

  /** To the hop of that position, with the layers of those up to it. */
  control(message: ControlMessage, position: number, what = MINE): void {
    const frame = makeFrame(FRAME.control, CIRCUIT);
    writeControl(frame, this.#layers(position).ownRange(frame.length), message);
    this.#send(frame, position, what);
  }

  data(payload: Buffer, position: number, what = MINE): void {
    const frame = makeDataFrame(payload.length);
    writeData(frame, this.#layers(position).ownRange(frame.length), STREAM, payload);
    this.#send(frame, position, what);
  }

  #send(frame: Buffer, position: number, what: number): void {
    const layers = this.#layers(position);
    frame[layers.ownRange(frame.length).start] = what;
    layers.sealOwn(frame);
    frame.writeUInt32BE(CIRCUIT, 0);
    // The header of a DATA frame is the leg's to write.
    frame[5] = 0;
    frame.writeUInt16BE(0, 6);
    this.#channel.send(frame);
  }

  #layers(position = this.#hops.length): ClientLayers {
    const layers = new ClientLayers();
    for (const hop of this.#hops.slice(0, position)) layers.add(hop);
    return layers;
  }

  #add(hello: ReturnType<typeof clientHello>, reply: Buffer): void {
    this.#hops.push(new HopLayers(hello.finish(reply.subarray(0, SERVER_REPLY_BYTES))));
  }

  async #answer(): Promise<Buffer> {
    this.#next = undefined;
    for (let left = 20; left > 0 && this.#next === undefined; left--) await settle();
    assert.ok(this.#next !== undefined, "no answer came");
    return this.#next;
  }
}

function helloFor({ nodeKey, onionKey }: HopTarget, position: number): ReturnType<typeof clientHello> {
  return clientHello({ protocolId: PROTOCOL_ID.hop, nodeId: nodeKey, onionKey, position });
}

const begin = {
  command: COMMAND.begin,
  stream: STREAM,
  payload: encodeBegin(SERVICE.directory, Buffer.alloc(0)),
};
const extendTo = (target: HopTarget, position: number): ControlMessage => ({
  command: COMMAND.extend,
  stream: 0,
  payload: encodeExtend(target.info, helloFor(target, position).message),
});

/** What PROTOCOL 6.2 and 6.3 forbid in a state in which only whoever has the keys can say it. `hops` is how many have joined before. */
const BREACHES: readonly [string, number, (client: RawClient, next: HopTarget) => void][] = [
  ["DATA of its own for a hop that was extended", 2, (client) => client.data(Buffer.from("hello"), 1)],
  ["CONTROL of its own for a hop that was extended", 2, (client) => client.control(begin, 1)],
  ["DATA to be passed on by the last hop", 1, (client) => client.data(Buffer.from("hello"), 1, PASS_ON)],
  ["CONTROL to be passed on by the last hop", 1, (client) => client.control(begin, 1, PASS_ON)],
  ["what is neither", 1, (client) => client.data(Buffer.from("hello"), 1, 2)],
  ["a second EXTEND for the same hop", 2, (client, next) => client.control(extendTo(next, 2), 1)],
  [
    "an EXTEND for a hop that has a stream",
    1,
    (client, next) => {
      client.control(begin, 1);
      client.control(extendTo(next, 2), 1);
    },
  ],
  [
    "an EXTEND beyond the last place",
    MAX_HOPS,
    (client, next) => client.control(extendTo(next, MAX_HOPS + 1), MAX_HOPS),
  ],
];

for (const [what, hops, breach] of BREACHES) {
  /** Would catch: a relay that serves streams in the middle of a path, or extends one without end: only whether the circuit is gone tells. */
  test(`${what} ends the circuit, in both directions`, async () => {
    const world = createCircuitWorld({ relayCount: MAX_HOPS + 1 });
    let served = 0;
    for (const { services } of world.relays) {
      services[SERVICE.directory] = () => {
        served++;
        return { onData() {}, onWindow() {}, onEnd() {} };
      };
    }
    const [first, ...others] = world.relays.map(({ target }) => target) as [HopTarget, ...HopTarget[]];
    const client = await RawClient.enter(world, first);
    for (const target of others.slice(0, hops - 1)) await client.extend(target);
    const circuits = (): number[] => world.relays.map(({ relay }: WorldRelay) => relay.stats().circuits);
    assert.deepEqual(circuits().filter((count) => count > 0).length, hops);
    breach(client, world.relays[hops]?.target as HopTarget);
    await settle();
    await settle();
    assert.deepEqual(
      circuits(),
      Array.from({ length: MAX_HOPS + 1 }, () => 0),
    );
    assert.deepEqual(client.destroyed, [hops > 2 ? DESTROY_REASON.gone : DESTROY_REASON.broken]);
    if (hops === 2) assert.equal(served, 0);
  });
}

/** A first hop that has its keys, and says anything to its client, whatever the state of the circuit. */
async function rawHop(world: CircuitWorld) {
  const nodeKeys = generateKeys("ed25519");
  const onionKeys = [generateKeys("x25519")];
  const nodeKey = nodeKeys.publicBytes;
  const destroyed: number[] = [];
  let layers: RelayLayers | undefined;
  let channel: Channel | undefined;
  let circuitId = 0;
  world.network.listen({ networkId: 7, identity: { nodeKeys, info: () => Buffer.alloc(0) } }, (accepted) => {
    channel = accepted;
    accepted.start({
      onFrame: (frame) => {
        if (frameType(frame) === FRAME.destroy) destroyed.push(frameBody(frame)[0] as number);
        if (frameType(frame) !== FRAME.create) return;
        const identity = { protocolId: PROTOCOL_ID.hop, nodeId: nodeKey, onionKeys };
        const message = frameBody(frame).subarray(0, CLIENT_MESSAGE_BYTES);
        const { reply, keys, position } = serverReply(identity, message);
        layers = new RelayLayers(new HopLayers(keys), position);
        circuitId = frame.readUInt32BE(0);
        const created = makeFrame(FRAME.created, circuitId);
        frameBody(created).set(reply);
        accepted.send(created);
      },
      onDrain() {},
      onClose() {},
    });
  });
  const [onion] = onionKeys as [(typeof onionKeys)[0]];
  const target = { nodeKey, onionKey: onion.publicBytes, info: Buffer.alloc(0), endpoints: [] };
  const circuit = await buildCircuit(world.newClient(), [target]);
  const say = (message: ControlMessage, what = MINE): void => {
    const frame = makeFrame(FRAME.control, circuitId);
    const range = (layers as RelayLayers).ownRange(frame.length);
    writeControl(frame, range, message);
    frame[range.start] = what;
    (layers as RelayLayers).sealOwn(frame);
    channel?.send(frame);
  };
  return { circuit, say, destroyed };
}

const NOTHING = Buffer.alloc(0);
for (const [what, message, says] of [
  [
    "an EXTENDED that nobody asked for",
    { command: COMMAND.extended, stream: 0, payload: Buffer.alloc(SERVER_REPLY_BYTES) },
    MINE,
  ],
  [
    "an EXTEND",
    {
      command: COMMAND.extend,
      stream: 0,
      payload: encodeExtend(NOTHING, Buffer.alloc(CLIENT_MESSAGE_BYTES)),
    },
    MINE,
  ],
  [
    "a stream in the client's own range",
    { command: COMMAND.begin, stream: STREAM, payload: encodeBegin(SERVICE.incoming, NOTHING) },
    MINE,
  ],
  [
    "words that it passes on, though it is the last",
    { command: COMMAND.window, stream: STREAM, payload: Buffer.of(0, 1) },
    PASS_ON,
  ],
] as const) {
  /** Would catch: a client that goes on with a hop that breaks the protocol, or takes its words for another hop's. */
  test(`a hop that says ${what} loses the circuit`, async () => {
    const { circuit, say, destroyed } = await rawHop(createCircuitWorld({ relayCount: 1 }));
    say(message, says);
    await settle();
    assert.deepEqual([circuit.alive, destroyed], [false, [DESTROY_REASON.broken]]);
  });
}
