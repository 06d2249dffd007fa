import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { createExtendResolver } from "../../src/directory/acceptable.ts";
import { StrangerDials } from "../../src/directory/stranger-dials.ts";
import { decodeRelayInfo } from "../../src/directory/relay-info.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NETWORK, NOW_S, signedInfo, TEST_NETWORK } from "./fixtures.ts";

const clock = new ManualClock(NOW_S * 1000);
const resolver = (network: typeof NETWORK, isKnown = false) =>
  createExtendResolver({
    network,
    clock,
    decodeInfo: decodeRelayInfo,
    isKnown: () => isKnown,
    dials: new StrangerDials({ clock, network }),
  });

test("EXTEND makes a relay dial what a current info of its own network names, and nothing else", () => {
  // Would catch a relay that a stranger can aim at a printer, at another network, or at an address given up last week.
  const resolve = resolver(NETWORK);
  const info = signedInfo();
  const { nodeKey, endpoints } = resolve(info.bytes);
  assert.deepEqual({ nodeKey, endpoints }, { nodeKey: info.nodeKey, endpoints: info.endpoints });
  const local = signedInfo({ endpoints: [{ host: "127.0.0.1", port: 80 }] });
  const wrong = [
    local,
    signedInfo({
      endpoints: [
        { host: "8.8.8.8", port: 80 },
        { host: "fe80::1", port: 80 },
      ],
    }),
    signedInfo({ networkId: 8 }),
    signedInfo({ timeS: NOW_S - 86_401 }),
    signedInfo({ timeS: NOW_S + 10_801 }),
  ];
  for (const info of wrong) assert.throws(() => resolve(info.bytes), { code: "E_RELAY_INFO" });
  assert.throws(() => resolve(info.bytes.subarray(1)), { code: "E_BENCODE" });
  assert.doesNotThrow(() => resolver(TEST_NETWORK)(local.bytes));
});

/** Would catch: a relay that knocks wherever a stranger with a key of its own points it, again and again. */
test("EXTEND to relays that are not known makes few dials into a subnet; known ones are always dialled", () => {
  const info = signedInfo();
  const strange = resolver(NETWORK);
  for (let count = 0; count < LIMITS.dialSubnetBurst; count++) assert.ok(strange(info.bytes).mayDial());
  assert.equal(strange(info.bytes).mayDial(), false);
  const known = resolver(NETWORK, true);
  for (let count = 0; count < 2 * LIMITS.extendDialBurst; count++) assert.ok(known(info.bytes).mayDial());
});
