import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { decodeRelayInfo, hostName, isGuest, type RelayInfo } from "../../src/directory/relay-info.ts";
import { PROVEN } from "../../src/directory/table.ts";
import type { Endpoint } from "../../src/net/channel.ts";
import { GuestSide } from "../../src/node/guest-side.ts";
import { OwnInfo } from "../../src/node/own-info.ts";
import type { PublicSide } from "../../src/node/public-side.ts";
import { Standing } from "../../src/node/standing.ts";
import { NETWORK, plainInfo, publicHost, seededRandom, tableWith } from "../directory/fixtures.ts";

/** A relay that nobody can dial, among relays of which some keep no channel, or take no guests. */
function world(relays: readonly RelayInfo[], refusing: ReadonlySet<string> = new Set()) {
  const { table, clock } = tableWith();
  for (const relay of relays) table.add(relay, PROVEN);
  const kept = new Map<string, () => void>();
  const published: string[] = [];
  const named: string[][] = [];
  let changes = 0;
  const deps = {
    relay: {
      keep(target: { readonly nodeKey: Uint8Array }, onClose: () => void) {
        const key = Buffer.from(target.nodeKey).toString("hex");
        kept.set(key, onClose);
        return Promise.resolve(() => void kept.delete(key));
      },
    },
    table,
    network: NETWORK,
    clock,
    random: seededRandom(5),
    ownKey: plainInfo(999, publicHost(999)).key,
    askRelay: ({ key }: RelayInfo) => {
      published.push(key);
      if (refusing.has(key)) return Promise.reject(new BackroomError("E_REFUSED", "no room"));
      return Promise.resolve(new Map());
    },
  };
  const guest = new GuestSide({
    ...deps,
    infoNaming(hosts) {
      named.push(hosts.map(({ key }) => key).toSorted());
      return hosts.length === 0 ? undefined : Buffer.from("info");
    },
    onHosts: () => changes++,
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  return { guest, deps, kept, published, named, clock, pass, changes: () => changes };
}

const apart = (count: number): RelayInfo[] =>
  Array.from({ length: count }, (_, number) => plainInfo(number, publicHost(200 * number)));

test("a guest keeps channels to three relays of different networks, names them and tells each", async () => {
  const neighbours = [6, 7, 8, 9].map((number) => plainInfo(number, publicHost(0, number)));
  const { guest, kept, named, published, changes } = world([...neighbours, ...apart(5)]);
  await guest.start();
  assert.equal(guest.hostCount, 3);
  assert.deepEqual(named, [[...kept.keys()].toSorted()]);
  assert.deepEqual(published.toSorted(), named[0]);
  const subnets = [...kept.keys()].map((key) => [...neighbours, ...apart(1)].some((one) => one.key === key));
  assert.ok(subnets.filter((inOne) => inOne).length <= 1, "two hosts of one /24");
  assert.equal(changes(), 1);
});

/** Would catch: a guest whose info runs out with its hosts, so that after some hours no path leads through it any more. */
test("hosts are told anew every ten minutes, by the info of that time, and no more often", async () => {
  const { guest, published, named, pass } = world(apart(3));
  await guest.start();
  for (let rounds = 1; rounds <= 6; rounds++) {
    await pass(10 * 60_000 - 1);
    assert.equal(published.length, 3 * rounds);
    await pass(1);
    assert.deepEqual(published.slice(-3).toSorted(), named.at(-1));
    assert.equal(published.length, 3 * (rounds + 1));
  }
});

test("a relay that takes no guest is named to nobody in the end, and let go", async () => {
  const relays = apart(4);
  const refusing = new Set(relays.slice(0, 3).map(({ key }) => key));
  const { guest, kept, named, pass } = world(relays, refusing);
  await guest.start();
  // The next round asks those that are left, and not again those that refused.
  await pass(20_000);
  assert.deepEqual([...kept.keys()], [relays[3]?.key]);
  assert.deepEqual(named.at(-1), [relays[3]?.key]);
  assert.equal(guest.hostCount, 1);
});

test("a host that goes is named no longer at once, and another is sought", async () => {
  const { guest, kept, named, pass, changes } = world(apart(4));
  await guest.start();
  const [gone, close] = [...kept][0] as [string, () => void];
  kept.delete(gone);
  close();
  assert.deepEqual(named.at(-1), [...kept.keys()].toSorted());
  assert.equal(changes(), 2);
  await pass(5_000);
  assert.equal(guest.hostCount, 3);
});

test("nothing is kept, said or waited for after the end", async () => {
  const { guest, kept, clock } = world(apart(4));
  await guest.start();
  guest.stop();
  assert.deepEqual([kept.size, clock.timerCount], [0, 0]);
});

test("what is found out becomes what others are told, whichever way it changes", async () => {
  const { deps, kept } = world(apart(5));
  const onion = generateKeys("x25519");
  const keys = { node: generateKeys("ed25519"), onion, previousOnion: undefined, onionMadeMs: Date.now() };
  const own = new OwnInfo(keys, {
    clock: systemClock,
    networkId: NETWORK.id,
    gate: true,
    save: () => Promise.resolve(),
  });
  const steps: string[] = [];
  const told: unknown[] = [];
  const standing = new Standing({
    ...deps,
    own,
    log: silentLog,
    publicSide: {
      open: (port: number) => Promise.resolve(void steps.push(`open ${port}`)),
      close: () => Promise.resolve(void steps.push("close")),
    } as unknown as PublicSide,
    announce: () => steps.push("announce"),
    onStanding: (now) => told.push(now),
  });
  const set = async (...endpoints: Endpoint[]): Promise<RelayInfo | undefined> => {
    const before = told.length;
    standing.set(endpoints);
    while (told.length === before) await new Promise((resolve) => setImmediate(resolve));
    const bytes = own.bytes();
    return bytes === undefined ? undefined : decodeRelayInfo(bytes);
  };
  assert.equal(own.bytes(), undefined, "nothing is said before anything is known");
  const asGuest = await set();
  assert.ok(asGuest !== undefined && isGuest(asGuest) && !asGuest.gate);
  const names = [...kept.keys()].map((key) => hostName(Buffer.from(key, "hex")));
  assert.deepEqual(asGuest.hosts, names.toSorted());
  const here = { host: "9.9.9.9", port: 4430 };
  const asRelay = await set(here);
  assert.deepEqual([asRelay?.endpoints, asRelay?.gate, kept.size], [[here], true, 0]);
  assert.deepEqual(steps, ["close", "open 4430", "announce"]);
  assert.equal(isGuest((await set()) as RelayInfo), true);
  assert.deepEqual(told, [
    { reachable: false, hosts: 3 },
    { reachable: true, hosts: 0 },
    { reachable: false, hosts: 3 },
  ]);
  await standing.close();
  assert.deepEqual([kept.size, steps.at(-1)], [0, "close"]);
});
