import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ByteDuplex } from "../../src/base/duplex.ts";
import { isBackroomError, type BackroomError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { SHORT_PAYLOAD_BYTES, STREAM_PAYLOAD_BYTES } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { RECORD_BYTES } from "../../src/tunnel/records.ts";
import { acceptTunnel, dialTunnel } from "../../src/tunnel/tunnel.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { newSeeder } from "./fixtures.ts";
import { Steps, streamPair } from "./memory-streams.ts";

const seeder = newSeeder();
const peer = { leaseKey: seeder.leaseKeys.publicBytes, tunnelKey: seeder.tunnelKeys.publicBytes };
const psk = systemRandom.bytes(32);
const broke = (error: unknown) => isBackroomError(error, "E_TUNNEL");

/** Both ends over a pair of streams, with each step done by hand. */
function tunnelEnds(
  options: { window?: number; psk?: Buffer; peer?: typeof peer; tamper?: (payload: Buffer) => Buffer } = {},
) {
  const steps = new Steps();
  const clock = new ManualClock();
  const deps = { clock, soon: (run: () => void) => steps.add(run) };
  const [near, far] = streamPair(steps, options.window ?? 128);
  near.tamper = options.tamper;
  const accepted = acceptTunnel(far, seeder, psk, deps);
  far.start(accepted.handlers);
  const dialled = dialTunnel(
    (handlers) => {
      near.start(handlers);
      return near;
    },
    options.peer ?? peer,
    options.psk ?? psk,
    deps,
  );
  return { steps, clock, near, far, accepted: accepted.ready, dialled };
}

async function openTunnel(window = 128) {
  const ends = tunnelEnds({ window });
  ends.steps.run();
  return { ...ends, downloader: collect(await ends.dialled), seeder: collect(await ends.accepted) };
}

function collect(duplex: ByteDuplex) {
  const end = {
    duplex,
    chunks: [] as Buffer[],
    drains: 0,
    closed: [] as (BackroomError | undefined)[],
    bytes: () => Buffer.concat(end.chunks),
  };
  duplex.start({
    onData: (bytes) => void end.chunks.push(Buffer.from(bytes)),
    onDrain: () => void end.drains++,
    onClose: (error) => void end.closed.push(error),
  });
  return end;
}

test("bytes arrive exactly, both ways, whatever they were cut into and however small the window", async () => {
  const writes = fc.array(fc.tuple(fc.boolean(), fc.nat(40_000), fc.boolean()), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(writes, fc.integer({ min: 1, max: 4 }), async (list, window) => {
      const { downloader, seeder, steps } = await openTunnel(window);
      const sent = { down: [] as Buffer[], up: [] as Buffer[] };
      for (const [up, length, settle] of list) {
        const bytes = systemRandom.bytes(length);
        (up ? sent.up : sent.down).push(bytes);
        (up ? downloader : seeder).duplex.write(Buffer.from(bytes));
        if (settle) steps.run();
      }
      steps.run();
      assert.deepEqual(seeder.bytes(), Buffer.concat(sent.up));
      assert.deepEqual(downloader.bytes(), Buffer.concat(sent.down));
    }),
    { numRuns: 40 },
  );
});

test("a thousand requests of 17 bytes written in one go cost one record, not a thousand", async () => {
  const { downloader, seeder, steps, near } = await openTunnel();
  const before = near.sent;
  for (let i = 0; i < 1_000; i++) downloader.duplex.write(Buffer.alloc(17, i));
  steps.run();
  assert.equal(near.sent - before, Math.ceil(17_000 / RECORD_BYTES));
  assert.equal(seeder.bytes().length, 17_000);
});

test("every payload after the handshake has one of the two lengths of a record, so the gate learns no others", async () => {
  const { near, far, downloader, seeder, steps } = await openTunnel();
  const lengths = new Set<number>();
  near.tamper = far.tamper = (payload) => {
    lengths.add(payload.length);
    return payload;
  };
  downloader.duplex.write(Buffer.from("a"));
  seeder.duplex.write(Buffer.alloc(50_000));
  steps.run();
  assert.deepEqual(
    [...lengths].toSorted((a, b) => a - b),
    [1_967, 114_607],
  );
});

/** Would catch: records that go out half empty while their next bytes are being read; bytes that are held back for ever. */
test("with more to follow only full records go out, and the rest with the next write, or after a moment", async () => {
  const { downloader, seeder, far, steps, clock } = await openTunnel();
  const lengths: number[] = [];
  far.tamper = (payload) => {
    lengths.push(payload.length);
    return payload;
  };
  const bytes = systemRandom.bytes(3 * RECORD_BYTES + 20_000);
  const write = (from: number, to: number, more: boolean): void => {
    seeder.duplex.write(Buffer.from(bytes.subarray(from, to)), more);
    steps.run();
  };
  const full = STREAM_PAYLOAD_BYTES;
  write(0, RECORD_BYTES + 10_000, true);
  assert.deepEqual(lengths, [full]);
  clock.advance(LIMITS.tunnelHoldMs - 1);
  write(RECORD_BYTES + 10_000, 2 * RECORD_BYTES + 10_000, true);
  assert.deepEqual(lengths, [full, full]);
  clock.advance(LIMITS.tunnelHoldMs - 1);
  steps.run();
  assert.equal(lengths.length, 2);
  clock.advance(1);
  steps.run();
  assert.deepEqual([lengths.length, downloader.bytes().length], [3, 2 * RECORD_BYTES + 10_000]);
  write(2 * RECORD_BYTES + 10_000, bytes.length, false);
  assert.deepEqual(downloader.bytes(), bytes);
  clock.advance(10 * LIMITS.tunnelHoldMs);
  steps.run();
  assert.equal(lengths.length, 5);
});

/** Would catch: a writer that is asked to wait, and an end that waits for the writer. */
test("nothing is held back of a writer that was asked to wait, nor when it closes", async () => {
  const { downloader, seeder, steps } = await openTunnel(2);
  const bytes = systemRandom.bytes(LIMITS.tunnelQueueBytes + 3 * RECORD_BYTES + 1);
  assert.equal(seeder.duplex.write(Buffer.from(bytes), true), false);
  steps.run();
  assert.equal(downloader.bytes().length, bytes.length);
  seeder.duplex.write(Buffer.from("the end"), true);
  steps.run();
  seeder.duplex.close();
  steps.run();
  assert.equal(downloader.bytes().subarray(bytes.length).toString(), "the end");
});

/** Would catch: memory that a seeder leaves to the collector, which then runs for each hundred megabytes. */
test("the memory of what was written is given back once it is sent, and that of a part of something larger is not", async () => {
  const { seeder, downloader, steps } = await openTunnel();
  const [whole, part] = [Buffer.allocUnsafeSlow(300_000), Buffer.allocUnsafeSlow(1_000)];
  seeder.duplex.write(whole);
  seeder.duplex.write(part.subarray(0, 500));
  assert.notEqual(whole.length, 0);
  steps.run();
  assert.deepEqual([whole.length, part.length, downloader.bytes().length], [0, 1_000, 300_500]);
});

test("a paused reader holds the writer back at the window, and loses nothing", async () => {
  const { downloader, seeder, steps, far } = await openTunnel(8);
  downloader.duplex.pause();
  const bytes = systemRandom.bytes(40 * RECORD_BYTES);
  let offset = 0;
  const writeMore = (): void => {
    while (
      offset < bytes.length &&
      seeder.duplex.write(Buffer.from(bytes.subarray(offset, (offset += 5_000))))
    ) {
      // Written until told to wait.
    }
  };
  writeMore();
  steps.run();
  assert.ok(offset < bytes.length, "a writer was never asked to wait");
  assert.ok(offset <= 8 * RECORD_BYTES + LIMITS.tunnelQueueBytes + 5_000);
  assert.equal(far.sendWindow, 0);
  assert.equal(downloader.bytes().length, 0);
  downloader.duplex.resume();
  let drains = 0;
  while (steps.run() > 0) {
    if (seeder.drains > drains) {
      drains = seeder.drains;
      writeMore();
    }
  }
  assert.ok(drains > 0);
  assert.ok(downloader.bytes().equals(bytes));
});

test("a reader that pauses inside onData gets nothing more until it resumes", async () => {
  const { dialled, accepted, steps } = tunnelEnds();
  steps.run();
  const reader = await dialled;
  const writer = await accepted;
  let got = 0;
  reader.start({ onData: () => (got++, reader.pause()), onDrain() {}, onClose() {} });
  writer.start({ onData() {}, onDrain() {}, onClose() {} });
  writer.write(Buffer.alloc(5 * RECORD_BYTES));
  steps.run();
  assert.equal(got, 1);
  reader.resume();
  assert.equal(got, 2);
});

test("what the peer sends before start waits", async () => {
  const { dialled, accepted, steps } = tunnelEnds();
  steps.run();
  const late = await dialled;
  collect(await accepted).duplex.write(Buffer.from("first"));
  steps.run();
  assert.equal(collect(late).bytes().toString(), "first");
});

test("one flipped bit anywhere in a record closes the tunnel with E_TUNNEL, and gives no byte of it", async () => {
  const short = [0, 2, 900, SHORT_PAYLOAD_BYTES - 17, SHORT_PAYLOAD_BYTES - 1].map((at) => ({
    at,
    length: 3,
  }));
  const full = [0, 9_000, STREAM_PAYLOAD_BYTES - 17, STREAM_PAYLOAD_BYTES - 1].map((at) => ({
    at,
    length: 20_000,
  }));
  for (const { at, length } of [...short, ...full]) {
    const { downloader, seeder, steps, far } = await openTunnel();
    seeder.duplex.write(Buffer.from("good"));
    steps.run();
    far.tamper = (payload) => {
      const bad = Buffer.from(payload);
      bad[at] = (bad[at] as number) ^ 1;
      return bad;
    };
    seeder.duplex.write(Buffer.alloc(length, "bad"));
    steps.run();
    assert.equal(downloader.bytes().toString(), "good");
    assert.ok(broke(downloader.closed[0]), `bit at ${at}`);
    assert.equal(downloader.closed.length, 1);
    assert.equal(seeder.closed.length, 1);
  }
});

test("a record replayed, left out, or cut short closes the tunnel", async () => {
  const first: Buffer[] = [];
  const attacks: ((payload: Buffer) => Buffer)[] = [
    (payload) => (first.push(Buffer.from(payload)), first[0] as Buffer),
    (payload) => payload.subarray(0, -1),
    () => Buffer.from("x"),
  ];
  for (const attack of attacks) {
    const { downloader, seeder, steps, far } = await openTunnel();
    first.length = 0;
    far.tamper = attack;
    seeder.duplex.write(Buffer.alloc(2 * RECORD_BYTES));
    steps.run();
    assert.ok(broke(downloader.closed[0]));
    assert.ok(downloader.bytes().length <= RECORD_BYTES);
  }
});

test("close lets what was written before out, also where the window was shut", async () => {
  const { downloader, seeder, steps } = await openTunnel(2);
  downloader.duplex.pause();
  seeder.duplex.write(Buffer.alloc(10 * RECORD_BYTES, 5));
  seeder.duplex.close();
  steps.run();
  downloader.duplex.resume();
  steps.run();
  assert.equal(downloader.bytes().length, 10 * RECORD_BYTES);
  assert.deepEqual([downloader.closed, seeder.closed], [[undefined], [undefined]]);
  assert.equal(seeder.duplex.write(Buffer.from("late")), false);
});

test("a close that the peer never lets finish ends after the linger", async () => {
  const { downloader, seeder, steps, clock, far } = await openTunnel(2);
  downloader.duplex.pause();
  seeder.duplex.write(Buffer.alloc(10 * RECORD_BYTES));
  seeder.duplex.close();
  steps.run();
  assert.equal(seeder.closed.length, 0);
  clock.advance(LIMITS.tunnelLingerMs);
  assert.equal(seeder.closed.length, 1);
  assert.equal(far.ended, true);
  assert.equal(clock.timerCount, 0);
});

test("somebody without the link (another psk) completes no tunnel, on either side", async () => {
  const ends = tunnelEnds({ psk: systemRandom.bytes(32) });
  const both = Promise.allSettled([ends.dialled, ends.accepted]);
  ends.steps.run();
  for (const result of await both) assert.ok(result.status === "rejected" && broke(result.reason));
  assert.equal(ends.clock.timerCount, 0);
});

test("a gate in the seeder's place, without its tunnel key, completes no tunnel", async () => {
  const ends = tunnelEnds({ peer: { ...peer, tunnelKey: generateKeys("x25519").publicBytes } });
  const both = Promise.allSettled([ends.dialled, ends.accepted]);
  ends.steps.run();
  for (const result of await both) assert.ok(result.status === "rejected" && broke(result.reason));
});

test("a first payload of random bytes is refused, and a silent peer is given up", async () => {
  const ends = tunnelEnds({ tamper: (payload) => systemRandom.bytes(payload.length) });
  const both = Promise.allSettled([ends.dialled, ends.accepted]);
  ends.steps.run();
  for (const result of await both) assert.ok(result.status === "rejected");

  const silent = tunnelEnds();
  const given = Promise.allSettled([silent.dialled, silent.accepted]);
  silent.clock.advance(LIMITS.tunnelHandshakeMs);
  for (const result of await given) assert.ok(result.status === "rejected" && broke(result.reason));
  assert.equal(silent.near.ended, true);
});
