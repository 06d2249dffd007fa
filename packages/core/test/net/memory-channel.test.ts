import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "../../src/base/random.ts";
import type { Channel } from "../../src/net/channel.ts";
import { FRAME, frameCircuit, frameType, makeFrame } from "../../src/net/frame.ts";
import { createMemoryNetwork, type MemoryNetwork } from "../../src/net/memory-channel.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { channelSuite, makeIdentity, type ChannelWorld } from "./channel-suite.ts";

const ENDPOINT = { host: "192.0.2.1", port: 4000 };

/** One network for both ends, each of which has a clock of its own. */
function memoryWorld(): ChannelWorld {
  let network: MemoryNetwork | undefined;
  return {
    listen(side, onChannel) {
      network = createMemoryNetwork({ clock: side.clock, random: systemRandom });
      network.listen({ ...side, endpoint: ENDPOINT }, onChannel);
      return Promise.resolve();
    },
    dial({ nodeKey, ...side }) {
      network ??= createMemoryNetwork({ clock: side.clock, random: systemRandom });
      return network.createDialer(side).dial({ nodeKey, endpoints: [ENDPOINT] });
    },
    cut() {
      for (const link of network?.links ?? []) link.kill();
    },
    close: () => Promise.resolve(),
  };
}

channelSuite("memory", memoryWorld);

async function connected(): Promise<{
  network: MemoryNetwork;
  clock: ManualClock;
  dialled: Channel;
  got: number[];
}> {
  const clock = new ManualClock();
  const network = createMemoryNetwork({ clock, random: systemRandom });
  const identity = makeIdentity();
  const got: number[] = [];
  network.listen({ networkId: 1, identity }, (channel) =>
    channel.start({ onFrame: (frame) => got.push(frameCircuit(frame)), onDrain() {}, onClose() {} }),
  );
  const nodeKey = identity.nodeKeys.publicBytes;
  const dialled = await network.createDialer({ networkId: 1 }).dial({ nodeKey, endpoints: [] });
  dialled.start({ onFrame() {}, onDrain() {}, onClose() {} });
  return { network, clock, dialled, got };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("memory: the tap sees each frame and may change or lose it", async () => {
  const { network, dialled, got } = await connected();
  network.tap = (frame, direction) => {
    if (direction === "backward" || frameType(frame) !== FRAME.control) return frame;
    return frameCircuit(frame) === 2 ? undefined : makeFrame(FRAME.control, frameCircuit(frame) + 10);
  };
  for (const circuit of [1, 2, 3]) dialled.send(makeFrame(FRAME.control, circuit));
  await turn();
  assert.deepEqual(got, [11, 13]);
});

test("memory: frames take as long as the network's delay, by its clock", async () => {
  const { network, clock, dialled, got } = await connected();
  network.delayMs = 100;
  dialled.send(makeFrame(FRAME.control, 1));
  clock.advance(99);
  await turn();
  assert.deepEqual(got, []);
  clock.advance(1);
  await turn();
  assert.deepEqual(got, [1]);
});
