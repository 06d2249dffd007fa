import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { makeShareLink } from "@backroom/core/node/share-link.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { plainInfos } from "../../../core/test/directory/fixtures.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import { GroupSeats } from "../../src/engine/group-seats.ts";
import type { SeededShare } from "../../src/engine/seats.ts";

const relays = plainInfos(30);

function newShare(id: string): SeededShare {
  const client = { network: { id: 7 }, guards: () => [], relays: () => relays };
  const facts = { root: randomBytes(32), length: 1, name: id, fileBytes: 1, identity: undefined };
  const link = makeShareLink(
    { ...facts, sharerFingerprint: randomBytes(16) },
    client as unknown as Parameters<typeof makeShareLink>[1],
  );
  return { id, link, sharer: undefined, profile: "standard", levels: undefined };
}

/** Would catch: a gate that sees, since a link names it for joining, who comes for the share that is found at it. */
test("a group is at no gate that a link of one of its shares names, while there are others", async () => {
  await withFolder(async (root) => {
    const clock = new ManualClock();
    const avoided: (readonly string[])[] = [];
    const asked = (count: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (left: number): void => {
          if (avoided.length >= count) resolve();
          else if (left === 0) reject(new Error("no gate was looked for"));
          else setImmediate(look, left - 1);
        };
        look(1000);
      });
    const client = {
      relays: () => relays,
      vet: () => assert.fail("no gate is kept"),
      machine: { clock, random: systemRandom },
      open: (_want: unknown, avoid: ReadonlySet<string>) => {
        avoided.push([...avoid].toSorted());
        return Promise.reject(new BackroomError("E_CIRCUIT", "none today"));
      },
    };
    const shares = ["first", "second"].map(newShare);
    const namedBy = (...some: (SeededShare | undefined)[]): string[] =>
      [
        ...new Set(
          some.flatMap((one) => one?.link.relays ?? []).map(({ nodeKey }) => nodeKey.toString("hex")),
        ),
      ].toSorted();
    const deps = {
      folder: await openDataFolder(root),
      clock,
      random: systemRandom,
      log: silentLog,
      profile: "standard",
      network: { id: 7 },
      share: (id: string) => shares.find((share) => share.id === id),
    };
    const group = await GroupSeats.open(
      0,
      client as unknown as Parameters<typeof GroupSeats.open>[1],
      deps as unknown as Parameters<typeof GroupSeats.open>[2],
    );
    await group.set(["first"]);
    await asked(1);
    assert.deepEqual(avoided.at(-1), namedBy(shares[0]));
    await group.set(["first", "second"]);
    clock.advance(60_000);
    await asked(2);
    assert.deepEqual(avoided.at(-1), namedBy(...shares));
    await group.set(["second"]);
    const before = avoided.length;
    clock.advance(60_000);
    await asked(before + 1);
    assert.deepEqual(avoided.at(-1), namedBy(shares[1]));
    await group.close();
  });
});
