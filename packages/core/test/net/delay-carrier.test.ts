import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualTime } from "../../../../scripts/sim/virtual-time.ts";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { FRAME, frameCircuit, makeFrame } from "../../src/net/frame.ts";
import { createMemoryNetwork, type MemoryNetwork } from "../../src/net/memory-channel.ts";
import { delayCarrier, type Line } from "../support/delay-carrier.ts";
import { inTime } from "../support/far-world.ts";
import { channelSuite, makeIdentity, type ChannelWorld } from "./channel-suite.ts";

const ENDPOINT = { host: "192.0.2.1", port: 4000 };

/** Lines in real time, since the suite's own clocks stand still. */
const QUICK_LINE: Line = {
  clock: systemClock,
  delayMs: 1,
  bytesPerMs: Infinity,
  lateShare: 0,
  lateMs: 0,
  windowBytes: 1024 * 1024,
  random: () => 0,
};

function delayedWorld(): ChannelWorld {
  let network: MemoryNetwork | undefined;
  const networkOf = (clock: Clock): MemoryNetwork => {
    const made = createMemoryNetwork({ clock, random: systemRandom });
    made.line = (carrier) => delayCarrier(carrier, QUICK_LINE);
    return made;
  };
  return {
    listen(side, onChannel) {
      network = networkOf(side.clock);
      network.listen({ ...side, endpoint: ENDPOINT }, onChannel);
      return Promise.resolve();
    },
    dial({ nodeKey, ...side }) {
      network ??= networkOf(side.clock);
      return network.createDialer(side).dial({ nodeKey, endpoints: [ENDPOINT] });
    },
    cut() {
      for (const link of network?.links ?? []) link.kill();
    },
    close: () => Promise.resolve(),
  };
}

channelSuite("memory with a delay", delayedWorld);

test("a line takes frames at its rate, delivers them after its delay, and what is behind a late one waits for it", async () => {
  const clock = new VirtualTime();
  const network = createMemoryNetwork({ clock, random: systemRandom });
  let sent = 0;
  const line = { clock, delayMs: 50, bytesPerMs: 128, lateShare: 0.5, lateMs: 100, windowBytes: Infinity };
  // HELLO goes first each way; of what comes then the second is late.
  network.line = (carrier, direction) =>
    delayCarrier(carrier, { ...line, random: () => (direction === "forward" && sent++ === 2 ? 0 : 0.9) });
  const identity = makeIdentity();
  const arrived: (readonly [number, number])[] = [];
  network.listen({ networkId: 1, identity }, (channel) =>
    channel.start({
      onFrame: (frame) => arrived.push([frameCircuit(frame), clock.monotonicMs()]),
      onDrain() {},
      onClose() {},
    }),
  );
  const dial = network
    .createDialer({ networkId: 1 })
    .dial({ nodeKey: identity.nodeKeys.publicBytes, endpoints: [] });
  const channel = await inTime(clock, dial);
  const startMs = clock.monotonicMs();
  for (const circuit of [1, 2, 3, 4]) channel.send(makeFrame(FRAME.control, circuit));
  await clock.runUntil(clock.monotonicMs() + 1_000);
  assert.deepEqual(
    arrived.map(([circuit, atMs]) => [circuit, atMs - startMs]),
    [
      [1, 16 + 50],
      [2, 32 + 150],
      [3, 32 + 150],
      [4, 32 + 150],
    ],
  );
});
