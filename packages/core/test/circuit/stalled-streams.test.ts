import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { buildCircuit } from "../../src/circuit/client-circuit.ts";
import { SERVICE, type Circuit } from "../../src/circuit/stream.ts";
import { FRAME, frameType, OTHER_FRAME_BYTES } from "../../src/net/frame.ts";
import { createCircuitWorld, settle, type WorldRelay } from "../support/circuit-world.ts";

const CIRCUITS = 100;
const STREAMS = 128;
/** A quarter of what a relay plans for, as payloads are short here. */
const MOST_BYTES = LIMITS.relayQueueMostBytes / 4;
const QUIET = { onData() {}, onWindow() {}, onEnd() {} };

/**
 * Ten thousand streams whose other end takes nothing, each offered more than was granted. Counted in frames: what a relay holds is a number of them,
 * not a reading of the process's memory.
 */
test("10,000 stalled streams hold no more in a relay than it planned for, and somebody who reads goes on", async () => {
  const world = createCircuitWorld({ relayCount: 1, mostQueuedBytes: MOST_BYTES });
  const { relay, services, target } = world.relays[0] as WorldRelay;
  let offered = 0;
  services[SERVICE.directory] = (stream) => {
    const more = (): void => {
      for (let sent = 0; sent < 2 && stream.sendWindow > 0; sent++, offered++) stream.send(Buffer.alloc(10));
    };
    more();
    return { onData: more, onWindow: more, onEnd() {} };
  };
  const reader = await world.build(0);
  const [readersLink] = world.network.links;
  // Nobody but the reader gives any credit back.
  world.network.tap = (frame, direction, link) =>
    link !== readersLink && direction === "forward" && frameType(frame) === FRAME.credit ? undefined : frame;
  const circuits: Circuit[] = [];
  for (let count = 0; count < CIRCUITS; count++)
    circuits.push(await buildCircuit(world.newClient(), [target]));
  let most = 0;
  let opened = 0;
  for (let round = 0; round < STREAMS; round += LIMITS.streamsUnanswered / 2) {
    for (const circuit of circuits) {
      for (let count = 0; count < LIMITS.streamsUnanswered / 2 && circuit.alive; count++) {
        circuit.openStream(SERVICE.directory, Buffer.alloc(0), QUIET);
        opened++;
      }
    }
    await settle();
    most = Math.max(most, relay.stats().queuedBytes);
  }
  assert.ok(opened >= 10_000, `${opened} streams`);
  assert.ok(offered * OTHER_FRAME_BYTES > MOST_BYTES / 2, "not enough was offered to crowd a relay");
  assert.ok(most <= MOST_BYTES, `${most} bytes waited`);
  let read = 0;
  const stream = reader.openStream(SERVICE.directory, Buffer.alloc(0), { ...QUIET, onData: () => read++ });
  await settle();
  for (let asked = 0; asked < LIMITS.streamFrames; asked++) stream.send(Buffer.alloc(1));
  await settle();
  assert.deepEqual([reader.alive, read], [true, LIMITS.streamFrames]);
  for (const circuit of circuits) circuit.destroy();
  await settle();
  assert.equal(relay.stats().queuedFrames, 0);
});
