import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { Clock } from "../../src/base/clock.ts";
import { BackroomError, isBackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { generateKeys, type KeyPair } from "../../src/crypto/keys.ts";
import type { Channel, ChannelHandlers, ChannelIdentity } from "../../src/net/channel.ts";
import {
  DATA_FRAME_BYTES,
  FRAME,
  frameBody,
  frameCircuit,
  frameType,
  makeFrame,
  setFrameCircuit,
} from "../../src/net/frame.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** What a kind of channel brings so that the suite can open some. */
export interface ChannelWorld {
  /** Starts to listen as this node and hands each channel on. */
  listen(
    side: WorldSide & { identity: ChannelIdentity },
    onChannel: (channel: Channel) => void,
  ): Promise<void>;
  /** Dials whatever listens; nobody where nothing does. */
  dial(side: WorldSide & { nodeKey: Uint8Array }): Promise<Channel>;
  /** Breaks all connections, without a word to either end. */
  cut(): void;
  close(): Promise<void>;
}

interface WorldSide {
  readonly clock: Clock;
  readonly networkId: number;
  readonly identity?: ChannelIdentity;
}

const NETWORK_ID = 0xb0b0_0001;
const INFO = Buffer.from("a relay info that this layer does not read");

interface PairOptions {
  readonly clocks?: readonly [Clock, Clock];
  readonly dialerIdentity?: ChannelIdentity;
  readonly networkIds?: readonly [number, number];
  readonly askFor?: Uint8Array;
}

/** Everything that a handler saw, as a list. */
class Recorder implements ChannelHandlers {
  readonly frames: Buffer[] = [];
  readonly closes: (BackroomError | undefined)[] = [];
  drains = 0;
  #watch: () => void = () => {};

  onFrame(frame: Buffer): void {
    assert.equal(this.closes.length, 0, "a frame came after onClose");
    this.frames.push(frame);
    this.#watch();
  }

  onDrain(): void {
    this.drains++;
    this.#watch();
  }

  onClose(error?: BackroomError): void {
    this.closes.push(error);
    this.#watch();
  }

  /** Waits until the condition holds; the test's own time-out ends a wait in vain. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#watch = () => {
        if (condition()) resolve();
      };
      this.#watch();
    });
  }
}

/** Lets sockets, microtasks and timers that are due do their work. */
const settle = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const makeIdentity = (nodeKeys: KeyPair = generateKeys("ed25519")): ChannelIdentity => ({
  nodeKeys,
  info: () => INFO,
});

/** Runs the obligations of `Channel` and `Dialer` against one kind of channel. */
export function channelSuite(kind: string, createWorld: () => ChannelWorld): void {
  const identity = makeIdentity();
  const nodeKey = identity.nodeKeys.publicBytes;
  let world: ChannelWorld | undefined;
  const options = { timeout: 20_000 };
  afterEach(() => world?.close());

  async function pair(more: PairOptions = {}): Promise<[Channel, Channel]> {
    world = createWorld();
    const [dialClock, listenClock] = more.clocks ?? [new ManualClock(), new ManualClock()];
    const [dialNetwork, listenNetwork] = more.networkIds ?? [NETWORK_ID, NETWORK_ID];
    const accepted = Promise.withResolvers<Channel>();
    await world.listen({ clock: listenClock, networkId: listenNetwork, identity }, accepted.resolve);
    const dialled = await world.dial({
      clock: dialClock,
      networkId: dialNetwork,
      nodeKey: more.askFor ?? nodeKey,
      ...(more.dialerIdentity === undefined ? {} : { identity: more.dialerIdentity }),
    });
    return [dialled, await accepted.promise];
  }

  function dataFrame(circuit: number): Buffer {
    const frame = makeFrame(FRAME.data, circuit);
    frameBody(frame).fill(circuit);
    return frame;
  }

  const failsWith = (code: BackroomError["code"]) => (error: unknown) => isBackroomError(error, code);

  test(
    `${kind}: frames of every size arrive in order, both ways, and belong to the receiver`,
    options,
    async () => {
      const [dialled, accepted] = await pair();
      const [near, far] = [new Recorder(), new Recorder()];
      // As many as a channel takes at once.
      const count = Math.floor(LIMITS.channelQueueMostBytes / DATA_FRAME_BYTES);
      dialled.start(near);
      accepted.start(far);
      for (let circuit = 1; circuit <= count; circuit++) {
        dialled.send(circuit % 3 === 0 ? makeFrame(FRAME.control, circuit) : dataFrame(circuit));
        accepted.send(dataFrame(circuit));
      }
      await Promise.all([
        near.until(() => near.frames.length === count),
        far.until(() => far.frames.length === count),
      ]);
      assert.deepEqual(
        far.frames.map((frame) => frameCircuit(frame)),
        Array.from({ length: count }, (_, index) => index + 1),
      );
      assert.deepEqual(near.frames[6], dataFrame(7));
      assert.equal(frameType(far.frames[2] as Buffer), FRAME.control);
      for (const frame of near.frames) setFrameCircuit(frame, 0xffff_ffff);
      frameBody(near.frames[0] as Buffer).fill(0);
      assert.deepEqual(
        frameBody(near.frames[1] as Buffer),
        frameBody(dataFrame(2)),
        "two frames share memory",
      );
    },
  );

  test(`${kind}: a client stays anonymous and learns whom it reached`, options, async () => {
    const [dialled, accepted] = await pair();
    assert.deepEqual([dialled.initiator, accepted.initiator], [true, false]);
    assert.deepEqual([dialled.peerKey, dialled.peerInfo], [nodeKey, INFO]);
    assert.deepEqual([accepted.peerKey, accepted.peerInfo], [undefined, undefined]);
    assert.notEqual(dialled.id, accepted.id);
  });

  test(`${kind}: a relay that dials proves itself too`, options, async () => {
    const dialerIdentity = makeIdentity();
    const [, accepted] = await pair({ dialerIdentity });
    assert.deepEqual([accepted.peerKey, accepted.peerInfo], [dialerIdentity.nodeKeys.publicBytes, INFO]);
  });

  test(`${kind}: each side learns how far the other's clock is off`, options, async () => {
    const nowMs = 1_800_000_000_000;
    const [dialled, accepted] = await pair({
      clocks: [new ManualClock(nowMs), new ManualClock(nowMs + 7_000_000)],
    });
    assert.equal(dialled.clockSkewMs, 7_000_000);
    assert.equal(accepted.clockSkewMs, -7_000_000);
  });

  test(`${kind}: another key, another network and nobody at all are told apart`, options, async () => {
    const askFor = generateKeys("ed25519").publicBytes;
    await assert.rejects(pair({ askFor }), failsWith("E_CHANNEL_IDENTITY"));
    await world?.close();
    await assert.rejects(pair({ networkIds: [NETWORK_ID, 7] }), failsWith("E_OTHER_NETWORK"));
    await world?.close();
    world = createWorld();
    const nobody = world.dial({ clock: new ManualClock(), networkId: NETWORK_ID, nodeKey });
    await assert.rejects(nobody, failsWith("E_UNREACHABLE"));
  });

  test(
    `${kind}: a peer that does not read fills a bounded queue; onDrain comes once when it reads on`,
    options,
    async () => {
      const [dialled, accepted] = await pair();
      const [near, far] = [new Recorder(), new Recorder()];
      dialled.start(near);
      await settle();
      let sent = 1;
      while (dialled.send(dataFrame(sent))) {
        if (sent % 16 === 0) await settle(1);
        assert.ok(++sent < 10_000, "a stalled peer never made send return false");
      }
      assert.ok(
        sent * dataFrame(1).length > LIMITS.channelQueueBytes / 2,
        "send returned false although there was room",
      );
      assert.equal(near.drains, 0);
      accepted.start(far);
      await near.until(() => near.drains > 0);
      await far.until(() => far.frames.length === sent);
      await settle();
      assert.equal(near.drains, 1);
      assert.equal(dialled.send(dataFrame(1)), true);
    },
  );

  /** Would catch: memory that grows with what somebody can make us send unasked, PONGs say. */
  test(`${kind}: a channel whose peer never reads is closed when too much waits`, options, async () => {
    const [dialled] = await pair();
    const near = new Recorder();
    dialled.start(near);
    await settle();
    for (let sent = 1; near.closes.length === 0; sent++) {
      dialled.send(dataFrame(sent));
      if (sent % 16 === 0) await settle(1);
      assert.ok(sent < 10_000, "the queue grew without end");
    }
    assert.equal(near.closes[0]?.code, "E_CHANNEL");
  });

  test(
    `${kind}: nothing is lost or handed out before start, and close keeps what was sent`,
    options,
    async () => {
      const [dialled, accepted] = await pair();
      for (let circuit = 1; circuit <= 10; circuit++) dialled.send(dataFrame(circuit));
      dialled.close();
      dialled.close();
      await settle();
      const [near, far] = [new Recorder(), new Recorder()];
      dialled.start(near);
      accepted.start(far);
      assert.deepEqual([near.closes.length, far.frames.length], [0, 0], "a handler ran inside start");
      await far.until(() => far.closes.length > 0);
      await settle();
      assert.equal(far.frames.length, 10);
      assert.deepEqual([near.closes, far.closes], [[undefined], [undefined]]);
      assert.equal(dialled.send(dataFrame(1)), false);
    },
  );

  test(`${kind}: a cut is told to both ends once, as an error`, options, async () => {
    const [dialled, accepted] = await pair();
    const [near, far] = [new Recorder(), new Recorder()];
    dialled.start(near);
    accepted.start(far);
    await settle();
    world?.cut();
    await Promise.all([near.until(() => near.closes.length > 0), far.until(() => far.closes.length > 0)]);
    await settle();
    assert.deepEqual([near.closes[0]?.code, far.closes[0]?.code], ["E_CHANNEL", "E_CHANNEL"]);
    assert.deepEqual([near.closes.length, far.closes.length], [1, 1]);
  });

  test(
    `${kind}: what a handler raises against a frame closes the channel with that error`,
    options,
    async () => {
      const [dialled, accepted] = await pair();
      const [near, far] = [new Recorder(), new Recorder()];
      far.onFrame = () => {
        throw new BackroomError("E_FRAME", "the frame is for no circuit");
      };
      dialled.start(near);
      accepted.start(far);
      dialled.send(dataFrame(1));
      await Promise.all([far.until(() => far.closes.length > 0), near.until(() => near.closes.length > 0)]);
      assert.equal(far.closes[0]?.code, "E_FRAME");
    },
  );

  for (const [what, frame] of [
    ["a second HELLO", makeFrame(FRAME.hello, 0)],
    ["a PONG that nobody asked for", makeFrame(FRAME.pong, 0)],
  ] as const) {
    test(`${kind}: ${what} closes the channel and reaches no handler`, options, async () => {
      const [dialled, accepted] = await pair();
      const far = new Recorder();
      accepted.start(far);
      dialled.send(Buffer.from(frame));
      await far.until(() => far.closes.length > 0);
      assert.deepEqual([far.closes[0]?.code, far.frames.length], ["E_CHANNEL", 0]);
    });
  }

  test(`${kind}: PING keeps a silent channel up, and too many close it`, options, async () => {
    const clocks = [new ManualClock(), new ManualClock()] as const;
    const [dialled, accepted] = await pair({ clocks });
    const [near, far] = [new Recorder(), new Recorder()];
    dialled.start(near);
    accepted.start(far);
    for (let passedMs = 0; passedMs < 4 * LIMITS.channelPingMs; passedMs += 5000) {
      await settle(10);
      for (const clock of clocks) clock.advance(5000);
    }
    assert.deepEqual([near.closes, far.closes, near.frames, far.frames], [[], [], [], []]);
    for (let count = 0; count <= LIMITS.channelPings; count++) dialled.send(makeFrame(FRAME.ping, 0));
    await far.until(() => far.closes.length > 0);
    assert.equal(far.closes[0]?.code, "E_CHANNEL");
  });

  test(
    `${kind}: a peer that answers no PING is dead after the time that PROTOCOL 5 gives it`,
    options,
    async () => {
      const clock = new ManualClock();
      const [dialled] = await pair({ clocks: [clock, new ManualClock()] });
      const near = new Recorder();
      dialled.start(near);
      await settle();
      // It has answered none yet, so nobody knows how fast it is.
      clock.advance(LIMITS.channelQuickPingMs + LIMITS.channelPongMs - 1);
      assert.equal(near.closes.length, 0);
      clock.advance(1);
      assert.equal(near.closes[0]?.code, "E_CHANNEL_SILENT");
    },
  );
}
