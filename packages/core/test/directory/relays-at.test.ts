import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { networkTopic } from "../../src/directory/network-topic.ts";
import { relaysAt } from "../../src/directory/relays-at.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import type { Dialer, Endpoint } from "../../src/net/channel.ts";
import { createMemoryNetwork } from "../../src/net/memory-channel.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NETWORK, seededRandom } from "./fixtures.ts";

const random = seededRandom(1);

/** Relays at these hosts, and what was dialled. */
function world(hosts: readonly string[], networkId = NETWORK.id) {
  const clock = new ManualClock();
  const wires = createMemoryNetwork({ clock, random });
  const dialled: Endpoint[] = [];
  const keys = hosts.map((host) => {
    const nodeKeys = generateKeys("ed25519");
    const identity = { nodeKeys, info: () => Buffer.alloc(0) };
    wires.listen({ networkId, identity, endpoint: { host, port: 9 } }, () => {});
    return nodeKeys.publicBytes;
  });
  const inner = wires.createDialer({ networkId: NETWORK.id });
  const dialer: Dialer = {
    dial: (target) => {
      dialled.push(...target.endpoints);
      return inner.dial(target);
    },
  };
  const channels = new ChannelPool({ dialer, clock });
  const ask = (endpoints: readonly Endpoint[], isAllowed: (endpoint: Endpoint) => boolean = () => true) =>
    relaysAt(endpoints, { network: NETWORK, dialer, channels, random, log: silentLog, isAllowed });
  return { ask, dialled, keys, channels };
}

test("relays prove their keys where the DHT says that they are, all of them one source; what is none is passed over", async () => {
  const { ask, keys, channels } = world(["8.1.1.1", "8.2.1.1"]);
  const hints = await ask(["8.1.1.1", "8.2.1.1", "8.3.1.1"].map((host) => ({ host, port: 9 })));
  assert.deepEqual(
    new Set(hints.map(({ relay }) => relay.nodeKey.toString("hex"))),
    new Set(keys.map((key) => key.toString("hex"))),
  );
  assert.equal(new Set(hints.map(({ source }) => source)).size, 1);
  channels.close();
  assert.deepEqual(await world(["8.1.1.1"], 8).ask([{ host: "8.1.1.1", port: 9 }]), []);
});

test("made-up places cost a few connections, none of them to one neighbourhood twice, none to private addresses", async () => {
  // Would catch a DHT that has members knock at a third party, or around their own house.
  const { ask, dialled } = world([]);
  const many = Array.from({ length: 100 }, (_, n) => ({ host: `9.${n}.1.1`, port: 80 }));
  const near = Array.from({ length: 100 }, (_, n) => ({ host: "8.8.8.8", port: n + 1 }));
  const own = ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.1.1", "224.0.0.1", "::1"].map((host) => ({
    host,
    port: 80,
  }));
  assert.deepEqual(await ask([...near, ...own]), []);
  assert.equal(dialled.length, 1);
  assert.deepEqual(await ask([...many, ...own]), []);
  assert.equal(dialled.length, 1 + LIMITS.topicRelays);
  assert.deepEqual(await ask(many, ({ host }) => host === "9.5.1.1"), []);
  assert.equal(dialled.length, 2 + LIMITS.topicRelays);
  assert.ok(dialled.every(({ host }) => /^[89]\./.test(host)));
});

test("a network's topic is of the length of the DHT's and its own", () => {
  const topics = [1, 2, 0xffff_ffff].map((id) => networkTopic(id).toString("hex"));
  assert.ok(topics.every((topic) => topic.length === 40));
  assert.equal(new Set(topics).size, 3);
});
