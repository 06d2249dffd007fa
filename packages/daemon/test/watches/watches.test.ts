import assert from "node:assert/strict";
import { appendFile, mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import type { ApiEvent } from "@backroom/api/schemas/event.ts";
import { BackroomError, type ErrorCode } from "@backroom/core/base/errors.ts";
import { silentLog } from "@backroom/core/base/log.ts";
import { openDataFolder } from "@backroom/core/node/data-folder.ts";
import { systemMachine } from "@backroom/core/node/machine.ts";
import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import type { DaemonContext } from "../../src/context.ts";
import { newId } from "../../src/new-id.ts";
import { openSettings } from "../../src/settings/open-settings.ts";
import { createWatches } from "../../src/watches/watches.ts";
import { callContext } from "../support/call-context.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

const CALL = callContext();

type World = Awaited<ReturnType<typeof newWorld>>;

async function newWorld(root: string) {
  const clock = new ManualClock(Date.now());
  const folder = await openDataFolder(path.join(root, "data"));
  const drop = path.join(root, "drop");
  const downloads = path.join(root, "downloads");
  for (const one of [drop, downloads]) await mkdir(one);
  const settings = await openSettings({
    folder,
    env: {},
    flags: {},
    configFile: path.join(root, "config.toml"),
  });
  await settings.set("downloads.folder", downloads);
  const events: ApiEvent[] = [];
  const context: DaemonContext = {
    folder,
    catalogue: memoryCatalogue(),
    settings,
    machine: { ...systemMachine, clock },
    events: { publish: (event) => void events.push(event), isFollowed: true },
    log: silentLog,
  };
  const state = { shared: [] as string[], failure: undefined as ErrorCode | undefined };
  const deps = {
    addShare: async ({ paths }: { paths: string[] }): Promise<Transfer> => {
      if (state.failure !== undefined) throw new BackroomError(state.failure, "as the test wants it");
      const [input = ""] = paths;
      state.shared.push(path.relative(drop, input));
      const record = transferOf(state.shared.length, {
        id: newId(systemMachine.random),
        inputs: [input],
        createdMs: clock.nowMs(),
      });
      context.catalogue.put(record);
      return record as unknown as Transfer;
    },
  };
  const newPart = () => createWatches(context, deps);
  const notices = () => events.flatMap((event) => (event.name === "notice" ? [event.data.text] : []));
  return { clock, drop, downloads, context, state, notices, newPart };
}

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  await withFolder(async (root) => run(await newWorld(root)));
}

/** Lets time pass in steps, with the disk's answers: what is read off a disk takes real time. */
async function pass({ clock }: World, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    clock.advance(Math.min(1_000, left));
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Until so much was shared, or half a minute of real time has passed. */
async function untilShared(world: World, count: number): Promise<string[]> {
  const endMs = performance.now() + 30_000;
  while (world.state.shared.length < count && performance.now() < endMs) await pass(world, 1_000);
  return world.state.shared;
}

/** Would catch: what was there before being shared; hidden names and links; a folder whose files are still being written; sharing at each look. */
test("what lands is shared once, a file or a folder, and what was there before, hidden or linked is not", async () => {
  await withWorld(async (world) => {
    const { drop, newPart, downloads } = world;
    await writeFile(path.join(drop, "old"), "was here before");
    const part = newPart();
    const watch = await part.handlers.addWatch({ folder: drop, profile: "strong" }, CALL);
    assert.deepEqual([watch.folder, watch.profile, watch.sharedCount], [drop, "strong", 0]);
    await writeFile(path.join(drop, "film.mkv.part"), "half");
    await writeFile(path.join(drop, ".hidden"), "x");
    await symlink("/etc/hostname", path.join(drop, "link"));
    await symlink(downloads, path.join(drop, "linked folder"));
    await mkdir(path.join(drop, "empty"));
    await mkdir(path.join(drop, "album", "inner"), { recursive: true });
    await writeFile(path.join(drop, "album", "inner", "song.crdownload"), "half");
    await pass(world, 60_000);
    assert.deepEqual(world.state.shared, []);
    await rename(path.join(drop, "film.mkv.part"), path.join(drop, "film.mkv"));
    await rename(path.join(drop, "album/inner/song.crdownload"), path.join(drop, "album/inner/song"));
    assert.deepEqual((await untilShared(world, 2)).toSorted(), ["album", "film.mkv"]);
    await pass(world, 120_000);
    assert.equal(world.state.shared.length, 2);
    const { watches } = await part.handlers.listWatches({}, CALL);
    assert.equal(watches[0]?.sharedCount, 2);
    await part.close();
  });
});

/** Would catch: a restart that shares everything again, or loses what landed meanwhile; a change deep inside that goes unseen. */
test("a restart shares nothing twice, and what changed or landed meanwhile is shared", async () => {
  await withWorld(async (world) => {
    const { drop, newPart } = world;
    const first = newPart();
    await first.handlers.addWatch({ folder: drop, profile: "standard" }, CALL);
    await mkdir(path.join(drop, "album"));
    await writeFile(path.join(drop, "album", "song"), "1");
    await writeFile(path.join(drop, "a"), "1");
    await untilShared(world, 2);
    await first.close();
    assert.equal(world.clock.timerCount, 0);
    await appendFile(path.join(drop, "album", "song"), "2");
    await writeFile(path.join(drop, "b"), "1");
    await rm(path.join(drop, "a"));
    const second = newPart();
    assert.deepEqual((await untilShared(world, 4)).slice(2).toSorted(), ["album", "b"]);
    await pass(world, 60_000);
    assert.equal(world.state.shared.length, 4);
    await second.close();
  });
});

/** Would catch: a daemon that was killed between sharing and keeping that it did, and shares it again. */
test("a share that was made and not kept as such is found again", async () => {
  await withWorld(async (world) => {
    const { drop, newPart, context } = world;
    const { catalogue } = context;
    const first = newPart();
    const { id } = await first.handlers.addWatch({ folder: drop, profile: "standard" }, CALL);
    await writeFile(path.join(drop, "a"), "1");
    await utimes(path.join(drop, "a"), new Date(0), new Date(0));
    await untilShared(world, 1);
    await first.close();
    const transfer = catalogue.watches.shares(id).get("a")?.transfer;
    catalogue.watches.removeShare(id, "a");
    const second = newPart();
    await pass(world, 60_000);
    assert.equal(world.state.shared.length, 1);
    assert.equal(catalogue.watches.shares(id).get("a")?.transfer, transfer);
    await second.close();
  });
});

/** Would catch: something lost because the network was not there when it landed; a notice at each attempt. */
test("what cannot be shared is tried again, and the person is told once", async () => {
  await withWorld(async (world) => {
    const { drop, newPart, state, notices } = world;
    const part = newPart();
    await part.handlers.addWatch({ folder: drop, profile: "standard" }, CALL);
    state.failure = "E_NO_NETWORK";
    await writeFile(path.join(drop, "a"), "1");
    await pass(world, 240_000);
    assert.equal(notices().length, 1);
    state.failure = undefined;
    assert.deepEqual(await untilShared(world, 1), ["a"]);
    await part.close();
  });
});

/** Would catch: a disk that is gone for a while and ends the watch, or makes everything new. */
test("a folder that is gone is said once, and watched again when it is back", async () => {
  await withWorld(async (world) => {
    const { drop, newPart, notices } = world;
    const part = newPart();
    await part.handlers.addWatch({ folder: drop, profile: "standard" }, CALL);
    await writeFile(path.join(drop, "a"), "1");
    await untilShared(world, 1);
    await rename(drop, `${drop}-gone`);
    await pass(world, 120_000);
    assert.equal(notices().length, 1);
    await rename(`${drop}-gone`, drop);
    await writeFile(path.join(drop, "b"), "1");
    assert.deepEqual(await untilShared(world, 2), ["a", "b"]);
    await part.close();
  });
});

test("a watch that is removed shares nothing more, and leaves its shares", async () => {
  await withWorld(async (world) => {
    const { drop, newPart, clock, context } = world;
    const part = newPart();
    const { id } = await part.handlers.addWatch({ folder: drop, profile: "standard" }, CALL);
    await writeFile(path.join(drop, "a"), "1");
    await untilShared(world, 1);
    await part.handlers.removeWatch({ id }, CALL);
    assert.equal(clock.timerCount, 0);
    await writeFile(path.join(drop, "b"), "1");
    await pass(world, 60_000);
    assert.equal(world.state.shared.length, 1);
    assert.equal(context.catalogue.list({ limit: 10 }).total, 1);
    await assert.rejects(part.handlers.removeWatch({ id }, CALL), { code: "E_NO_WATCH" });
    assert.deepEqual(await part.handlers.listWatches({}, CALL), { watches: [] });
    await part.close();
  });
});

/** Would catch: this computer's keys, or every download, shared by a watch that was set too high. */
test("no folder is watched that holds or lies in Backroom's own data, gets the downloads, or is none", async () => {
  await withWorld(async (world) => {
    const { drop, downloads, newPart, context } = world;
    const part = newPart();
    const refused = async (folder: string): Promise<void> => {
      await assert.rejects(
        part.handlers.addWatch({ folder, profile: "standard" }, CALL),
        { code: "E_WATCH" },
        folder,
      );
    };
    await writeFile(path.join(drop, "file"), "");
    await symlink(context.folder.root, path.join(drop, "way in"));
    for (const folder of [
      context.folder.root,
      context.folder.packs,
      path.dirname(drop),
      downloads,
      path.join(drop, "file"),
      path.join(drop, "way in"),
      path.join(drop, "missing"),
      "relative",
    ]) {
      await refused(folder);
    }
    await part.handlers.addWatch({ folder: drop, profile: "standard" }, CALL);
    await refused(drop);
    await refused(`${drop}/../drop`);
    await part.close();
  });
});
