import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { OwnRequests } from "../../src/swarm/own-requests.ts";
import { rangeOf } from "../../src/swarm/blocks.ts";
import { torrentInfo } from "../../src/torrent/info.ts";

const info = torrentInfo(Buffer.alloc(32), 3 * 16 * 1024 + 5);
const BLOCK = { piece: 0, block: 0 };
const HERE = { isChoked: false, nowMs: 0 };

/** Would catch: a peer that gets its own blocks counted, stored, or laid to somebody else's charge. */
test("an answer is to something that was asked, or ends it", () => {
  const requests = new OwnRequests(info);
  const range = rangeOf(info, BLOCK);
  const isWrong = { code: "E_WIRE" };
  assert.throws(() => requests.delivered(range, 0), isWrong);
  assert.throws(() => requests.refused(range, HERE), isWrong);
  assert.deepEqual(requests.ask([BLOCK], 0), [{ type: "request", ...range }]);
  for (const other of [
    { ...range, begin: 1 },
    { ...range, length: 5 },
    { ...range, piece: info.pieceCount },
  ]) {
    assert.throws(() => requests.delivered(other, 0), isWrong);
    assert.throws(() => requests.refused(other, HERE), isWrong);
  }
  assert.deepEqual(requests.delivered(range, 1), BLOCK);
  assert.throws(() => requests.delivered(range, 1), isWrong, "twice");
});

test("a request is taken back once, and its reject is no refusal", () => {
  const requests = new OwnRequests(info);
  assert.equal(requests.cancel(BLOCK), undefined);
  for (let turn = 0; turn < LIMITS.peerRejectsInRow + 2; turn++) {
    requests.ask([BLOCK], 0);
    assert.equal(requests.cancel(BLOCK)?.type, "cancel");
    assert.equal(requests.cancel(BLOCK), undefined);
    assert.deepEqual(requests.refused(rangeOf(info, BLOCK), HERE), BLOCK);
  }
});

/** Would catch: a peer that says it has everything and gives nothing, asked for ever. */
test("who refuses everything is of no use after so many or so long, and a block in between counts", () => {
  const refusals = (most: number, nowMs: (count: number) => number, isChoked = false): number => {
    const requests = new OwnRequests(info);
    for (let count = 0; count < most; count++) {
      requests.ask([BLOCK], nowMs(count));
      try {
        requests.refused(rangeOf(info, BLOCK), { isChoked, nowMs: nowMs(count) });
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, "E_PEER_TIMEOUT");
        return count;
      }
    }
    return Infinity;
  };
  const most = LIMITS.peerRejectsInRow + 10;
  assert.equal(
    refusals(most, () => 0),
    LIMITS.peerRejectsInRow,
  );
  assert.equal(
    refusals(most, (count) => count * LIMITS.peerStalledMs),
    2,
  );
  assert.equal(
    refusals(most, () => 0, true),
    Infinity,
  );

  const giving = new OwnRequests(info);
  for (let count = 0; count < most; count++) {
    giving.ask([BLOCK], 0);
    if (count % 100 === 99) giving.delivered(rangeOf(info, BLOCK), 0);
    else giving.refused(rangeOf(info, BLOCK), HERE);
  }
});
