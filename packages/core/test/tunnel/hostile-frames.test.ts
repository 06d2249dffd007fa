import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBencode, encodeBencode, type Bencoded, type BencodedDict } from "../../src/base/bencode.ts";
import type { Random } from "../../src/base/random.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import {
  COMMAND,
  encodeBegin,
  encodeEnd,
  encodeExtend,
  makeDataFrame,
  writeControl,
  writeData,
  type ControlMessage,
} from "../../src/circuit/control.ts";
import {
  CLIENT_MESSAGE_BYTES,
  clientHello,
  PROTOCOL_ID,
  SERVER_REPLY_BYTES,
} from "../../src/circuit/handshake.ts";
import { ClientLayers, HopLayers, MINE } from "../../src/circuit/layer.ts";
import { askService, serveMessages } from "../../src/circuit/messages.ts";
import {
  SERVICE,
  STREAM_PAYLOAD_BYTES,
  type HopTarget,
  type ServiceHandler,
} from "../../src/circuit/stream.ts";
import { createDirectoryService, type QuestionService } from "../../src/directory/directory-service.ts";
import { sampleQuestion } from "../../src/directory/questions.ts";
import { createRelayInfoDecoder } from "../../src/directory/relay-info.ts";
import { createScoutService } from "../../src/directory/scout-service.ts";
import { RelayTable } from "../../src/directory/table.ts";
import type { Channel } from "../../src/net/channel.ts";
import {
  FRAME,
  frameBody,
  frameBytes,
  frameCircuit,
  frameType,
  isData,
  makeFrame,
  type FrameType,
} from "../../src/net/frame.ts";
import { createGate } from "../../src/tunnel/gate.ts";
import { seededRandom, signedInfo } from "../directory/fixtures.ts";
import { createCircuitWorld, settle, type CircuitWorld, type WorldRelay } from "../support/circuit-world.ts";
import { newRegistration, newShare } from "./fixtures.ts";

const NETWORK = { id: 7, test: true };
const STEPS = 1_200;
const IDS = [0, 1, 2, 0x8000_0001, 0x8000_0002, 0x8000_0003, 0x8000_0004, 0xffff_ffff];

/** Where a one-hop circuit's own plaintext stands. */
const ONE_HOP = new ClientLayers();
ONE_HOP.add(new HopLayers(splitKeys()));

function splitKeys(): ConstructorParameters<typeof HopLayers>[0] {
  const key = (): Buffer => Buffer.alloc(32);
  return { forwardData: key(), backwardData: key(), forwardControl: key(), backwardControl: key() };
}

/** Relays that offer all that relays offer. */
function newWorld(random: Random): CircuitWorld {
  const world = createCircuitWorld({ relayCount: 3 });
  const { clock } = world;
  for (const { services, target } of world.relays) {
    const table = new RelayTable({ network: NETWORK, clock, random });
    const deps = { table, network: NETWORK, clock, random, decodeInfo: createRelayInfoDecoder() };
    const directory = createDirectoryService({
      ...deps,
      probe: () => Promise.resolve(random.below(2) === 0),
    });
    const scout = createScoutService({
      ...deps,
      lookup: () => Promise.resolve([{ host: "10.0.0.1", port: 80 }]),
      askRelay: () => Promise.reject(new Error("asked")),
    });
    const gate = createGate({
      nodeKey: target.nodeKey,
      clock,
      random,
      announcer: { announce() {}, withdraw() {} },
    });
    const answering =
      (service: QuestionService): ServiceHandler =>
      (stream, _, circuit) =>
        serveMessages(stream, (question) => service.answer(question, circuit.id));
    services[SERVICE.directory] = answering(directory);
    services[SERVICE.scout] = answering(scout);
    services[SERVICE.register] = gate.register;
    services[SERVICE.leases] = gate.leases;
    services[SERVICE.connect] = gate.connect;
  }
  return world;
}

/** A neighbour of a relay that knows the rules, keys included, and breaks them at random. */
class Hostile {
  readonly #random: Random;
  readonly #world: CircuitWorld;
  readonly #target: HopTarget;
  readonly #info = signedInfo();
  readonly #registrations: readonly BencodedDict[];
  #channel: Channel | undefined;
  readonly #hellos = new Map<number, ReturnType<typeof clientHello>>();
  readonly #circuits = new Map<number, ClientLayers>();

  constructor(
    world: CircuitWorld,
    target: HopTarget,
    registrations: readonly BencodedDict[],
    random: Random,
  ) {
    this.#world = world;
    this.#registrations = registrations;
    this.#target = target;
    this.#random = random;
  }

  #lastStream = 0;
  circuitsMade = 0;
  answers = 0;

  leave(): void {
    this.#channel?.close();
  }

  async step(): Promise<void> {
    this.#channel ??= await this.#dial();
    const ids = [...this.#circuits.keys()];
    const id = ids.length === 0 ? undefined : this.#pick(ids);
    const turn = this.#random.below(150);
    if (turn === 0) this.#channel.send(this.#noise());
    else if (turn < 8 || id === undefined) this.#create();
    else if (turn < 60) this.#sealed(id, this.#control());
    else this.#sealed(id, this.#data());
  }

  async #dial(): Promise<Channel> {
    const dialer = this.#world.network.createDialer({ networkId: NETWORK.id });
    const channel = await dialer.dial({ nodeKey: this.#target.nodeKey, endpoints: [] });
    channel.start({
      onFrame: (frame) => this.#answered(frame),
      onDrain() {},
      onClose: () => {
        this.#channel = undefined;
        this.#circuits.clear();
      },
    });
    return channel;
  }

  #create(): void {
    const { nodeKey, onionKey } = this.#target;
    const id = 0x8000_0000 + 1 + this.#random.below(1 << 20);
    const position = this.#random.below(8) === 0 ? this.#random.below(256) : 1;
    const hello = clientHello({ protocolId: PROTOCOL_ID.hop, nodeId: nodeKey, onionKey, position });
    this.#hellos.set(id, hello);
    const frame = makeFrame(FRAME.create, id);
    frameBody(frame).set(hello.message);
    this.#channel?.send(frame);
  }

  #answered(frame: Buffer): void {
    const id = frameCircuit(frame);
    if (frameType(frame) === FRAME.destroy) this.#circuits.delete(id);
    const hello = this.#hellos.get(id);
    if (isData(frameType(frame)) || frameType(frame) === FRAME.control) this.answers++;
    if (frameType(frame) !== FRAME.created || hello === undefined) return;
    this.circuitsMade++;
    const layers = new ClientLayers();
    layers.add(new HopLayers(hello.finish(frameBody(frame).subarray(0, SERVER_REPLY_BYTES))));
    this.#circuits.set(id, layers);
  }

  #sealed(id: number, frame: Buffer): void {
    const layers = this.#circuits.get(id) as ClientLayers;
    frame[layers.ownRange(frame.length).start] = this.#random.below(400) === 0 ? this.#random.below(3) : MINE;
    layers.sealOwn(frame);
    frame.writeUInt32BE(id, 0);
    // A DATA frame comes with whatever the memory held.
    frame[5] = 0;
    frame.writeUInt16BE(this.#random.below(2000) === 0 ? this.#random.below(100) : 0, 6);
    this.#channel?.send(frame);
  }

  /** Any frame with any header that has a length. */
  #noise(): Buffer {
    const type = (1 + this.#random.below(10)) as FrameType;
    const frame = this.#random.bytes(frameBytes(type));
    frame.writeUInt32BE(this.#pick(IDS), 0);
    frame[4] = type;
    frame[5] = this.#random.below(4) === 0 ? 1 : 0;
    frame.writeUInt16BE(this.#random.below(3), 6);
    return frame;
  }

  #control(): Buffer {
    const frame = makeFrame(FRAME.control, 0);
    const rude = this.#random.below(25) === 0;
    const stream = this.#stream();
    const polite = [
      () => ({ command: COMMAND.begin, stream: this.#newStream(), payload: this.#begin() }),
      () => ({
        command: COMMAND.end,
        stream,
        payload: encodeEnd(this.#pick([0, 1, 2]), this.#random.below(5)),
      }),
      () => ({ command: COMMAND.window, stream, payload: Buffer.from([0, 1 + this.#random.below(255)]) }),
    ];
    const others = [
      () => ({ command: COMMAND.extend, stream: 0, payload: this.#extend() }),
      () => ({ command: COMMAND.begun, stream, payload: Buffer.alloc(0) }),
      () => ({ command: COMMAND.begin, stream, payload: this.#begin() }),
      () => ({
        command: this.#pick(Object.values(COMMAND)),
        stream: this.#pick([0, stream, 0x8001]),
        payload: this.#random.bytes(this.#random.below(60)),
      }),
    ];
    const message = this.#pick<() => ControlMessage>(
      rude ? others : [...polite, polite[0] as (typeof polite)[0]],
    )();
    writeControl(frame, ONE_HOP.ownRange(frame.length), message);
    return frame;
  }

  #begin(): Buffer {
    const service = this.#pick([1, 2, 3, 3, 4, 5, 6, 7, 255]);
    return encodeBegin(service, service === SERVICE.connect ? this.#random.bytes(16) : Buffer.alloc(0));
  }

  #extend(): Buffer {
    const info = this.#pick([
      this.#random.bytes(this.#random.below(400)),
      ...this.#world.relays.map((relay) => relay.target.info),
    ]);
    return encodeExtend(info, this.#random.bytes(CLIENT_MESSAGE_BYTES - this.#random.below(2)));
  }

  #data(): Buffer {
    const body = encodeBencode(this.#question());
    const message = Buffer.concat([Buffer.alloc(4), body]);
    message.writeUInt32BE(this.#random.below(20) === 0 ? this.#random.below(2 ** 32) : body.length, 0);
    // Sometimes less than the message, or more than one.
    const bytes = this.#pick([
      message,
      message,
      message.subarray(0, 1 + this.#random.below(message.length)),
      Buffer.concat([message, message]),
    ]);
    if (this.#random.below(10) === 0)
      bytes.writeUInt8(this.#random.below(256), this.#random.below(bytes.length));
    const payload = bytes.subarray(0, STREAM_PAYLOAD_BYTES);
    // A long frame is no place for most of them.
    const frame = this.#random.below(100) === 0 ? makeFrame(FRAME.data, 0) : makeDataFrame(payload.length);
    writeData(frame, ONE_HOP.ownRange(frame.length), this.#stream(), payload);
    return frame;
  }

  #question(): Bencoded | BencodedDict {
    const registration = this.#pick(this.#registrations);
    return this.#pick<() => Bencoded | BencodedDict>([
      () => ({ q: Buffer.from("sample"), n: this.#pick([0, 1, 64, -1, 2 ** 53 - 1]) }),
      () => ({
        q: Buffer.from("publish"),
        i: this.#pick([this.#info.bytes, this.#random.bytes(this.#random.below(450))]),
      }),
      () => ({ q: Buffer.from("at"), a: this.#random.bytes(this.#pick([0, 6, 18, 7])) }),
      () => ({ q: Buffer.from("gates"), t: this.#random.bytes(this.#pick([20, 19])) }),
      () => ({ t: this.#random.bytes(this.#pick([32, 31])) }),
      () => registration,
      () => new Map(registration).set(this.#pick([..."acglpsxw"]), this.#pick([this.#random.bytes(32), -1])),
      () => [this.#random.bytes(5), { "": 3 }],
    ])();
  }

  #newStream(): number {
    this.#lastStream = (this.#lastStream % 0x7fff) + 1;
    return this.#lastStream;
  }

  /** One of those opened last, though perhaps on another circuit. */
  #stream(): number {
    return Math.max(1, this.#lastStream - this.#random.below(12));
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#random.below(Math.max(1, choices.length))] as T;
  }
}

/** Would catch: an error that is not one of ours, thrown or rejected on a stranger's input, which ends the process; places that are never given back. */
for (const seed of [1, 2, 3]) {
  test(`whatever frames, messages and questions come, the relay lives and serves others (${seed})`, async () => {
    // The test runner does not tell which test such an error is of.
    const crashes: unknown[] = [];
    const note = (error: unknown): unknown => crashes.push(error);
    process.on("uncaughtException", note).on("unhandledRejection", note);
    const random = seededRandom(seed);
    const world = newWorld(random);
    const [first] = world.relays as [WorldRelay];
    const gateKey = first.target.nodeKey;
    const asked = [
      await newRegistration({ share: newShare(), gateKey, by: "sharer" }),
      await newRegistration({ share: newShare(), gateKey, by: "work" }),
    ];
    const registrations = asked.map((bytes) => decodeBencode(bytes) as BencodedDict);
    const hostile = new Hostile(world, first.target, registrations, random);
    for (let step = 0; step < STEPS; step++) {
      await hostile.step();
      if (step % 10 === 0) await settle();
      if (step % 50 === 0) world.clock.advance(random.below(20_000));
    }
    hostile.leave();
    await settle();
    world.clock.advance(60_000);
    await settle();
    assert.ok(
      hostile.circuitsMade > 20 && hostile.answers > 100,
      "too little of it went deep enough to prove anything",
    );
    assert.deepEqual([first.relay.stats().circuits, first.relay.stats().queuedFrames], [0, 0]);
    const circuit = await buildCircuit(
      world.newClient(),
      world.relays.map(({ target }) => target).toReversed(),
    );
    const answer = await askService(circuit, SERVICE.directory, sampleQuestion(1), { clock: world.clock });
    assert.ok(answer.has("r"));
    process.off("uncaughtException", note).off("unhandledRejection", note);
    assert.deepEqual(crashes, []);
  });
}
