import assert from "node:assert/strict";
import { test } from "node:test";
import { hmacSha256 } from "../../src/crypto/hash.ts";
import { secretKey } from "../../src/crypto/keys.ts";
import { isBackroomError } from "../../src/base/errors.ts";
import type { HandshakeKeys } from "../../src/circuit/handshake.ts";
import { KeyChain, RATCHET_FRAMES } from "../../src/circuit/key-chain.ts";
import { FRAME } from "../../src/net/frame.ts";
import { ClientLayers, HopLayers, MINE, PASS_ON, RelayLayers } from "../../src/circuit/layer.ts";

const DATA = 114_688;
const CONTROL = 2_048;

function keys(hop: number): HandshakeKeys {
  const key = (name: number): Buffer => Buffer.alloc(32, hop * 4 + name);
  return { forwardData: key(0), backwardData: key(1), forwardControl: key(2), backwardControl: key(3) };
}

function circuit(hops: number, ratchetFrames?: number): { client: ClientLayers; relays: RelayLayers[] } {
  const client = new ClientLayers();
  const relays: RelayLayers[] = [];
  for (let position = 1; position <= hops; position++) {
    client.add(new HopLayers(keys(position), ratchetFrames));
    relays.push(new RelayLayers(new HopLayers(keys(position), ratchetFrames), position));
  }
  return { client, relays };
}

function own(layers: ClientLayers | RelayLayers, length: number, fill: number): Buffer {
  const frame = Buffer.alloc(length, 0xaa);
  frame[4] = length === DATA ? FRAME.data : FRAME.control;
  const range = layers.ownRange(length);
  frame.fill(fill, range.start, range.start + range.length);
  frame[range.start] = MINE;
  layers.sealOwn(frame);
  return frame;
}

for (const hops of [1, 2, 3, 4]) {
  for (const length of [DATA, CONTROL]) {
    // Catches wrong offsets at any position: a tag over data, filler in a sealed part, a byte lost at the end.
    test(`layers fit for ${hops} hops and frames of ${length}, both ways`, () => {
      const { client, relays } = circuit(hops);
      for (let round = 0; round < 3; round++) {
        const frame = own(client, length, 40 + round);
        for (const [index, relay] of relays.entries()) {
          const opened = relay.open(frame);
          if (index === hops - 1) {
            assert.equal(opened[0], MINE);
            assert.equal(opened.length, length - 8 - 17 * index - 16);
            assert.ok(opened.subarray(1).every((byte) => byte === 40 + round));
          } else {
            assert.equal(opened[0], PASS_ON);
            relay.passOn(opened, frame);
            assert.ok(frame.subarray(length - 17 * (index + 1)).every((byte) => byte === 0));
          }
        }
        const back = own(relays[hops - 1] as RelayLayers, length, 80 + round);
        for (const relay of relays.slice(0, -1).reverse()) relay.wrap(back);
        const opened = client.open(back);
        assert.ok(opened.subarray(1).every((byte) => byte === 80 + round));
      }
    });
  }
}

test("whatever a hop puts into filler is gone behind the next one, both ways", () => {
  const { client, relays } = circuit(3);
  const [first, second, third] = relays as [RelayLayers, RelayLayers, RelayLayers];
  const frame = own(client, DATA, 1);
  first.passOn(first.open(frame), frame);
  frame.fill(0x55, DATA - 17);
  second.passOn(second.open(frame), frame);
  assert.ok(frame.subarray(DATA - 34).every((byte) => byte === 0));
  assert.equal(third.open(frame)[0], MINE);

  const back = own(third, DATA, 1);
  back.fill(0x55, DATA - 34);
  second.wrap(back);
  assert.ok(back.subarray(DATA - 17).every((byte) => byte === 0));
  back.fill(0x55, DATA - 17);
  first.wrap(back);
  assert.equal(client.open(back)[0], MINE);
});

test("a client takes words of its own from the last hop only", () => {
  const { client, relays } = circuit(2);
  const [first] = relays as [RelayLayers];
  assert.throws(
    () => client.open(own(first, DATA, 1)),
    (error) => isBackroomError(error, "E_FRAME"),
  );
  assert.throws(
    () => new ClientLayers().open(Buffer.alloc(DATA)),
    (error) => isBackroomError(error, "E_FRAME"),
  );
});

test("a frame that is repeated, left out or out of order does not open", () => {
  for (const order of [[0, 0], [1], [0, 2]]) {
    const { client, relays } = circuit(1);
    const frames = [1, 2, 3].map((fill) => own(client, DATA, fill));
    const openAll = (): void => {
      for (const index of order) (relays[0] as RelayLayers).open(Buffer.from(frames[index] as Buffer));
    };
    assert.throws(openAll, (error) => isBackroomError(error, "E_CRYPTO"));
  }
});

// Catches an off-by-one where a key changes: both ends must step at the same frame, and never go back to an old key.
test("keys step together, and every layer goes on", () => {
  const { client, relays } = circuit(2, 3);
  const [first, second] = relays as [RelayLayers, RelayLayers];
  for (let count = 0; count < 10; count++) {
    const frame = own(client, CONTROL, count);
    first.passOn(first.open(frame), frame);
    assert.equal(second.open(frame)[1], count);
    const back = own(second, CONTROL, count);
    first.wrap(back);
    assert.equal(client.open(back)[1], count);
  }
});

test("a key chain gives the keys and nonces of PROTOCOL 6.2", () => {
  const start = Buffer.alloc(32, 9);
  const second = hmacSha256(secretKey(start), Buffer.from("next"));
  const expected = [start, second].map((chain) =>
    hmacSha256(secretKey(chain), Buffer.from("key")).toString("hex"),
  );
  const chain = new KeyChain(Buffer.from(start), 2);
  const seen = [];
  for (let frame = 0; frame < 4; frame++) {
    const key = chain.key().export().toString("hex");
    seen.push([key, chain.nonce().toString("hex")]);
  }
  const nonces = ["00".repeat(12), `${"00".repeat(11)}01`];
  assert.deepEqual(seen, [
    [expected[0], nonces[0]],
    [expected[0], nonces[1]],
    [expected[1], nonces[0]],
    [expected[1], nonces[1]],
  ]);
  assert.equal(RATCHET_FRAMES, 65_536);
});
