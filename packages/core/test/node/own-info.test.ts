import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { clientHello, PROTOCOL_ID, serverReply } from "../../src/circuit/handshake.ts";
import { createRelayInfoDecoder, type RelayInfo } from "../../src/directory/relay-info.ts";
import { openDataFolder, type DataFolder } from "../../src/node/data-folder.ts";
import { OwnInfo, type OwnInfoDeps } from "../../src/node/own-info.ts";
import { openRelayKeys, saveRelayKeys } from "../../src/node/relay-keys.ts";
import { withFolder } from "../store/temporary.ts";
import { ManualClock } from "../support/manual-clock.ts";

const DAY_MS = 24 * 3_600_000;

/** One run of a relay, as the program puts it together. */
async function start(folder: DataFolder, clock: ManualClock, more: Partial<OwnInfoDeps> = {}) {
  const keys = await openRelayKeys(folder, clock);
  const own = new OwnInfo(keys, {
    clock,
    networkId: 1,
    gate: false,
    save: (changed) => saveRelayKeys(folder, changed),
    ...more,
  });
  own.where = { kind: "reachable", endpoints: [{ host: "8.1.1.1", port: 9001 }] };
  return own;
}

function infoOf(own: OwnInfo): RelayInfo {
  const bytes = own.bytes();
  assert.ok(bytes !== undefined);
  return createRelayInfoDecoder()(bytes);
}

/** The info once it tells of another onion key than that one. */
async function infoAfter(own: OwnInfo, onionKey: Buffer): Promise<RelayInfo> {
  for (let looks = 0; looks < 500; looks++) {
    const info = infoOf(own);
    if (!info.onionKey.equals(onionKey)) return info;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return assert.fail("the onion key does not change");
}

/** Whether somebody who holds that info gets a circuit. */
function answers(own: OwnInfo, { nodeKey, onionKey }: RelayInfo): boolean {
  const client = clientHello({ protocolId: PROTOCOL_ID.hop, nodeId: nodeKey, onionKey, position: 1 });
  const relay = { protocolId: PROTOCOL_ID.hop, nodeId: nodeKey, onionKeys: own.onionKeys() };
  try {
    client.finish(serverReply(relay, client.message).reply);
    return true;
  } catch (error) {
    assert.ok(error instanceof BackroomError);
    return false;
  }
}

/** Would catch: a relay with a low limit that has as many paths drawn through it as any other. */
test("a relay with a limit of speed claims no more than that", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const claimOf = async (rate: number | null): Promise<number> =>
      infoOf(await start(folder, new ManualClock(), { limit: { rate } })).bandwidthKiB;
    const most = await claimOf(null);
    assert.equal(await claimOf(65_536), 64);
    assert.equal(await claimOf(1024 ** 4), most);
  });
});

/**
 * Would catch: an onion key that is never changed, or that is changed while some still hold the info with the one before; one that is changed in memory alone, so that after a restart
 * nobody who has heard of it gets a circuit.
 */
test("the onion key changes weekly, the one before is still answered, and a restart finds both", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const clock = new ManualClock();
    const own = await start(folder, clock);
    const first = infoOf(own);
    clock.advance(6.9 * DAY_MS);
    assert.deepEqual(infoOf(own).onionKey, first.onionKey);
    clock.advance(0.2 * DAY_MS);
    const second = await infoAfter(own, first.onionKey);
    assert.deepEqual(second.previousOnionKey, first.onionKey);
    assert.deepEqual([answers(own, first), answers(own, second)], [true, true]);

    const restarted = await start(folder, clock);
    assert.deepEqual([answers(restarted, first), answers(restarted, second)], [true, true]);
    assert.deepEqual(infoOf(restarted).onionKey, second.onionKey);

    clock.advance(7.1 * DAY_MS);
    const third = await infoAfter(restarted, second.onionKey);
    assert.deepEqual([answers(restarted, first), answers(restarted, third)], [false, true]);
    const later = await start(folder, clock);
    assert.deepEqual([answers(later, second), answers(later, third)], [true, true]);
  });
});

/** Would catch: a relay on a full disk that goes by a key which the next run does not have. */
test("an onion key that cannot be kept is not used, and is tried again", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const clock = new ManualClock();
    let isFull = true;
    let tries = 0;
    const own = await start(folder, clock, {
      save: (keys) => {
        tries++;
        return isFull
          ? Promise.reject(new BackroomError("E_DISK_FULL", "full"))
          : saveRelayKeys(folder, keys);
      },
    });
    const first = infoOf(own);
    for (let hours = 0; hours < 10; hours++) {
      clock.advance(DAY_MS);
      assert.deepEqual(infoOf(own).onionKey, first.onionKey);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(tries > 1, `${tries} tries`);
    isFull = false;
    clock.advance(3_600_000);
    const second = await infoAfter(own, first.onionKey);
    assert.deepEqual([answers(own, first), answers(own, second)], [true, true]);
  });
});
