import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { ChannelPool } from "../../src/circuit/channel-pool.ts";
import { createClockCheck } from "../../src/directory/clock-check.ts";
import type { Hint } from "../../src/directory/bootstrap.ts";
import {
  createRelayInfoDecoder,
  decodeRelayInfo,
  signRelayInfo,
  type RelayInfo,
} from "../../src/directory/relay-info.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import { PROVEN, RelayTable } from "../../src/directory/table.ts";
import { serveMessages } from "../../src/circuit/messages.ts";
import { createRelay } from "../../src/circuit/relay.ts";
import { SERVICE } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { infosAnswer } from "../../src/directory/questions.ts";
import type { JoinRelay } from "../../src/link/join-relay.ts";
import type { Dialer, Endpoint } from "../../src/net/channel.ts";
import { createMemoryNetwork } from "../../src/net/memory-channel.ts";
import { dhtFinder } from "../../src/node/dht-finder.ts";
import { joinNetworkThrough, type JoiningDeps } from "../../src/node/joining.ts";
import { lanFinder } from "../../src/node/lan-finder.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NETWORK, NOW_S, seededRandom } from "../directory/fixtures.ts";

const network = { ...NETWORK, name: "test", relays: [], bootstrap: [] };
const random = seededRandom(1);
const clock = new ManualClock(NOW_S * 1000);
const named = (info: RelayInfo): JoinRelay => ({ nodeKey: info.nodeKey, ...(info.endpoints[0] as Endpoint) });

/** Relays at these public addresses, all up, which know each other; and what a member needs to join. */
function world(hosts: readonly string[]) {
  const wires = createMemoryNetwork({ clock, random });
  const infos: RelayInfo[] = [];
  for (const host of hosts) {
    const [node, onion] = [generateKeys("ed25519"), generateKeys("x25519")];
    const endpoint = { host, port: 9 };
    const fields = {
      networkId: network.id,
      onionKey: onion.publicBytes,
      endpoints: [endpoint],
      bandwidthKiB: 1,
    };
    const bytes = signRelayInfo({ ...fields, gate: true, scout: true, timeS: NOW_S }, node);
    const identity = { nodeKeys: node, info: () => bytes };
    infos.push(decodeRelayInfo(bytes));
    const relay = createRelay({
      nodeKey: node.publicBytes,
      onionKeys: () => [onion],
      dialer: wires.createDialer({ networkId: network.id, identity }),
      clock,
      isRelay: () => false,
      resolveExtend: () => assert.fail("nobody extends here"),
      services: {
        [SERVICE.directory]: (stream) => serveMessages(stream, () => Promise.resolve(infosAnswer(infos))),
      },
    });
    wires.listen({ networkId: network.id, identity, endpoint }, (channel) => relay.accept(channel));
  }
  const dialled: string[] = [];
  const inner = wires.createDialer({ networkId: network.id });
  const dialer: Dialer = {
    dial: (target) => {
      dialled.push(...target.endpoints.map(({ host }) => host));
      return inner.dial(target);
    },
  };
  const channels = new ChannelPool({ dialer, clock });
  const machine = { clock, random, createDialer: () => dialer };
  const table = new RelayTable({ network, clock, random });
  const asked: string[] = [];
  async function join(more: Partial<JoiningDeps>, consents: readonly string[] = []): Promise<void> {
    const nothing = { guards: [], cached: [], joinRelays: [], finders: [], isInviteNew: false };
    const common = {
      network,
      table,
      machine,
      channels,
      decodeInfo: createRelayInfoDecoder(),
      log: silentLog,
      clockCheck: createClockCheck(),
    };
    await joinNetworkThrough(
      { ...common, ...nothing, ...more },
      {
        confirm: (_question, flag) => {
          asked.push(flag);
          return Promise.resolve(consents.includes(flag));
        },
      },
    ).finally(() => channels.close());
  }
  return { infos, table, dialled, machine, channels, asked, join };
}

const HOSTS = ["8.1.1.1", "8.2.1.1", "8.3.1.1", "8.4.1.1"];
const never = (): Promise<Hint[]> => assert.fail("nobody else needed to be asked");

test("while the guards answer nobody else is called on, unless an invite is new", async () => {
  const guards = ({ infos }: { infos: RelayInfo[] }) => infos.slice(0, 3).map(named);
  const quiet = world(HOSTS);
  await quiet.join({ guards: guards(quiet), cached: quiet.infos.slice(3).map(named), finders: [never] });
  assert.deepEqual(quiet.dialled.toSorted(), HOSTS.slice(0, 3));
  const invited = world(HOSTS);
  const joinRelays = invited.infos.slice(3).map(named);
  for (const info of invited.infos.slice(0, 3)) invited.table.add(info, PROVEN);
  await invited.join({ guards: guards(invited), joinRelays, cached: guards(invited), isInviteNew: true });
  assert.ok(invited.dialled.includes("8.4.1.1"));
});

test("cached relays are enough for a member whose guards are gone, and the table holds all that they know", async () => {
  const { infos, table, join } = world(HOSTS);
  const gone = [1, 2, 3].map((n) => ({ nodeKey: Buffer.alloc(32, n), host: `9.${n}.1.1`, port: 9 }));
  await join({ guards: gone, cached: infos.slice(1).map(named), finders: [never] });
  assert.equal(table.size, 4);
});

test("a relay that is gone is dialled once, however many ways are tried after it", async () => {
  // Would catch a laptop that waits for its dead guards three times before it looks around the house.
  const { infos, dialled, join } = world(HOSTS);
  const gone = [1, 2, 3, 4].map((n) => ({ nodeKey: Buffer.alloc(32, n), host: `9.${n}.1.1`, port: 9 }));
  const finders = infos.map(
    (info, n) => () => Promise.resolve([{ relay: named(info), source: namedSource(String(n)) }]),
  );
  await join({ guards: gone.slice(0, 3), cached: gone, finders });
  assert.deepEqual(
    dialled.filter((host) => host.startsWith("9.")).toSorted(),
    gone.map(({ host }) => host),
  );
});

test("what others point to is tried in order, until two sources are there", async () => {
  const { infos, table, asked, join } = world(HOSTS);
  const hint = (n: number, source: string): Hint => ({
    relay: named(infos[n] as RelayInfo),
    source: namedSource(source),
  });
  const tried: string[] = [];
  const finder = (name: string, hints: Hint[]) => () => {
    tried.push(name);
    return Promise.resolve(hints);
  };
  await join({
    finders: [
      finder("nobody", []),
      finder("house", [hint(0, "house"), hint(1, "house")]),
      finder("dht", [hint(2, "dht")]),
      never,
    ],
  });
  assert.deepEqual(tried, ["nobody", "house", "dht"]);
  assert.equal(table.size, 4);
  assert.deepEqual(asked, []);
});

test("one source alone is used by consent and not without", async () => {
  const hints = (infos: RelayInfo[]) =>
    infos.map((info) => ({ relay: named(info), source: namedSource("house") }));
  const refused = world(HOSTS);
  await assert.rejects(refused.join({ finders: [() => Promise.resolve(hints(refused.infos))] }), {
    code: "E_FEW_SOURCES",
  });
  assert.equal(refused.table.size, 0);
  const accepted = world(HOSTS);
  await accepted.join({ finders: [() => Promise.resolve(hints(accepted.infos))] }, ["--accept-few-sources"]);
  assert.equal(accepted.table.size, 4);
});

test("a proxy that is down is said, and nobody is looked for by other ways", async () => {
  const { infos, machine, join } = world(HOSTS);
  const channels = new ChannelPool({
    clock,
    dialer: { dial: () => Promise.reject(new BackroomError("E_PROXY", "down")) },
  });
  for (const known of [{ cached: infos.map(named) }, { guards: infos.map(named) }]) {
    const joining = join({ ...known, channels, machine, finders: [never] });
    await assert.rejects(joining, { code: "E_PROXY" });
  }
});

test("the DHT is asked only by consent and never behind a proxy, and finds relays by their topic", async () => {
  const { infos, machine, channels } = world(HOSTS);
  const withNodes = { ...network, bootstrap: [{ host: "8.9.9.9", port: 6881 }] };
  let searches = 0;
  const searchDht = () => {
    searches++;
    return Promise.resolve(infos.map((info) => info.endpoints[0] as Endpoint));
  };
  const deps = { network: withNodes, channels, log: silentLog, cached: [] };
  const hooks = (isAccepted: boolean) => ({ confirm: () => Promise.resolve(isAccepted), status() {} });
  assert.deepEqual(await dhtFinder({ ...deps, machine }, hooks(true))(), [], "there is nothing to ask with");
  const able = { ...machine, searchDht };
  assert.deepEqual(await dhtFinder({ ...deps, machine: able }, hooks(false))(), []);
  assert.deepEqual(
    await dhtFinder({ ...deps, network, machine: able }, hooks(true))(),
    [],
    "there is nobody to ask",
  );
  assert.equal(searches, 0);
  const hints = await dhtFinder({ ...deps, machine: able }, hooks(true))();
  assert.equal(hints.length, HOSTS.length);
  channels.close();
});

test("the local network is one source, and is not asked behind a proxy", async () => {
  const { infos, machine } = world(HOSTS);
  const notes: string[] = [];
  const hooks = { note: (text: string) => void notes.push(text) };
  assert.deepEqual(await lanFinder(network, machine, hooks)(), []);
  assert.match(notes.join(), /proxy/);
  const searchLan = () =>
    Promise.resolve(infos.map((info, n) => ({ nodeKey: info.nodeKey, host: `10.0.0.${n}`, port: 9 })));
  const hints = await lanFinder(network, { ...machine, searchLan }, hooks)();
  assert.equal(new Set(hints.map(({ source }) => source)).size, 1);
  assert.equal(hints.length, 4);
});
