import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBackroomError } from "../../src/base/errors.ts";
import {
  pickGuards,
  pickPath,
  pickSeconds,
  RELAYS_BEFORE_LAST,
  type PathRole,
  type Profile,
} from "../../src/directory/path.ts";
import type { RelayInfo } from "../../src/directory/relay-info.ts";
import { related, subnetsOf } from "../../src/directory/subnets.ts";
import { describePrivacy } from "../../src/directory/privacy.ts";
import { NETWORK, plainInfo, plainInfos, publicHost, seededRandom, TEST_NETWORK } from "./fixtures.ts";

/** Random tables: few subnets, relays with several addresses, flags at random. */
const relayShape = fc.record({
  subnets: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 3 }),
  last: fc.integer({ min: 1, max: 250 }),
  gate: fc.boolean(),
  scout: fc.boolean(),
  bandwidthKiB: fc.constantFrom(0, 1, 100, 5000, 4_000_000_000),
});
const tables = fc
  .array(relayShape, { maxLength: 24 })
  .map((shapes) =>
    shapes.map(({ subnets, last, ...more }, n) =>
      plainInfo(n, "", { ...more, endpoints: subnets.map((s) => ({ host: `20.${s}.0.${last}`, port: 1 })) }),
    ),
  );
const roles = fc.constantFrom("seeder", "downloader", "lookup", "directory");
const profiles = fc.constantFrom<Profile>("standard", "strong");

function roleOf(name: string, relays: readonly RelayInfo[], seconds: readonly RelayInfo[]): PathRole {
  const gate = relays.find((relay) => relay.gate);
  if (name === "downloader" && gate !== undefined) return { role: "downloader", gate };
  return name === "seeder"
    ? { role: "seeder", seconds }
    : { role: name === "lookup" ? "lookup" : "directory" };
}

/** Whether any path exists, by trying all: the slow truth that the search is held against. */
function possible(
  slots: readonly (readonly RelayInfo[])[],
  network: { test: boolean },
  chosen: RelayInfo[] = [],
): boolean {
  const [slot, ...rest] = slots;
  if (slot === undefined) return true;
  return slot.some(
    (relay) =>
      !chosen.some((other) => related(relay, other, network)) && possible(rest, network, [...chosen, relay]),
  );
}

test("in random tables every path keeps every rule, and is found whenever there is one", () => {
  // Would catch two hops of one subnet, a relay twice, a last hop without its flag, a guard out of the wrong set, and a search that gives up.
  const cases = fc.tuple(tables, roles, profiles, fc.boolean(), fc.nat());
  let found = 0;
  let refused = 0;
  fc.assert(
    fc.property(cases, ([relays, roleName, profile, isTest, seed]) => {
      const random = seededRandom(seed);
      const network = isTest ? TEST_NETWORK : NETWORK;
      const guards = pickGuards(relays, 3, network, random);
      const seconds = pickSeconds(relays, guards, profile === "strong" ? 6 : 3, network, random);
      const want = roleOf(roleName, relays, seconds);
      let path: RelayInfo[];
      try {
        path = pickPath(relays, want, { profile, network, guards }, random);
      } catch (error) {
        assert.ok(isBackroomError(error, "E_NETWORK_TOO_SMALL"));
        refused++;
        // Outside test networks the pool is smaller than the table; there the rules alone are checked.
        if (!isTest) return;
        const middle = want.role === "seeder" ? seconds : relays;
        const flagged = relays.filter((relay) =>
          want.role === "seeder" ? relay.gate : want.role !== "lookup" || relay.scout,
        );
        const last = want.role === "downloader" ? [want.gate] : flagged;
        const slots = [
          last,
          guards,
          ...Array.from({ length: RELAYS_BEFORE_LAST[profile] - 1 }, () => middle),
        ];
        assert.equal(possible(slots, network), false);
        return;
      }
      found++;
      assert.equal(path.length, RELAYS_BEFORE_LAST[profile] + 1);
      assert.equal(new Set(path.map((relay) => relay.key)).size, path.length);
      assert.ok(guards.includes(path[0] as RelayInfo));
      const last = path.at(-1);
      if (want.role === "downloader") assert.equal(last, want.gate);
      if (want.role === "seeder") {
        assert.equal(last?.gate, true);
        assert.ok(path.slice(1, -1).every((relay) => seconds.includes(relay)));
      }
      if (want.role === "lookup") assert.equal(last?.scout, true);
      if (isTest) return;
      const subnets = path.flatMap(subnetsOf);
      assert.equal(new Set(subnets).size, subnets.length);
    }),
    { numRuns: 600 },
  );
  // Both outcomes must really have been met, or the property says nothing.
  assert.ok(found > 100 && refused > 100, `${found} found, ${refused} refused`);
});

const options = (guards: readonly RelayInfo[], profile: Profile = "standard") => ({
  profile,
  network: NETWORK,
  guards,
});

test("a claim of any size wins no more than a middling one", () => {
  // Would catch weights taken from the claim itself: one relay would then stand on every path.
  const relays = [...plainInfos(99), plainInfo(1000, publicHost(700), { bandwidthKiB: 0xffff_ffff })];
  const random = seededRandom(3);
  const guards = relays.slice(0, 3);
  let greedy = 0;
  for (let n = 0; n < 2000; n++) {
    const path = pickPath(relays, { role: "directory" }, options(guards), random);
    greedy += path.slice(1).filter((relay) => relay.key === relays[99]?.key).length;
  }
  // One of 97 in two places: 41 expected.
  assert.ok(greedy > 15 && greedy < 75, `${greedy}`);
});

/** Would catch: measurements that are not used, that decide alone, or a relay that was slow once and is never tried again. */
/** How likely the relay between is one of those, when the last one is drawn first, by weight, and it from the rest. */
function middleShare(
  relays: readonly { readonly key: string; readonly weight: number }[],
  isOne: (key: string) => boolean,
): number {
  const total = relays.reduce((sum, { weight }) => sum + weight, 0);
  const wanted = relays.filter(({ key }) => isOne(key)).reduce((sum, { weight }) => sum + weight, 0);
  return relays.reduce((sum, { key, weight }) => {
    const left = wanted - (isOne(key) ? weight : 0);
    return sum + ((weight / total) * left) / (total - weight);
  }, 0);
}

/** Would catch: a relay that was slow once and is never measured again, and measurements that count for nothing. */
test("relays that carried more are drawn more often, within bounds, and slow ones are tried now and then", () => {
  const relays = plainInfos(40);
  const guards = relays.slice(0, 1);
  const standing = (rate: number) => ({ rate, rateTrust: 1, quickness: 0 });
  const [quick, slow] = [relays[10]?.key ?? "", new Set(relays.slice(11, 31).map(({ key }) => key))];
  const measured = new Map(
    relays.map(({ key }) => [key, standing(key === quick ? 2 : slow.has(key) ? -2 : 0)]),
  );
  const random = seededRandom(12);
  const met: string[] = [];
  for (let n = 0; n < 8000; n++) {
    met.push(pickPath(relays, { role: "lookup" }, { ...options(guards), measured }, random)[1]?.key ?? "");
  }
  const weights = relays
    .slice(1)
    .map(({ key }) => ({ key, weight: key === quick ? 4 : slow.has(key) ? 1 / 4 : 1 }));
  for (const isOne of [(key: string) => key === quick, (key: string) => slow.has(key)]) {
    const expected =
      7000 * middleShare(weights, isOne) + 1000 * (weights.filter(({ key }) => isOne(key)).length / 39);
    const seen = met.filter(isOne).length;
    // Without the paths that are drawn without regard to it this would be 3.4 and 7.4 deviations off.
    assert.ok(Math.abs(seen - expected) < 3 * Math.sqrt(expected), `${seen}, not ${expected}`);
  }
});

test("fresh hops are spread over all relays", () => {
  const relays = plainInfos(40);
  const guards = relays.slice(0, 1);
  const random = seededRandom(4);
  const counts = new Map<string, number>();
  for (let n = 0; n < 3900; n++) {
    const [, middle] = pickPath(relays, { role: "lookup" }, options(guards), random);
    counts.set(middle?.key ?? "", (counts.get(middle?.key ?? "") ?? 0) + 1);
  }
  assert.equal(counts.size, 39);
  for (const count of counts.values()) assert.ok(Math.abs(count - 100) < 50, `${count}`);
});

test("a subnet full of relays weighs no more than two of them", () => {
  const crowd = Array.from({ length: 8 }, (_, n) => plainInfo(500 + n, `9.9.9.${n + 1}`));
  const relays = [...crowd, ...plainInfos(30)];
  const random = seededRandom(5);
  const met = new Set<string>();
  for (let n = 0; n < 500; n++) {
    for (const relay of pickPath(relays, { role: "directory" }, options(relays.slice(-3)), random))
      met.add(relay.key);
  }
  assert.equal(crowd.filter((relay) => met.has(relay.key)).length, 2);
});

test("the guard stays the same while it is there, and steps aside for a gate of its own subnet", () => {
  const relays = plainInfos(30);
  const guards = relays.slice(0, 2);
  const random = seededRandom(6);
  for (let n = 0; n < 50; n++) {
    assert.equal(pickPath(relays, { role: "lookup" }, options(guards), random)[0], guards[0]);
  }
  const beside = plainInfo(900, publicHost(0, 77));
  const path = pickPath(relays, { role: "downloader", gate: beside }, options(guards), random);
  assert.equal(path[0], guards[1]);
  const avoid = new Set([guards[0]?.key ?? ""]);
  assert.equal(pickPath(relays, { role: "lookup" }, { ...options(guards), avoid }, random)[0], guards[1]);
});

test("own guards are no gate's neighbour while there are others", () => {
  // Would catch a gate that learns a guard by being its neighbour.
  const relays = plainInfos(12);
  const guards = relays.slice(0, 3);
  const random = seededRandom(7);
  for (let n = 0; n < 200; n++) {
    const path = pickPath(
      relays,
      { role: "downloader", gate: relays[11] as RelayInfo },
      options(guards),
      random,
    );
    assert.ok(!guards.includes(path[1] as RelayInfo));
  }
});

test("three relays make a standard path in a test network, and a strong one says what it lacks", () => {
  const local = [1, 2, 3].map((n) =>
    plainInfo(n, "127.0.0.1", { endpoints: [{ host: "127.0.0.1", port: n }] }),
  );
  const random = seededRandom(8);
  const guards = pickGuards(local, 3, TEST_NETWORK, random);
  const gate = local[2] as RelayInfo;
  const rules = { profile: "standard", network: TEST_NETWORK, guards } as const;
  assert.equal(pickPath(local, { role: "downloader", gate }, rules, random).length, 3);
  const strong = { ...rules, profile: "strong" } as const;
  assert.throws(
    () => pickPath(local, { role: "downloader", gate }, strong, random),
    (error) =>
      isBackroomError(error, "E_NETWORK_TOO_SMALL") &&
      /4 .*knows 3/.test(error.why) &&
      /standard/.test(error.fix),
  );
});

test("a pick of 5,000 relays takes milliseconds", () => {
  const relays = plainInfos(5000);
  const random = seededRandom(9);
  const guards = pickGuards(relays, 3, NETWORK, random);
  // Of the processor's time: what others do on this computer does not count.
  const before = process.cpuUsage();
  for (let n = 0; n < 20; n++) pickPath(relays, { role: "directory" }, options(guards, "strong"), random);
  assert.ok(process.cpuUsage(before).user / 1000 / 20 < 100);
});

test("what a network can hide is said by its number of independent relays", () => {
  const say = (count: number, network = NETWORK, profile: Profile = "standard") =>
    describePrivacy(plainInfos(count), network, profile);
  assert.equal(say(2).level, "none");
  assert.equal(say(3).level, "small");
  assert.equal(say(3, NETWORK, "strong").level, "none");
  assert.equal(say(49).level, "small");
  assert.equal(say(50).level, "fair");
  assert.equal(say(3, TEST_NETWORK).level, "test");
  assert.match(say(3, TEST_NETWORK).sentences[0] ?? "", /one operator runs all its relays/);
  // A hundred relays of one subnet are one operator.
  const crowd = Array.from({ length: 100 }, (_, n) => plainInfo(n, `9.9.9.${n + 1}`));
  assert.equal(describePrivacy(crowd, NETWORK, "standard").independentRelays, 1);
  // Two subnets that a third relay stands in both of are one operator's, too.
  const bridge = {
    endpoints: [
      { host: "9.9.9.9", port: 1 },
      { host: "7.7.7.7", port: 1 },
    ],
  };
  const joined = [plainInfo(1, "9.9.9.1"), plainInfo(2, "7.7.7.1"), plainInfo(3, "", bridge)];
  assert.equal(describePrivacy(joined, NETWORK, "standard").independentRelays, 1);
});
