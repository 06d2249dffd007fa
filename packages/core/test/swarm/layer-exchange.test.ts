import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { LayerExchange } from "../../src/swarm/layer-exchange.ts";
import { torrentInfo } from "../../src/torrent/info.ts";

/** 1,024 pieces: two ranges of the piece layer. */
const info = torrentInfo(Buffer.alloc(32, 1), 2 ** 26);

/** Would catch: a download that waits for ever for the one peer that it asked, or asks one that refuses again and again. */
test("a part of the piece layer is asked of another peer when one is late, and of one that refused only after a while", () => {
  const exchange = new LayerExchange<object>(info);
  const [late, other] = [{}, {}];
  assert.deepEqual(
    exchange.pick(late, 8, 0).map(({ index }) => index),
    [0, 512],
  );
  assert.equal(exchange.pick(other, 8, LIMITS.peerStallMs).length, 0, "asked of two at a time");
  const again = exchange.pick(other, 1, LIMITS.peerStallMs + 1);
  assert.deepEqual(
    again.map(({ index }) => index),
    [0],
  );
  const [range] = again as [(typeof again)[0]];
  const atMs = 2 * LIMITS.peerStallMs;
  exchange.rejected(other, range, atMs);
  assert.equal(exchange.pick(other, 8, atMs + LIMITS.peerForgiveMs - 1).length, 0);
  assert.equal(exchange.pick(other, 8, atMs + LIMITS.peerForgiveMs).length, 2);
});
