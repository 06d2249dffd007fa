import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { heldLevels } from "../../src/engine/chosen-files.ts";
import type { Held, Member } from "../../src/engine/member.ts";
import { NetworkSeeding } from "../../src/engine/network-seeding.ts";
import type { SeatDeps, SeededShare } from "../../src/engine/seats.ts";
import { Seeding } from "../../src/engine/seeding.ts";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Would catch: a damaged row of the catalogue for which none of a computer's shares can be found any more. */
test("a share of which what is kept cannot be read fails alone, whether it is being added or opened", async () => {
  const clock = new ManualClock(0);
  const failed: string[] = [];
  const held: string[] = [];
  const member = {
    network: { id: 7 },
    use: async () => ({ client: {}, gone: new AbortController().signal, release() {} }),
  } as unknown as Member;
  const levels = { held: "no bitmap of three pieces" };
  const deps = {
    clock,
    random: systemRandom,
    log: silentLog,
    packs: {
      hold: (root: string) => {
        held.push(Buffer.from(root, "hex").toString());
        return new Promise<never>(() => {});
      },
    },
    share: (id: string) => ({
      id,
      link: { piecesRoot: Buffer.from(id), packLength: 1 },
      levels: id === "part" ? heldLevels(levels, { pieceCount: 3 }) : undefined,
    }),
    onFailed: (id: string, { code }: BackroomError) => failed.push(`${id} ${code}`),
  } as unknown as SeatDeps;
  const seeding = new Seeding(deps, async () => member);
  // Of a network's number only the first letters count.
  const link = (text: string) => ({ link: text, profile: "standard" as const, accept: new Set<never>() });
  const fine = link(`backroom:${"a".repeat(300)}`);
  await seeding.add([
    { id: "before", ...fine },
    { id: "part", ...fine },
    { id: "link", ...link("backroom:") },
    { id: "after", ...fine },
  ]);
  for (let turn = 0; turn < 3; turn++) {
    clock.advance(1_000);
    await settled();
  }
  assert.deepEqual(failed, ["link E_LINK", "part E_CATALOGUE_DAMAGED"]);
  assert.deepEqual(held.sort(), ["after", "before"]);
});

/** Would catch: a pack that is deleted, or fetched anew, while a seat that came late holds it open. */
test("a share that is removed while seats are being brought together has no seat when that is said to be done", async () => {
  const clock = new ManualClock(0);
  const opening = new Map<string, PromiseWithResolvers<never>>();
  const held: Held = { client: {} as Held["client"], gone: new AbortController().signal, release() {} };
  const use: Member["use"] = async () => held;
  const shareOf = (id: string): SeededShare => ({
    id,
    link: { piecesRoot: Buffer.from(id), packLength: 1 } as SeededShare["link"],
    sharer: undefined,
    levels: undefined,
    profile: "standard",
  });
  const hold: SeatDeps["packs"]["hold"] = (root) => {
    const asked = Promise.withResolvers<never>();
    opening.set(Buffer.from(root, "hex").toString(), asked);
    return asked.promise;
  };
  const seeding = new NetworkSeeding(
    { use } as Member,
    {
      clock,
      random: systemRandom,
      log: silentLog,
      packs: { hold },
      share: shareOf,
      onFailed() {},
    } as unknown as SeatDeps,
  );
  const add = async (...ids: string[]): Promise<void> => {
    seeding.add(ids.map((id) => ({ id, profile: "standard" as const, accept: new Set<never>() })));
    clock.advance(1_000);
    for (let turn = 0; turn < 10; turn++) await settled();
  };
  const fail = (id: string): void => opening.get(id)?.reject(new BackroomError("E_STORE", "not here"));
  const first = Array.from({ length: 12 }, (_, number) => `first-${number}`);
  await add(...first);
  assert.equal(opening.size, 12);
  // The thirteenth takes the place of the first, whose seat closes once its pack has been opened.
  await add("late");
  assert.equal(opening.has("late"), false);
  const removed = seeding.remove("late");
  fail("first-0");
  for (let turn = 0; turn < 10; turn++) await settled();
  fail("late");
  await removed;
  assert.equal(seeding.busy().includes("late"), false);
  for (const id of first) fail(id);
  await seeding.close();
});
