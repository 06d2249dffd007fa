import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { placeGuest } from "../../src/directory/guest-hops.ts";
import { hostName, type RelayInfo } from "../../src/directory/relay-info.ts";
import { NETWORK, plainInfo, plainInfos, seededRandom, TEST_NETWORK } from "./fixtures.ts";

const RELAYS = plainInfos(6);
const guestOf = (number: number, hosts: readonly RelayInfo[]): RelayInfo =>
  plainInfo(100 + number, "", { endpoints: [], hosts: hosts.map(({ nodeKey }) => hostName(nodeKey)).sort() });

const behind =
  (guests: readonly RelayInfo[]) =>
  (host: RelayInfo): RelayInfo[] =>
    guests.filter(({ hosts }) => hosts?.includes(hostName(host.nodeKey)));

test("a guest stands directly behind a host of its, at most once, never first or last, and nothing else moves", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.shuffledSubarray(RELAYS, { minLength: 3, maxLength: 4 }),
      fc.array(fc.subarray(RELAYS, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      fc.boolean(),
      (seed, path, hostsOf, test) => {
        const guests = hostsOf.map((hosts, number) => guestOf(number, hosts));
        const placed = placeGuest(
          path,
          { network: { test }, guestsBehind: behind(guests) },
          seededRandom(seed),
        );
        assert.equal(placed.length, path.length);
        const moved = placed.flatMap((relay, index) => (relay === path[index] ? [] : [index]));
        assert.ok(moved.length <= 1);
        for (const index of moved) {
          assert.ok(index > 0 && index < path.length - 1);
          assert.ok(behind(guests)(placed[index - 1] as RelayInfo).includes(placed[index] as RelayInfo));
        }
      },
    ),
  );
});

/** How often of `count` times a guest is placed. */
function placedOf(
  count: number,
  path: readonly RelayInfo[],
  guests: readonly RelayInfo[],
  network = NETWORK,
): number {
  const random = seededRandom(3);
  const known = new Map(path.map((relay) => [relay.key, behind(guests)(relay)]));
  const guestsBehind = ({ key }: RelayInfo): readonly RelayInfo[] => known.get(key) ?? [];
  let placed = 0;
  for (let n = 0; n < count; n++) {
    if (placeGuest(path, { network, guestsBehind }, random).some(({ hosts }) => hosts)) placed++;
  }
  return placed;
}

test("a guard that makes up guests is its own second hop in one path of sixteen, however many it makes up", () => {
  // Would catch guests that are drawn by their number or by what they claim to carry.
  const [guard, second, gate] = RELAYS as [RelayInfo, RelayInfo, RelayInfo];
  for (const count of [1, 64]) {
    const guests = Array.from({ length: count }, (_, number) => guestOf(number, [guard]));
    const placed = placedOf(16_000, [guard, second, gate], guests);
    assert.ok(placed > 850 && placed < 1150, `${count} guests: ${placed} of 16,000`);
  }
});

test("behind a hop that does not know the guard, and in a test network, guests are drawn more often", () => {
  const [guard, second, third, gate] = RELAYS as [RelayInfo, RelayInfo, RelayInfo, RelayInfo];
  const placed = placedOf(4000, [guard, second, third, gate], [guestOf(1, [second])]);
  assert.ok(placed > 900 && placed < 1100, `${placed} of 4,000`);
  const inTest = placedOf(4000, [guard, second, gate], [guestOf(1, [guard])], TEST_NETWORK);
  assert.ok(inTest > 1850 && inTest < 2150, `${inTest} of 4,000`);
});
