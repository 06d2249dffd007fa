import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import { NetworkStatus, RelayStatus } from "@backroom/api/schemas/network.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { RateLimit } from "@backroom/core/base/rate-limit.ts";
import { parseInvite } from "@backroom/core/link/invite.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { systemMachine } from "@backroom/core/node/machine.ts";
import { createNetwork as makeNetwork } from "@backroom/core/node/networks.ts";
import { runRelay, type RelayOptions } from "@backroom/core/node/relay-node.ts";
import { whenAborted } from "@backroom/core/base/abort.ts";
import type { Hooks } from "@backroom/core/node/hooks.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import type { DaemonContext } from "../../src/context.ts";
import type { Member } from "../../src/engine/member.ts";
import { createNetwork, type NetworkDeps } from "../../src/network/network.ts";
import { openSettings } from "../../src/settings/open-settings.ts";
import { callContext } from "../support/call-context.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";

const CALL = callContext();

type Run = (options: RelayOptions, hooks: Hooks) => Promise<void>;

/** A relay that runs until it is stopped, and says what the test wants. */
function fakeRun(ran: RelayOptions[]): Run {
  return (options) => {
    ran.push(options);
    options.onReady({
      port: options.port,
      nodeKey: "ab",
      networkName: "",
      reachable: options.gate,
      hostCount: 2,
      invite: () => {
        throw new BackroomError("E_NO_RELAYS", "as the test wants it");
      },
      stats: () => ({ relaysKnown: 1, circuits: 3, bytesCarried: 4, guests: 5 }),
    });
    return whenAborted(options.signal);
  };
}

async function withNetwork(
  run: (world: Awaited<ReturnType<typeof newWorld>>) => Promise<void>,
  runRelayAs?: Run,
): Promise<void> {
  await withFolder(async (root) => {
    const world = await newWorld(root, runRelayAs);
    try {
      await run(world);
    } finally {
      await world.part.close();
    }
  });
}

async function newWorld(root: string, runRelayAs?: Run) {
  const folder = await openDataFolder(root);
  const ran: RelayOptions[] = [];
  const events: ApiEvent[] = [];
  const listeners: (() => void)[] = [];
  const rateListeners: (() => void)[] = [];
  const members = new Map<number, Member>();
  const context: DaemonContext = {
    folder,
    catalogue: memoryCatalogue(),
    settings: await openSettings({ folder, env: {}, flags: {}, configFile: path.join(root, "config.toml") }),
    machine: systemMachine,
    events: { publish: (event) => void events.push(event), isFollowed: true },
    log: silentLog,
  };
  const relayLimit = new RateLimit(systemMachine.clock);
  const deps: NetworkDeps = {
    members: {
      get: (id) => members.get(id),
      list: () => [...members.values()],
      onChange: (listener) => void listeners.push(() => listener(members.values().next().value as Member)),
    },
    limits: { relay: relayLimit, onRelayRate: (listener) => void rateListeners.push(listener) },
    runRelay: runRelayAs ?? fakeRun(ran),
  };
  const part = await createNetwork(context, deps);
  const relayEvents = () => events.flatMap((event) => (event.name === "relay" ? [event.data] : []));
  return {
    root,
    folder,
    part,
    handlers: part.handlers,
    ran,
    events,
    relayEvents,
    members,
    listeners,
    relayLimit,
    rateListeners,
    context,
    deps,
  };
}

/** Until `isSo`, half a minute at most. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < endMs, "half a minute was not enough");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Would catch: a relay that runs before anybody agreed to it; a page that cannot tell "no" from "not asked". */
test("where nobody has been asked there is no relay and no mode", async () => {
  await withNetwork(async ({ handlers, ran }) => {
    const status = await handlers.relay({}, CALL);
    assert.deepEqual(RelayStatus.parse(status), status);
    assert.deepEqual([status.mode, status.gate, status.state, ran.length], [null, false, "off", 0]);
  });
});

/** Would catch: consent that does not outlast the daemon; being a gate without having been asked; a port that is not kept. */
test("what the person decides holds at once and from then on, being a gate apart", async () => {
  await withNetwork(async ({ handlers, ran, part, context, deps, relayEvents }) => {
    const running = await handlers.setRelay({ mode: "auto", port: 4000 }, CALL);
    assert.deepEqual([running.mode, running.gate], ["auto", false]);
    await until(async () => (await handlers.relay({}, CALL)).state === "running");
    const status = await handlers.relay({}, CALL);
    assert.deepEqual(
      [status.port, status.circuitCount, status.guestCount, status.carriedBytes, status.hostCount],
      [4000, 3, 5, 4, 2],
    );
    assert.deepEqual([ran[0]?.findOut, ran[0]?.gate], [true, false]);
    await handlers.setRelay({ mode: "on", gate: true }, CALL);
    await until(() => ran.length === 2);
    assert.deepEqual([ran[0]?.signal.aborted, ran[1]?.findOut, ran[1]?.gate], [true, false, true]);
    await until(() => relayEvents().some(({ state, gate }) => state === "running" && gate));
    await part.close();
    assert.equal(ran[1]?.signal.aborted, true);
    // The next daemon.
    const again = await createNetwork(context, deps);
    await until(() => ran.length === 3);
    assert.deepEqual([ran[2]?.gate, ran[2]?.port], [true, 4000]);
    await again.handlers.setRelay({ mode: "off" }, CALL);
    await until(async () => (await again.handlers.relay({}, CALL)).state === "off");
    assert.equal((await again.handlers.relay({}, CALL)).mode, "off");
    await again.close();
  });
});

/** Would catch: an operator's public address that is taken for one that auto may claim, or not before the next start. */
test("with “on” the relay is at the addresses that the settings name, from the moment at which they do", async () => {
  await withNetwork(async ({ handlers, ran, context }) => {
    await handlers.setRelay({ mode: "auto" }, CALL);
    await until(() => ran.length === 1);
    await context.settings.set("relay.hosts", "192.0.2.7, 2001:db8::7");
    await handlers.setRelay({ mode: "on" }, CALL);
    await until(() => ran.length === 2);
    assert.deepEqual([ran[0]?.hosts, ran[1]?.hosts], [undefined, ["192.0.2.7", "2001:db8::7"]]);
    await context.settings.set("relay.hosts", "");
    await until(() => ran.length === 3);
    assert.equal(ran[2]?.hosts, undefined);
    await assert.rejects(context.settings.set("relay.hosts", "example.org"), { code: "E_SETTING" });
  });
});

/** Would catch: a relay whose schedule says "nothing" and that hangs with others' circuits instead of ending. */
test("at a limit of nothing the relay does not run, and comes back with another limit", async () => {
  await withNetwork(async ({ handlers, ran, relayLimit, rateListeners }) => {
    await handlers.setRelay({ mode: "auto" }, CALL);
    await until(() => ran.length === 1);
    assert.equal(ran[0]?.limit, relayLimit);
    const setRate = (rate: number | null): void => {
      relayLimit.rate = rate;
      for (const listener of rateListeners) listener();
    };
    setRate(100_000);
    assert.equal(ran[0]?.signal.aborted, false);
    setRate(0);
    await until(async () => (await handlers.relay({}, CALL)).state === "off");
    assert.equal((await handlers.relay({}, CALL)).mode, "auto");
    setRate(null);
    await until(() => ran.length === 2);
  });
});

/** Would catch: a path of this computer through its own relay, since the client began before the relay had a key. */
test("who is in the network already is told of the relay's key before the relay is known to others", async () => {
  await withNetwork(async ({ handlers, ran, members }) => {
    const told: string[] = [];
    const client = { noteOwnRelay: (key: string) => void told.push(key) };
    members.set(1, { client } as unknown as Member);
    await handlers.setRelay({ mode: "on" }, CALL);
    await until(() => ran.length === 1);
    assert.match(told[0] ?? "", /^[0-9a-f]{64}$/);
    members.clear();
  });
});

test("networks: none, joined by an invite, another one in use by id or by its only name", async () => {
  await withNetwork(async ({ handlers, root, ran }) => {
    const nothing = await handlers.network({}, CALL);
    assert.deepEqual(NetworkStatus.parse(nothing), nothing);
    assert.equal(nothing.state, "none");
    await assert.rejects(handlers.makeInvite({}, CALL), { code: "E_NO_NETWORK" });
    await assert.rejects(handlers.joinNetwork({ invite: "backroom-join:nonsense" }, CALL), {
      name: "BackroomError",
    });
    const first = await makeNetwork({ dataFolder: root, name: "first" });
    const second = await makeNetwork({ dataFolder: root, name: "second" });
    await handlers.setRelay({ mode: "on" }, CALL);
    const status = await handlers.network({}, CALL);
    assert.deepEqual(NetworkStatus.parse(status), status);
    assert.deepEqual([status.network?.name, status.state], ["second", "idle"]);
    assert.equal(status.privacy, null, "what it can hide is not known before it was joined");
    assert.equal((await handlers.useNetwork({ network: "first" }, CALL)).id, first.id);
    await until(() => ran.length === 2);
    assert.equal(ran[0]?.signal.aborted, true, "the relay is of the network in use");
    assert.equal((await handlers.useNetwork({ network: second.id.toUpperCase() }, CALL)).current, true);
    await handlers.useNetwork({ network: second.id }, CALL);
    await until(() => ran.length === 3);
    await makeNetwork({ dataFolder: root, name: "first" });
    await assert.rejects(handlers.useNetwork({ network: "first" }, CALL), { code: "E_NO_NETWORK" });
    await assert.rejects(handlers.useNetwork({ network: "ffffffff" }, CALL), { code: "E_NO_NETWORK" });
    const { networks } = await handlers.listNetworks({}, CALL);
    assert.deepEqual(networks.map(({ name }) => name).toSorted(), ["first", "first", "second"]);
    assert.equal(networks.filter(({ current }) => current).length, 1);
  });
});

/** Would catch: events at each tick; an event with more circuits than anybody can look at. */
test("the network is told when it is another one, with a bounded number of circuits", async () => {
  await withNetwork(async ({ handlers, root, members, listeners, events }) => {
    const { id } = await makeNetwork({ dataFolder: root, name: "one" });
    const hops = [{ role: "guard", key: "0011aabb" }];
    const world = { circuits: 150, ageMs: 1 };
    const client = {
      table: { size: 7 },
      relays: () => [],
      guards: () => [1, 2, 3],
      pictures: () =>
        Array.from({ length: world.circuits }, () => ({ purpose: "lookup", hops, ageMs: world.ageMs })),
    };
    members.set(Number.parseInt(id, 16), { state: "joined", clockSkewMs: 3, client } as unknown as Member);
    const status = await handlers.network({}, CALL);
    assert.deepEqual(NetworkStatus.parse(status), status);
    assert.deepEqual(
      [status.circuitCount, status.circuits.length, status.guardCount, status.network?.relaysKnown],
      [150, 100, 3, 7],
    );
    const told = () => events.filter(({ name }) => name === "network").length;
    const change = async (): Promise<void> => {
      for (const listener of listeners) listener();
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await change();
    await until(() => told() === 1);
    world.ageMs = 500;
    await change();
    assert.equal(told(), 1);
    world.circuits = 1;
    await change();
    await until(() => told() === 2);
    members.clear();
  });
});

/** The real relay, in this process, of a network of its own. */
test("a relay runs in the daemon's process, is invited to, and ends with its sockets", async () => {
  await withNetwork(async ({ handlers, root }) => {
    await makeNetwork({ dataFolder: root, name: "own" });
    await handlers.setRelay({ mode: "on", gate: true, port: 0 }, CALL);
    await until(async () => (await handlers.relay({}, CALL)).state === "running");
    const { port, reachable } = await handlers.relay({}, CALL);
    assert.equal(reachable, true);
    const { invite, relayCount } = await handlers.makeInvite({}, CALL);
    assert.equal(relayCount, 1);
    assert.equal(parseInvite(invite).relays[0]?.port, port);
    await handlers.setRelay({ mode: "off" }, CALL);
    await until(async () => (await handlers.relay({}, CALL)).state === "off");
    assert.equal((await handlers.relay({}, CALL)).port, null);
  }, runRelay);
});
