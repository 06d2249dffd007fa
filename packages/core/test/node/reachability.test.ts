import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Endpoint } from "../../src/net/channel.ts";
import {
  CONFIRMATIONS,
  MOST_ASKED,
  Reachability,
  type AskableRelay,
  type Family,
  type ReachabilityAction,
} from "../../src/node/reachability.ts";

const PORT = 4430;
const MAPPED = 61_000;
const HERE: Endpoint = { host: "9.9.9.9", port: PORT };

type Ask = Extract<ReachabilityAction, { kind: "ask" }>;
type Reply = { readonly seen: Endpoint; readonly reached: boolean } | undefined;

interface World {
  readonly relays: readonly AskableRelay[];
  readonly families?: readonly Family[];
  /** Undefined: no answer. */
  reply(relay: AskableRelay, ask: Ask): Reply;
  mapped?(): number | undefined;
}

function relays(count: number, sourceOf: (n: number) => number = (n) => n): AskableRelay[] {
  return Array.from({ length: count }, (_, n) => ({
    key: `relay ${n}`,
    source: `source ${sourceOf(n)}`,
    families: [4, 6],
  }));
}

/** Plays one round to its end; `pick` chooses whose answer comes next. */
function playRound(machine: Reachability, world: World, pick: (count: number) => number = () => 0) {
  const { relays, families = [4] } = world;
  const done: ReachabilityAction[] = [];
  const asked: Ask[] = [];
  const waiting = machine.take({ kind: "due", relays, families });
  while (waiting.length > 0) {
    const [action] = waiting.splice(pick(waiting.length), 1) as [ReachabilityAction];
    done.push(action);
    if (action.kind === "hurry") waiting.push(...machine.take({ kind: "slow" }));
    if (action.kind === "map")
      waiting.push(...machine.take({ kind: "mapped", map: action.map, port: world.mapped?.() }));
    if (action.kind !== "ask") continue;
    asked.push(action);
    const reply = world.reply(relays.find(({ key }) => key === action.key) as AskableRelay, action);
    const { ask } = action;
    waiting.push(
      ...machine.take(reply === undefined ? { kind: "silence", ask } : { kind: "answer", ask, ...reply }),
    );
  }
  const verdict = done.find((action) => action.kind === "verdict")?.endpoints;
  return { verdict, asked, done, wait: done.find((action) => action.kind === "wait")?.ms };
}

const open = (_relay: AskableRelay, { port, family }: Ask): Reply => ({
  seen: { host: family === 4 ? HERE.host : "2a00::9", port },
  reached: true,
});
const shut = (relay: AskableRelay, ask: Ask): Reply => ({
  ...(open(relay, ask) as NonNullable<Reply>),
  reached: false,
});

test("two relays of different networks that got through are enough, and no more are asked", () => {
  const { verdict, asked, wait } = playRound(new Reachability(PORT), { relays: relays(9), reply: open });
  assert.deepEqual(verdict, [HERE]);
  assert.equal(asked.length, CONFIRMATIONS);
  assert.equal(wait, 30 * 60_000);
});

test("relays of one network count once, however many they are", () => {
  const { verdict } = playRound(new Reachability(PORT), { relays: relays(9, () => 1), reply: open });
  assert.deepEqual(verdict, []);
});

test("each family is found out for itself", () => {
  const onlyV6 = (relay: AskableRelay, ask: Ask): Reply =>
    ask.family === 6 ? open(relay, ask) : shut(relay, ask);
  const world = { relays: relays(20), families: [4, 6] as const, reply: onlyV6 };
  assert.deepEqual(playRound(new Reachability(PORT), world).verdict, [{ host: "2a00::9", port: PORT }]);
});

test("a closed port is tried again through the router, at the port that it gives", () => {
  let mappings = 0;
  const world: World = {
    relays: relays(20),
    reply: (relay, ask) => (ask.port === MAPPED ? open(relay, ask) : shut(relay, ask)),
    mapped: () => (mappings++, MAPPED),
  };
  const machine = new Reachability(PORT);
  assert.deepEqual(playRound(machine, world).verdict, [{ host: HERE.host, port: MAPPED }]);
  // In the next round it is asked about at once.
  const next = playRound(machine, world);
  assert.deepEqual([next.verdict, next.asked.length, mappings], [undefined, CONFIRMATIONS, 1]);
  // Without a router that helps, it is a verdict too.
  const alone = playRound(new Reachability(PORT), { ...world, mapped: () => undefined });
  assert.deepEqual([alone.verdict, alone.wait], [[], 10 * 60_000]);
});

/** Would catch: minutes of a relay's beginning spent on waiting for questions that a router swallows, before it is asked. */
test("the router is asked while relays still try, and once; no more relays are asked before it has answered", () => {
  const all = relays(20);
  const machine = new Reachability(PORT);
  const begun = machine.take({ kind: "due", relays: all, families: [4] });
  assert.deepEqual(
    begun.map(({ kind }) => kind),
    ["ask", "ask", "hurry"],
  );
  assert.deepEqual(machine.take({ kind: "slow" }), [{ kind: "map", map: 1 }]);
  assert.deepEqual(machine.take({ kind: "slow" }), []);
  const [first] = begun as [Ask];
  assert.deepEqual(machine.take({ kind: "silence", ask: first.ask }), []);
  const about = machine.take({ kind: "mapped", map: 1, port: MAPPED });
  assert.deepEqual(
    about.map((action) => action.kind === "ask" && action.port),
    [MAPPED, MAPPED],
  );
  // Where it hands on none, the others are asked after all.
  const other = new Reachability(PORT);
  const [, second] = other.take({ kind: "due", relays: all, families: [4] }) as [Ask, Ask];
  assert.deepEqual(
    other.take({ kind: "answer", ask: second.ask, seen: HERE, reached: false }).map(({ kind }) => kind),
    ["map"],
  );
  assert.deepEqual(
    other.take({ kind: "mapped", map: 1, port: undefined }).map(({ kind }) => kind),
    ["ask"],
  );
});

test("where the port is known to be open no router is asked because relays are slow", () => {
  const machine = new Reachability(PORT);
  const all = relays(20);
  const { done } = playRound(machine, { relays: all, reply: open }, (count) => count - 1);
  // The first round may ask: here the reminder came before any answer.
  assert.ok(done.some(({ kind }) => kind === "map"));
  const next = machine.take({ kind: "due", relays: all, families: [4] });
  assert.deepEqual(
    next.map(({ kind }) => kind),
    ["ask", "ask"],
  );
  assert.deepEqual(machine.take({ kind: "slow" }), []);
});

test("a router's port that relays do not get through counts as nothing", () => {
  // Would catch a router that is believed because it said yes.
  const { verdict } = playRound(new Reachability(PORT), {
    relays: relays(20),
    reply: shut,
    mapped: () => MAPPED,
  });
  assert.deepEqual(verdict, []);
});

test("what was reachable is given up after two rounds, not after one, and not when nobody answers", () => {
  const machine = new Reachability(PORT);
  const all = relays(20);
  playRound(machine, { relays: all, reply: open });
  const silent = playRound(machine, { relays: all, reply: () => undefined });
  assert.deepEqual([silent.verdict, silent.wait], [undefined, 60_000]);
  playRound(machine, { relays: all, reply: open });
  const first = playRound(machine, { relays: all, reply: shut });
  assert.deepEqual([first.verdict, first.wait], [undefined, 60_000]);
  assert.deepEqual(playRound(machine, { relays: all, reply: shut }).verdict, []);
  assert.deepEqual(playRound(machine, { relays: all, reply: open }).verdict, [HERE]);
});

test("another address is found out at once, and answers about the old one are too late", () => {
  const machine = new Reachability(PORT);
  const all = relays(20);
  playRound(machine, { relays: all, reply: open });
  const asks = machine.take({ kind: "due", relays: all, families: [4] });
  assert.deepEqual(machine.take({ kind: "moved" }), [{ kind: "wait", ms: 5000 }]);
  for (const action of asks) {
    if (action.kind !== "ask") continue;
    assert.deepEqual(machine.take({ kind: "answer", ask: action.ask, seen: HERE, reached: true }), []);
  }
  const there = { host: "7.7.7.7", port: PORT };
  const moved = playRound(machine, { relays: all, reply: () => ({ seen: there, reached: true }) });
  assert.deepEqual(moved.verdict, [there]);
});

/** Would catch: a port of the router that this computer stood behind before, which takes the place of the one that it stands behind now. */
test("a mapping that was asked for before this computer moved is not taken for that of the new place", () => {
  const machine = new Reachability(PORT);
  const all = relays(20);
  machine.take({ kind: "due", relays: all, families: [4] });
  assert.deepEqual(machine.take({ kind: "slow" }), [{ kind: "map", map: 1 }]);
  machine.take({ kind: "moved" });
  machine.take({ kind: "due", relays: all, families: [4] });
  assert.deepEqual(machine.take({ kind: "slow" }), [{ kind: "map", map: 2 }]);
  assert.deepEqual(machine.take({ kind: "mapped", map: 1, port: 25 }), []);
  const asks = machine.take({ kind: "mapped", map: 2, port: MAPPED });
  assert.ok(asks.length > 0 && asks.every((action) => action.kind === "ask" && action.port === MAPPED));
});

/** How relays answer, by source: honestly, not at all, or a lie of some kind. */
const manner = fc.constantFrom("honest", "silent", "elsewhere", "yes", "no", "other port", "other family");

function lie(kind: string, truth: NonNullable<Reply>): Reply {
  const { seen } = truth;
  if (kind === "silent") return undefined;
  if (kind === "elsewhere") return { seen: { host: "6.6.6.6", port: seen.port }, reached: true };
  if (kind === "yes") return { seen, reached: true };
  if (kind === "no") return { seen, reached: false };
  if (kind === "other port") return { seen: { ...seen, port: 25 }, reached: true };
  if (kind === "other family") return { seen: { host: "2a00::6", port: seen.port }, reached: true };
  return truth;
}

const anyWorld = fc.record({
  manners: fc.array(manner, { minLength: 1, maxLength: 8 }),
  sources: fc.array(fc.nat(7), { minLength: 0, maxLength: 20 }),
  reachable: fc.boolean(),
  mapped: fc.option(fc.constant(MAPPED), { nil: undefined }),
  order: fc.infiniteStream(fc.nat(1000)),
  rounds: fc.integer({ min: 1, max: 4 }),
});

test("whatever relays answer, in whatever order: an address counts when two sources reached it, and rounds end within their bounds", () => {
  fc.assert(
    fc.property(anyWorld, ({ manners, sources, reachable, mapped, order, rounds }) => {
      const all = relays(sources.length, (n) => sources[n] as number);
      const mannerOf = (source: string): string =>
        manners[Number(source.split(" ")[1]) % manners.length] as string;
      const machine = new Reachability(PORT);
      for (let round = 0; round < rounds; round++) {
        const votes = new Map<string, Set<string>>();
        const reply = (relay: AskableRelay, ask: Ask): Reply => {
          const truth = { seen: { host: HERE.host, port: ask.port }, reached: reachable };
          const said = lie(mannerOf(relay.source), truth);
          if (said?.reached === true) {
            const key = `${said.seen.host} ${said.seen.port}`;
            votes.set(key, (votes.get(key) ?? new Set()).add(relay.source));
          }
          return said;
        };
        const pick = (count: number): number => order.next().value % count;
        const { verdict, asked, wait } = playRound(
          machine,
          { relays: all, reply, mapped: () => mapped },
          pick,
        );
        assert.ok(wait !== undefined && wait > 0, "a round ends with when the next one is");
        assert.ok(asked.length <= 2 * MOST_ASKED);
        for (const { host, port } of verdict ?? []) {
          assert.ok(
            (votes.get(`${host} ${port}`)?.size ?? 0) >= CONFIRMATIONS,
            "an address without two sources",
          );
          assert.ok(port === PORT || port === mapped);
        }
        if (round === 0) assert.ok(verdict !== undefined, "the first round says something");
      }
    }),
  );
});

test("one liar, under however many keys in one network, moves nothing among honest relays", () => {
  const lies = fc.constantFrom("silent", "elsewhere", "yes", "no", "other port", "other family");
  fc.assert(
    fc.property(
      lies,
      fc.nat(15),
      fc.integer({ min: 3, max: 6 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat(1000)),
      (kind, evilCount, honestCount, reachable, order) => {
        const honest = relays(honestCount);
        const evil = relays(evilCount, () => 99).map((relay, n) => ({ ...relay, key: `evil ${n}` }));
        const all = [...honest, ...evil].toSorted(() => (order.next().value % 3) - 1);
        const reply = (relay: AskableRelay, ask: Ask): Reply => {
          const truth = { seen: { host: HERE.host, port: ask.port }, reached: reachable };
          return relay.source === "source 99" ? lie(kind, truth) : truth;
        };
        const { verdict } = playRound(
          new Reachability(PORT),
          { relays: all, reply },
          (count) => order.next().value % count,
        );
        assert.deepEqual(verdict, reachable ? [HERE] : []);
      },
    ),
  );
});
