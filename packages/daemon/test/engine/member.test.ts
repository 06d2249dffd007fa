import assert from "node:assert/strict";
import { test } from "node:test";
import { BackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import type { Client } from "@backroom/core/node/client.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { Member, type Need } from "../../src/engine/member.ts";

const NETWORK = { id: 7, name: "test", test: true, relays: [], bootstrap: [] };
const signal = new AbortController().signal;
const eager: Need = { accept: new Set(), isFinal: () => true, signal };
const patient: Need = { accept: new Set(), isFinal: () => false, signal };

/** A member whose joining does what the test says, one outcome after the other; the last one goes on. */
function newMember(...outcomes: readonly ("joins" | ErrorCode)[]) {
  const clock = new ManualClock(0);
  const world = { opened: 0, closed: 0, rejoined: 0, relays: 3, flags: [] as boolean[] };
  const member = new Member({
    network: NETWORK,
    clock,
    log: silentLog,
    async open(_relays, hooks) {
      const outcome = outcomes[Math.min(world.opened++, outcomes.length - 1)] ?? "joins";
      if (outcome === "E_FEW_SOURCES") {
        const isAccepted = await hooks.confirm("Go on?", "--accept-few-sources");
        world.flags.push(isAccepted);
        if (isAccepted) return client();
      }
      if (outcome !== "joins") throw new BackroomError(outcome, "as the test wants it");
      return client();
    },
    onChange: () => {},
    notice: () => {},
  });
  function client(): Client {
    const fake: Pick<Client, "relays" | "close" | "rejoin" | "clockSkewMs"> = {
      clockSkewMs: () => 5,
      relays: () => Array.from({ length: world.relays }) as never,
      close: async () => void world.closed++,
      rejoin: async () => {
        world.rejoined++;
        world.relays = 3;
      },
    };
    return fake as Client;
  }
  return { clock, member, world };
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Would catch: a client for each transfer, each with channels and a table of its own. */
test("all that need a network share one client, which goes a while after the last of them", async () => {
  const { clock, member, world } = newMember("joins");
  assert.equal(member.state, "idle");
  const [one, two] = await Promise.all([member.use(eager), member.use(eager)]);
  assert.equal(one?.client, two?.client);
  assert.deepEqual([world.opened, member.state, member.clockSkewMs], [1, "joined", 5]);
  one?.release();
  one?.release();
  await pass(clock, 20 * 60_000);
  assert.equal(world.closed, 0, "one of them still needs it");
  two?.release();
  await pass(clock, 4 * 60_000);
  assert.equal(world.closed, 0);
  const three = await member.use(eager);
  await pass(clock, 10 * 60_000);
  assert.deepEqual([world.opened, world.closed], [1, 0], "what comes meanwhile takes it over");
  three.release();
  await pass(clock, 6 * 60_000);
  assert.deepEqual([world.closed, member.state, member.client], [1, "idle", undefined]);
});

/** Would catch: shares that are lost for good because the computer was started before its network was up. */
test("whoever is patient waits through failures, with growing pauses, and whoever is not is told", async () => {
  const { clock, member, world } = newMember("E_NO_RELAYS", "E_NO_RELAYS", "E_NO_RELAYS", "joins");
  const waiting = member.use(patient);
  await assert.rejects(member.use(eager), { code: "E_NO_RELAYS" });
  assert.deepEqual([member.state, member.failure?.code], ["failed", "E_NO_RELAYS"]);
  await pass(clock, 2_500);
  assert.equal(world.opened, 2);
  await pass(clock, 2_500);
  assert.equal(world.opened, 2, "the second pause is longer than the first");
  await pass(clock, 20_000);
  (await waiting).release();
  assert.deepEqual([world.opened, member.state, member.failure], [4, "joined", undefined]);
});

test("a question that was not accepted fails those who ask for it; who accepts later is let in", async () => {
  const { member, world } = newMember("E_FEW_SOURCES");
  await assert.rejects(member.use(eager), { code: "E_FEW_SOURCES" });
  const held = await member.use({ ...eager, accept: new Set(["few-sources"]) });
  held.release();
  assert.deepEqual(world.flags, [false, true]);
});

/** Would catch: circuits that go on past a proxy that was set while they were up. */
test("a restart gives up the client and says so to all that hold it; the next one joins anew", async () => {
  const { member, world } = newMember("joins");
  const held = await member.use(eager);
  member.restart();
  assert.deepEqual([held.gone.aborted, world.closed, member.state], [true, 1, "idle"]);
  held.release();
  const next = await member.use(eager);
  assert.deepEqual([next.gone.aborted, world.opened], [false, 2]);
  next.release();
});

/** Would catch: a download that fails for the old proxy just when a person has set one that works. */
test("a restart while it joins tries anew: what fails meanwhile says nothing of what is different now", async () => {
  const { member, world } = newMember("E_NO_RELAYS", "joins");
  const waiting = member.use(eager);
  member.restart();
  (await waiting).release();
  assert.deepEqual([world.opened, member.state, member.failure], [2, "joined", undefined]);
});

test("a member whose relays have all gone stale joins again with the same client", async () => {
  const { clock, member, world } = newMember("joins");
  const held = await member.use(patient);
  world.relays = 0;
  await pass(clock, 90_000);
  assert.deepEqual([world.rejoined, held.gone.aborted, member.state], [1, false, "joined"]);
  held.release();
});

test("closing, and losing interest, end the wait", async () => {
  const { member } = newMember("E_NO_RELAYS");
  const stop = new AbortController();
  const waiting = [member.use({ ...patient, signal: stop.signal }), member.use(patient)];
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await assert.rejects(waiting[0] as Promise<unknown>, { code: "E_INTERRUPTED" });
  await member.close();
  await assert.rejects(waiting[1] as Promise<unknown>, { code: "E_INTERRUPTED" });
  await assert.rejects(member.use(patient), { code: "E_INTERRUPTED" });
});
