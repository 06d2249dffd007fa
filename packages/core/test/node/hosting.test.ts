import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { hostName, type RelayInfo } from "../../src/directory/relay-info.ts";
import { Hosting } from "../../src/node/hosting.ts";
import { NETWORK, plainInfo, publicHost } from "../directory/fixtures.ts";

const OWN_KEY = Buffer.alloc(32, 9);
const guest = (number: number, hostKey = OWN_KEY): RelayInfo =>
  plainInfo(number, "", { endpoints: [], hosts: [hostName(hostKey)] });

/** A host to which guests come from `hostOf`. */
function hosting(hostOf: (key: string) => string | undefined, network = NETWORK) {
  const ends = new Map<string, (() => void)[]>();
  const relay = {
    hostOf: (key: Uint8Array) => hostOf(Buffer.from(key).toString("hex")),
    keepGuest(nodeKey: Uint8Array, onClose: () => void) {
      const key = Buffer.from(nodeKey).toString("hex");
      ends.set(key, [...(ends.get(key) ?? []), onClose]);
      return hostOf(key) !== undefined;
    },
  };
  return { hosting: new Hosting({ relay, nodeKey: OWN_KEY, network }), ends };
}

const apart = (key: string): string => publicHost(200 * Number.parseInt(key.slice(-4), 16));

test("a guest is taken when it names this relay and has a channel here", () => {
  const { hosting: hosts } = hosting((key) => (key === guest(3).key ? undefined : apart(key)));
  assert.equal(hosts.take(guest(1)), true);
  assert.equal(hosts.take(guest(1)), true, "each hour anew");
  assert.equal(hosts.take(guest(2, Buffer.alloc(32))), false, "another relay's guest");
  assert.equal(hosts.take(guest(3)), false, "it has no channel here");
  assert.equal(hosts.take(plainInfo(4, publicHost(4))), false, "it is no guest");
  assert.equal(hosts.count, 1);
});

test("places are bounded, altogether and for a subnet; who leaves makes room", () => {
  const { hosting: hosts, ends } = hosting(apart);
  for (let n = 1; n <= LIMITS.guestsKept + 3; n++) hosts.take(guest(n));
  assert.equal(hosts.count, LIMITS.guestsKept);
  ends.get(guest(1).key)?.forEach((run) => run());
  assert.equal(hosts.take(guest(99)), true);

  const { hosting: crowded } = hosting(() => "8.8.8.8");
  for (let n = 1; n <= 5; n++) crowded.take(guest(n));
  assert.equal(crowded.count, LIMITS.guestsKeptPerSubnet);
  const { hosting: test } = hosting(() => "10.0.0.1", { ...NETWORK, test: true });
  for (let n = 1; n <= 5; n++) test.take(guest(n));
  assert.equal(test.count, 5);
});

test("a guest that came anew before its old channel was noticed to be gone keeps its place", () => {
  const { hosting: hosts, ends } = hosting(apart);
  hosts.take(guest(1));
  hosts.take(guest(1));
  ends.get(guest(1).key)?.[0]?.();
  assert.equal(hosts.count, 1);
  ends.get(guest(1).key)?.[1]?.();
  assert.equal(hosts.count, 0);
});
