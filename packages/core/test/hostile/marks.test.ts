import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { SERVICE, type CircuitStream } from "../../src/circuit/stream.ts";
import {
  FRAME,
  frameBody,
  frameCircuit,
  frameCredit,
  frameType,
  isData,
  type FrameType,
} from "../../src/net/frame.ts";
import type { Direction } from "../../src/net/memory-channel.ts";
import { createCircuitWorld, settle, type CircuitWorld, type WorldRelay } from "../support/circuit-world.ts";
import { MARKS, type Mark } from "../support/hostile-marks.ts";

/** Relays 0 and 2 are hostile and work together; 1 is between them. */
const HOPS = [0, 1, 2];

interface Seen {
  /** All that the second hostile relay gets from the honest one and can read: no key of it is theirs. */
  readonly readable: string[];
  readonly marked: number;
  readonly alive: boolean;
  /** Whether the channel over which the mark came is still up. */
  readonly channelUp: boolean;
  readonly arrived: number;
}

/** Runs a circuit in which some frames go each way; one of the type on the way to the honest relay is marked. */
async function run(mark: Mark | undefined, direction: Direction, type: FrameType): Promise<Seen> {
  const world = createCircuitWorld({ relayCount: 3 });
  const [inLink, outLink] = direction === "forward" ? [1, 2] : [2, 1];
  const readable: string[] = [];
  let earlier: Buffer | undefined;
  let marked = 0;
  world.network.tap = (frame, way, link) => {
    const number = world.relays.findIndex(({ target }) => target.nodeKey.equals(link.listenerKey));
    if (way !== direction) return frame;
    // HELLO, PING and PONG are about the channel alone.
    if (number === outLink && frameCircuit(frame) !== 0) readable.push(readableIn(frame, outLink));
    if (number !== inLink || frameType(frame) !== type || marked > 0) return frame;
    if (isLayered(type) && earlier === undefined) {
      earlier = Buffer.from(frame);
      return frame;
    }
    marked++;
    return mark?.write(frame, frame.length - 17 * inLink, earlier ?? frame) ?? frame;
  };
  let arrived = 0;
  let far: CircuitStream | undefined;
  const counting = { onData: () => arrived++, onWindow() {}, onEnd() {} };
  (world.relays[2] as WorldRelay).services[SERVICE.connect] = (stream) => {
    far = stream;
    return counting;
  };
  const circuit = await world.build(...HOPS);
  const near = circuit.openStream(SERVICE.connect, Buffer.alloc(0), counting);
  await settle();
  for (let count = 0; count < 3; count++) {
    const length = type === FRAME.shortData ? 50 : 20_000;
    near.send(Buffer.alloc(length, count));
    far?.send(Buffer.alloc(length, count));
    await settle();
  }
  (direction === "forward" ? near : far)?.end();
  await settle();
  const { alive } = circuit;
  const channelUp = [...world.network.links].some((link) =>
    link.listenerKey.equals((world.relays[inLink] as WorldRelay).target.nodeKey),
  );
  if (direction === "forward") circuit.destroy();
  // The last hop ends circuits in which nothing is left.
  else for (let steps = 0; steps < 8; steps++) await idle(world);
  await settle();
  return { readable, marked, alive, channelUp, arrived };
}

async function idle({ clock }: CircuitWorld): Promise<void> {
  clock.advance(LIMITS.circuitIdleMs / 6);
  await settle();
}

function isLayered(type: FrameType): boolean {
  return isData(type) || type === FRAME.control;
}

/** In hex, zeros at the end left out. */
function plain(bytes: Buffer): string {
  return bytes.toString("hex").replace(/(00)+$/, "");
}

/** Everything but what is sealed: header and filler, or the whole body where nothing is. */
function readableIn(frame: Buffer, link: number): string {
  const type = frameType(frame);
  const header = [type, frame[5], frameCredit(frame), frameCircuit(frame)].join(" ");
  if (isLayered(type)) {
    return `${header} ${plain(frame.subarray(frame.length - 17 * link))}`;
  }
  // Handshake messages are made by the honest relay's neighbour or by the client, and authenticated end to end.
  const used = type === FRAME.create ? 1344 : type === FRAME.created ? 1184 : 0;
  return `${header} ${plain(frameBody(frame).subarray(used))}`;
}

for (const mark of MARKS) {
  for (const type of mark.types) {
    for (const direction of mark.directions) {
      /** Would catch: a byte that an honest relay passes on from one neighbour to the other, or sends because of one. */
      test(`a mark in ${mark.where} ends at an honest relay: type ${type}, ${direction}`, async () => {
        const plain = await run(undefined, direction, type);
        const seen = await run(mark, direction, type);
        if (plain.marked === 0) {
          // CREATE goes forward alone, CREATED backward.
          assert.equal(seen.marked, 0);
          return;
        }
        assert.equal(seen.marked, 1);
        const destroy = (frames: readonly string[]): string[] =>
          frames.filter((one) => one.startsWith(`${FRAME.destroy} `));
        const others = (frames: readonly string[]): string[] =>
          frames.filter((one) => !one.startsWith(`${FRAME.destroy} `));
        // Whatever is said of an end, it says no more than that.
        for (const one of destroy(seen.readable)) assert.match(one, / 02$/);
        if (mark.fate === "rewritten") {
          assert.deepEqual(seen.readable, plain.readable);
          assert.deepEqual([seen.alive, seen.arrived], [plain.alive, plain.arrived]);
          return;
        }
        assert.equal(seen.alive, false, "the circuit goes on");
        assert.equal(seen.channelUp, mark.fate !== "channel closed");
        // As far as it went it looked as ever: the mark added nothing that can be read.
        const went = others(seen.readable);
        assert.deepEqual(went, others(plain.readable).slice(0, went.length));
      });
    }
  }
}
