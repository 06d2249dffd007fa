import assert from "node:assert/strict";
import { test } from "node:test";
import { HEARTBEAT_MS } from "@backroom/api/places.ts";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { EventHub, type Subscription } from "../../src/http/event-hub.ts";

interface Told {
  readonly id: string;
  readonly name: string;
  readonly data: {
    changed?: Transfer[];
    removed?: string[];
    text?: string;
    n?: number;
    transfers?: string[];
  };
}

function setUp(): { clock: ManualClock; hub: EventHub } {
  const clock = new ManualClock();
  return { clock, hub: new EventHub({ clock, random: systemRandom }) };
}

const transfer = (id: string, doneBytes = 0): Transfer => ({ id, doneBytes }) as Transfer;
const changed = (...some: Transfer[]): ApiEvent => ({
  name: "transfers",
  data: { changed: some, removed: [] },
});
const relay = (n: number): ApiEvent => ({ name: "relay", data: { n } }) as unknown as ApiEvent;
const notice = (text: string): ApiEvent => ({
  name: "notice",
  data: { level: "note", text, transfer: null },
});

/** Everything that is there by now; leaves a call waiting, as a client does. */
class Reader {
  readonly told: Told[] = [];
  beats = 0;
  isOver = false;
  readonly subscription: Subscription;

  constructor(subscription: Subscription) {
    this.subscription = subscription;
    void this.#read();
  }

  async #read(): Promise<void> {
    for (;;) {
      const text = await this.subscription.next();
      if (text === undefined) break;
      const [, id, name, data] = /^id: (\S+)\nevent: (\w+)\ndata: (.*)\n\n$/.exec(text) ?? [];
      if (id === undefined) this.beats++;
      else this.told.push({ id, name: name ?? "", data: JSON.parse(data ?? "") as Told["data"] });
    }
    this.isOver = true;
  }

  /** What came since the last time. */
  async take(): Promise<Told[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.told.splice(0);
  }

  async names(): Promise<string[]> {
    return (await this.take()).map(({ name }) => name);
  }
}

test("a new client is told to ask for everything, and then hears what changes", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  assert.deepEqual(await reader.names(), ["reset"]);
  hub.publish(changed(transfer("a", 1)));
  clock.advance(0);
  const [event] = await reader.take();
  assert.deepEqual(event?.data, { changed: [{ id: "a", doneBytes: 1 }], removed: [] });
});

test("is told at most four times a second, the newest of each, and nothing is lost", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  await reader.take();
  const told: Told[] = [];
  for (let n = 1; n <= 1000; n++) {
    hub.publish(changed(transfer("a", n)));
    hub.publish(relay(n));
    if (n % 100 === 0) hub.publish(changed(transfer(`b${n}`)));
    clock.advance(1);
    told.push(...(await reader.take()));
  }
  clock.advance(LIMITS.eventEveryMs);
  told.push(...(await reader.take()));
  const of = (name: string): Told[] => told.filter((one) => one.name === name);
  assert.equal(of("transfers").length, 5);
  assert.equal(of("relay").length, 5);
  assert.deepEqual(of("relay").at(-1)?.data, { n: 1000 });
  assert.deepEqual(
    of("transfers").flatMap(({ data }) => data.changed?.filter(({ id }) => id !== "a").map(({ id }) => id)),
    [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000].map((n) => `b${n}`),
  );
});

test("what was removed is told as removed, whatever it was before", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  await reader.take();
  hub.publish(changed(transfer("a"), transfer("b")));
  hub.publish({ name: "transfers", data: { changed: [], removed: ["a"] } });
  clock.advance(0);
  assert.deepEqual((await reader.take())[0]?.data, { changed: [{ id: "b", doneBytes: 0 }], removed: ["a"] });
});

test("ten thousand changed transfers come in parts, each of them once", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  await reader.take();
  const ids = Array.from({ length: 3 * LIMITS.eventTransfers + 1 }, (_, n) => `t${n}`);
  hub.publish(changed(...ids.map((id) => transfer(id))));
  clock.advance(0);
  const found: string[] = [];
  for (let part = 0; part < 4; part++) {
    const events = await reader.take();
    assert.equal(events.length, 1);
    const some = events[0]?.data.changed ?? [];
    assert.ok(some.length <= LIMITS.eventTransfers);
    found.push(...some.map(({ id }) => id));
    clock.advance(LIMITS.eventEveryMs);
  }
  assert.deepEqual(found, ids);
});

test("of whose notes there are more is told once for all of them, also of ten thousand", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  await reader.take();
  const ids = Array.from({ length: LIMITS.eventTransfers + 1 }, (_, n) => `t${n}`);
  for (const id of [...ids, ...ids]) hub.publish({ name: "notes", data: { transfers: [id] } });
  const found: string[] = [];
  clock.advance(0);
  for (let part = 0; part < 2; part++) {
    if (part > 0) clock.advance(LIMITS.eventEveryMs);
    const [event, ...more] = await reader.take();
    assert.deepEqual([event?.name, more], ["notes", []]);
    const some = event?.data.transfers ?? [];
    assert.ok(some.length <= LIMITS.eventTransfers);
    found.push(...some);
  }
  assert.deepEqual(found, ids);
});

test("sentences are told each by itself, the last of too many", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  await reader.take();
  for (let n = 0; n < LIMITS.eventNotices + 5; n++) hub.publish(notice(`line\n${n}`));
  clock.advance(0);
  const texts = (await reader.take()).map(({ data }) => data.text);
  assert.equal(texts.length, LIMITS.eventNotices);
  assert.deepEqual([texts[0], texts.at(-1)], ["line\n5", `line\n${LIMITS.eventNotices + 4}`]);
});

test("a client that comes back gets what it missed, without a reset", async () => {
  const { clock, hub } = setUp();
  const first = new Reader(hub.subscribe(undefined));
  hub.publish(relay(1));
  clock.advance(0);
  const [, seen] = await first.take();
  first.subscription.close();
  for (let n = 2; n <= 4; n++) {
    hub.publish(relay(n));
    clock.advance(LIMITS.eventEveryMs);
  }
  const again = new Reader(hub.subscribe(seen?.id));
  assert.deepEqual(
    (await again.take()).map(({ name, data }) => [name, data.n]),
    [2, 3, 4].map((n) => ["relay", n]),
  );
});

test("a client that has seen the reset and nothing else can come back by that", async () => {
  const { clock, hub } = setUp();
  const first = new Reader(hub.subscribe(undefined));
  const [reset] = await first.take();
  first.subscription.close();
  hub.publish(relay(1));
  clock.advance(0);
  assert.deepEqual(await new Reader(hub.subscribe(reset?.id)).names(), ["relay"]);
});

test("who was away for too long, or comes from another run, is told to ask for everything", async () => {
  const { clock, hub } = setUp();
  const first = new Reader(hub.subscribe(undefined));
  const [reset] = await first.take();
  const id = reset?.id ?? "";
  first.subscription.close();
  const [run = "", number = ""] = id.split(".");
  const others = [
    `${"0".repeat(8)}.${number}`,
    `${run}.99999999`,
    `${run}.-1`,
    run,
    "",
    `${run}.${"9".repeat(400)}`,
    "\u0000",
  ];
  for (const other of others) {
    assert.deepEqual(await new Reader(hub.subscribe(other)).names(), ["reset"], other);
  }
  // Somebody else listens all the time, so that everything is kept that may be.
  const other = new Reader(hub.subscribe(undefined));
  await other.take();
  const publish = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      hub.publish(relay(n));
      clock.advance(LIMITS.eventEveryMs);
      await other.take();
    }
  };
  await publish(LIMITS.eventRingCount);
  assert.equal((await new Reader(hub.subscribe(id)).names()).length, LIMITS.eventRingCount);
  await publish(1);
  assert.deepEqual(await new Reader(hub.subscribe(id)).names(), ["reset"]);
});

test("while nobody listens nothing is kept for long, and that something was missed is noticed", async () => {
  const { clock, hub } = setUp();
  hub.publish(relay(0));
  assert.equal(clock.timerCount, 0, "nobody was ever there");
  const first = new Reader(hub.subscribe(undefined));
  const [reset] = await first.take();
  first.subscription.close();
  clock.advance(LIMITS.eventKeepMs + 1);
  hub.publish(relay(1));
  assert.equal(clock.timerCount, 0);
  assert.deepEqual(await new Reader(hub.subscribe(reset?.id)).names(), ["reset"]);
});

test("a slow reader is dropped as soon as something is lost to it, and others are not", async () => {
  const { clock, hub } = setUp();
  const slow = hub.subscribe(undefined);
  assert.match((await slow.next()) ?? "", /event: reset/);
  const quick = new Reader(hub.subscribe(undefined));
  const text = "x".repeat(LIMITS.eventRingBytes / 16);
  for (let n = 0; n < 15; n++) {
    hub.publish(notice(text));
    clock.advance(LIMITS.eventEveryMs);
    await quick.take();
  }
  assert.equal(slow.dropped.aborted, false);
  for (let n = 0; n < 2; n++) {
    hub.publish(notice(text));
    clock.advance(LIMITS.eventEveryMs);
    await quick.take();
  }
  assert.equal(slow.dropped.aborted, true);
  assert.equal(await slow.next(), undefined);
  assert.equal(hub.clientCount, 1);
  assert.equal(quick.isOver, false);
});

test("what is told at once reaches who reads, however much it is", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  await reader.take();
  for (let n = 0; n < 8; n++) hub.publish(notice("x".repeat(LIMITS.eventRingBytes / 4)));
  clock.advance(0);
  assert.equal((await reader.take()).length, 8);
  assert.equal(reader.isOver, false);
});

test("a client shows that it is there by reading heartbeats, or is dropped", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  const dead = hub.subscribe(undefined);
  await reader.take();
  for (let n = 0; n < 3; n++) {
    assert.equal(dead.dropped.aborted, false);
    clock.advance(HEARTBEAT_MS);
    await reader.take();
  }
  assert.equal(dead.dropped.aborted, true);
  assert.equal(reader.beats, 3);
  reader.subscription.close();
  assert.equal(clock.timerCount, 0);
  await reader.take();
  assert.equal(reader.isOver, true);
});

test("there are only so many clients, and one that goes makes room", () => {
  const { hub } = setUp();
  const all = Array.from({ length: LIMITS.eventClients }, () => hub.subscribe(undefined));
  assert.throws(() => hub.subscribe(undefined), { code: "E_BUSY" });
  all[0]?.close();
  all[0]?.close();
  hub.subscribe(undefined);
  assert.throws(() => hub.subscribe(undefined), { code: "E_BUSY" });
});

test("ends for everybody when it is closed", async () => {
  const { clock, hub } = setUp();
  const reader = new Reader(hub.subscribe(undefined));
  hub.publish(relay(1));
  hub.close();
  hub.publish(relay(2));
  await reader.take();
  assert.equal(reader.isOver, true);
  assert.equal(clock.timerCount, 0);
  assert.throws(() => hub.subscribe(undefined), { code: "E_BUSY" });
});
