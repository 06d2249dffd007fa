import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualTime } from "../../../../scripts/sim/virtual-time.ts";
import { BackroomError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { createDirectoryService } from "../../src/directory/directory-service.ts";
import { keepTableFresh, type DirectoryAccess } from "../../src/directory/refresh.ts";
import { createRelayInfoDecoder, type RelayInfo } from "../../src/directory/relay-info.ts";
import { PROVEN, RelayTable } from "../../src/directory/table.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { NETWORK, publicHost, seededRandom, signedInfo, wire } from "./fixtures.ts";

const HOUR_MS = 3_600_000;
const RELAYS = 12;

/** A dozen relays that sign their infos every hour and know all of each other; a member that has just joined through them. */
function newWorld() {
  const time = new VirtualTime();
  const keys = Array.from({ length: RELAYS }, () => generateKeys("ed25519"));
  const signed = new Map<string, RelayInfo>();
  const infoOf = (index: number): RelayInfo => {
    const timeS = Math.floor(time.nowMs() / HOUR_MS) * 3600;
    const name = `${index} ${timeS}`;
    const endpoints = [{ host: publicHost(index), port: 9001 }];
    const info = signed.get(name) ?? signedInfo({ endpoints, timeS }, keys[index]);
    signed.set(name, info);
    return info;
  };
  const random = seededRandom(1);
  const decodeInfo = createRelayInfoDecoder();
  const member = new RelayTable({ network: NETWORK, clock: time, random });
  for (let index = 0; index < RELAYS; index++) member.add(infoOf(index), PROVEN);
  const counts = { asked: 0, closed: 0 };
  let downUntilMs = 0;

  async function open(index: number): Promise<DirectoryAccess> {
    if (time.monotonicMs() < downUntilMs) throw new BackroomError("E_CIRCUIT", "no circuit could be built");
    const table = new RelayTable({ network: NETWORK, clock: time, random });
    for (let other = 0; other < RELAYS; other++) table.add(infoOf(other), PROVEN);
    const service = createDirectoryService({
      table,
      network: NETWORK,
      clock: time,
      decodeInfo,
      probe: () => Promise.resolve(false),
    });
    counts.asked++;
    return {
      relay: infoOf(index),
      ask: async (question) => wire(await service.answer(wire(question), counts.asked)),
      close: () => counts.closed++,
    };
  }

  const guards = (): RelayInfo[] =>
    member
      .entries()
      .map(({ info }) => info)
      .slice(0, 3);
  const stop = keepTableFresh({
    table: member,
    network: NETWORK,
    clock: time,
    random,
    decodeInfo,
    log: silentLog,
    guards,
    openSomewhere: () => open(random.below(RELAYS)),
    openGuard: (guard) => open(keys.findIndex(({ publicBytes }) => publicBytes.equals(guard.nodeKey))),
  });
  return { time, member, counts, stop, goDown: (untilMs: number) => void (downUntilMs = untilMs) };
}

test("a member that runs for two days still knows the relays, each by an info of the last hours", async () => {
  const { time, member, counts } = newWorld();
  await time.runUntil(48 * HOUR_MS);
  assert.equal(member.size, RELAYS);
  const ages = member.entries().map(({ info }) => (time.nowMs() - info.timeS * 1000) / HOUR_MS);
  assert.ok(Math.max(...ages) < 6, `the oldest info is ${Math.max(...ages)} h old`);
  assert.equal(counts.closed, counts.asked, "every circuit is given back");
  // Three guards and three relays, every 45 to 75 minutes.
  const [fewest, most] = [6 * Math.floor(48 / 1.25), (6 * 48) / 0.75];
  assert.ok(counts.asked >= fewest && counts.asked <= most, `${counts.asked} questions in two days`);
});

test("hours without any circuit cost nothing but the wait: it goes on by itself", async () => {
  const { time, member, goDown } = newWorld();
  goDown(20 * HOUR_MS);
  await time.runUntil(30 * HOUR_MS);
  assert.equal(member.size, RELAYS);
});

test("stopped, it asks nobody any more, and the table runs empty within the day", async () => {
  const { time, member, counts, stop } = newWorld();
  await time.runUntil(3 * HOUR_MS);
  stop();
  const { asked } = counts;
  await time.runUntil(40 * HOUR_MS);
  assert.equal(counts.asked, asked);
  assert.equal(member.size, 0);
});
