import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { bootstrap, type BootstrapDeps, type DirectoryPeer } from "../../src/directory/bootstrap.ts";
import { createClockCheck } from "../../src/directory/clock-check.ts";
import { infosAnswer } from "../../src/directory/questions.ts";
import { decodeRelayInfo, type RelayInfo } from "../../src/directory/relay-info.ts";
import { namedSource } from "../../src/directory/subnets.ts";
import type { JoinRelay } from "../../src/link/join-relay.ts";
import { NETWORK, NOW_S, seededRandom, signedInfo, tableWith, TEST_NETWORK, wire } from "./fixtures.ts";

const join = ({ nodeKey, endpoints: [endpoint] }: RelayInfo): JoinRelay => ({
  nodeKey,
  host: endpoint?.host ?? "",
  port: endpoint?.port ?? 0,
});
const infoAt = (host: string, more = {}) => signedInfo({ endpoints: [{ host, port: 9 }], ...more });
const others = Array.from({ length: 5 }, (_, n) => infoAt(`20.${n}.1.1`));

interface World {
  readonly network?: typeof NETWORK;
  readonly skewMs?: number;
  /** What a relay's HELLO carries, where it is not its own info. */
  readonly helloOf?: (relay: RelayInfo) => Buffer | undefined;
  readonly error?: BackroomError;
}

function world(relays: readonly RelayInfo[], { network = NETWORK, skewMs = 0, helloOf, error }: World = {}) {
  const { table, clock } = tableWith(network);
  const state = { dialled: 0, closed: 0 };
  const deps: BootstrapDeps = {
    table,
    clock,
    network,
    random: seededRandom(1),
    decodeInfo: decodeRelayInfo,
    clockCheck: createClockCheck(),
    log: silentLog,
    connect: async ({ nodeKey }) => {
      state.dialled++;
      const relay = relays.find((relay) => relay.nodeKey.equals(nodeKey));
      if (relay === undefined || error !== undefined)
        throw error ?? new BackroomError("E_UNREACHABLE", "away");
      return Promise.resolve({
        info: helloOf === undefined ? relay.bytes : helloOf(relay),
        clockSkewMs: skewMs,
        ask: () => Promise.resolve(wire(infosAnswer(others))),
        close: () => void state.closed++,
      });
    },
  };
  return { deps, table, clock, state };
}

const run = (deps: BootstrapDeps, relays: readonly JoinRelay[], acceptFewSources = false) =>
  bootstrap({ relays, acceptFewSources }, deps);

test("relays that answer fill the table with themselves and whom they name, and are let go", async () => {
  const relays = [infoAt("8.1.1.1"), infoAt("8.2.1.1"), infoAt("8.3.1.1"), infoAt("8.4.1.1")];
  const { deps, table, state } = world(relays);
  const result = await run(deps, [...relays, ...relays].map(join));
  // Three are enough: the fourth is not asked, and the same one is not asked twice.
  assert.deepEqual(result, { sourceCount: 3, relayCount: 8 });
  assert.deepEqual(state, { dialled: 3, closed: 3 });
  assert.equal(table.get(others[0]?.key ?? "")?.sources.length, 3);
  assert.equal(table.entries().filter((entry) => entry.proven).length, 3);
});

test("relays of one subnet are a single source, however many answer", async () => {
  // Would catch a liar who puts three relays of its own into a link.
  const relays = [1, 2, 3, 4].map((n) => infoAt(`8.1.1.${n}`));
  const { deps, table } = world(relays);
  await assert.rejects(run(deps, relays.map(join)), { code: "E_FEW_SOURCES" });
  assert.equal(table.size, 0, "nothing may be used of what a single source said");
  assert.ok((await run(deps, relays.map(join), true)).relayCount > 0);
});

test("whoever strangers point to is one source together, is dialled where they say, and is not proved at its own address", async () => {
  // Would catch a café whose every guest counts as an independent source.
  const relays = [infoAt("8.1.1.1"), infoAt("8.2.1.1"), infoAt("8.3.1.1")];
  const hints = relays.map((info, n) => ({
    relay: { nodeKey: info.nodeKey, host: `192.168.1.${n + 1}`, port: 9 },
    source: namedSource("here"),
  }));
  const alone = world(relays);
  const options = { relays: [], hints, acceptFewSources: false };
  await assert.rejects(bootstrap(options, alone.deps), { code: "E_FEW_SOURCES" });
  assert.equal(alone.table.size, 0);
  await bootstrap({ ...options, acceptFewSources: true }, alone.deps);
  assert.equal(alone.table.entries().filter((entry) => entry.proven).length, 0);

  const invited = infoAt("8.9.1.1");
  const both = world([...relays, invited]);
  const result = await bootstrap({ ...options, relays: [join(invited)] }, both.deps);
  assert.equal(result.sourceCount, 2);
  // A relay that answers where its info says it is, is proved there, whoever pointed to it.
  const [first] = relays;
  const atHome = world(relays);
  const there = [{ relay: join(first as RelayInfo), source: namedSource("here") }];
  await bootstrap({ relays: [], hints: there, acceptFewSources: true }, atHome.deps);
  assert.equal(atHome.table.get(first?.key ?? "")?.proven, true);
});

test("one source is enough in a test network", async () => {
  const relay = signedInfo({ endpoints: [{ host: "127.0.0.1", port: 1 }] });
  const { deps } = world([relay], { network: TEST_NETWORK });
  assert.equal((await run(deps, [join(relay)])).sourceCount, 1);
});

test("relays that do not answer are passed over, and if none does that is said", async () => {
  const [gone, a, b] = [infoAt("8.1.1.1"), infoAt("8.2.1.1"), infoAt("8.3.1.1")];
  const { deps } = world([a, b]);
  assert.equal((await run(deps, [gone, a, b].map(join))).sourceCount, 2);
  await assert.rejects(run(world([]).deps, [gone, a].map(join)), { code: "E_NO_RELAYS" });
  await assert.rejects(run(world([]).deps, []), { code: "E_NO_RELAYS" });
});

const silence = { info: undefined, clockSkewMs: 0, ask: () => Promise.reject(new Error("nobody asks")) };

/** Would catch: ten seconds for whoever joins by an invite of which one relay has been switched off. */
test("a relay that says nothing is waited for no longer than three seconds once two have answered, and another is asked in its place", async () => {
  const [silent, a, b, c] = [infoAt("8.1.1.1"), infoAt("8.2.1.1"), infoAt("8.3.1.1"), infoAt("8.4.1.1")];
  for (const relays of [
    [silent, a, b],
    [silent, a, b, c],
  ]) {
    const { deps, clock, table, state } = world([a, b, c]);
    const late = Promise.withResolvers<DirectoryPeer>();
    const connect: BootstrapDeps["connect"] = (relay) =>
      relay.nodeKey.equals(silent.nodeKey) ? late.promise : deps.connect(relay);
    const joining = run({ ...deps, connect }, relays.map(join));
    await clock.pass(2_900);
    assert.equal(table.size, 0, "whoever takes a moment is waited for");
    await clock.pass(200);
    assert.equal((await joining).sourceCount, relays.length - 1);
    // It answers after all: nobody needs it now.
    let isClosed = false;
    late.resolve({ ...silence, info: silent.bytes, close: () => void (isClosed = true) });
    await clock.pass(0);
    assert.ok(isClosed);
    assert.equal(state.closed, state.dialled);
  }
});

test("with one source alone, those that say nothing are waited for until they are given up", async () => {
  const [silent, a] = [infoAt("8.1.1.1"), infoAt("8.2.1.1")];
  const { deps, clock } = world([a]);
  const connect: BootstrapDeps["connect"] = (relay) =>
    relay.nodeKey.equals(silent.nodeKey)
      ? new Promise((_, reject) => {
          clock.after(10_000, () => reject(new BackroomError("E_UNREACHABLE", "away")));
        })
      : deps.connect(relay);
  const joining = run({ ...deps, connect }, [silent, a].map(join));
  let isOver = false;
  const over = joining.finally(() => (isOver = true));
  await clock.pass(9_000);
  assert.equal(isOver, false);
  await Promise.all([assert.rejects(over, { code: "E_FEW_SOURCES" }), clock.pass(2_000)]);
});

test("private addresses out of a stranger's link are not dialled", async () => {
  const { deps, state } = world([]);
  await assert.rejects(run(deps, [join(infoAt("10.0.0.1")), join(infoAt("127.0.0.1"))]), {
    code: "E_NO_RELAYS",
  });
  assert.equal(state.dialled, 0);
});

test("another network is named as the reason, both by the dialer and by the info", async () => {
  const relays = [infoAt("8.1.1.1"), infoAt("8.2.1.1")];
  const error = new BackroomError("E_OTHER_NETWORK", "other");
  await assert.rejects(run(world(relays, { error }).deps, relays.map(join)), { code: "E_OTHER_NETWORK" });
  const foreign = [infoAt("8.1.1.1", { networkId: 8 }), infoAt("8.2.1.1", { networkId: 8 })];
  await assert.rejects(run(world(foreign).deps, foreign.map(join)), { code: "E_OTHER_NETWORK" });
});

test("a relay that describes another one, or none, is not taken for a source", async () => {
  const relays = [infoAt("8.1.1.1"), infoAt("8.2.1.1")];
  const other = world(relays, { helloOf: () => others[0]?.bytes });
  await assert.rejects(run(other.deps, relays.map(join)), { code: "E_NO_RELAYS" });
  const silent = world(relays, { helloOf: () => undefined });
  await assert.rejects(run(silent.deps, relays.map(join)), { code: "E_NO_RELAYS" });
  assert.equal(silent.state.closed, 2, "a circuit is left open");
});

test("a clock a day off is said, instead of that there are no relays", async () => {
  const relays = ["8.1.1.1", "8.2.1.1"].map((host) => infoAt(host, { timeS: NOW_S + 86_400 }));
  const { deps } = world(relays, { skewMs: 86_400_000 });
  await assert.rejects(run(deps, relays.map(join)), (error: BackroomError) => {
    assert.match(error.message, /about 24 h behind/);
    return error.code === "E_CLOCK";
  });
});
