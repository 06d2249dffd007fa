import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { cp, readFile, rm, stat, symlink, writeFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { generateIdentity, formatKeyFile } from "@backroom/core/pack/age-keys.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { Client } from "@backroom/core/node/client.ts";
import { packPaths } from "@backroom/core/store/store-files.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { withFolder } from "../../../core/test/store/temporary.ts";
import { callContext } from "../support/call-context.ts";
import { CONTEXT, newEngineWorld, type EngineWorld, type TestEngine } from "../support/engine-world.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";

const KIB = 1024;
const PASSWORD = "correct horse battery staple";

async function withWorld(run: (world: EngineWorld, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const world = newEngineWorld(folder);
    try {
      await run(world, folder);
    } finally {
      await world.close();
    }
  });
}

/** What a kill leaves: the data folder and the catalogue as they are at that moment. */
async function killed(engine: TestEngine, folder: string, name: string): Promise<Catalogue> {
  const copy = memoryCatalogue();
  for (const record of engine.catalogue.list({ limit: 100 }).transfers.toReversed()) copy.put(record);
  await cp(engine.data.root, path.join(folder, name), {
    recursive: true,
    filter: (source) => !source.endsWith(".lock"),
  });
  return copy;
}

/** What was noted of a transfer, in order. */
async function kindsOf({ handlers }: TestEngine, id: string): Promise<string[]> {
  return (await handlers.notes({ id }, CONTEXT)).notes.map(({ kind }) => kind);
}

async function assertSame(file: string, arrived: string): Promise<void> {
  assert.ok((await readFile(arrived)).equals(await readFile(file)), "the file differs");
}

test("what one daemon shares arrives at another one, and both say so", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("picture.bin", 700 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    const shared = await sharer.reach(id, "seeding");
    assert.deepEqual(
      [shared.name, shared.fileCount, shared.size, shared.kind, shared.failure, shared.waits],
      ["picture.bin", 1, 700 * KIB, "read", null, null],
    );
    const getter = await world.newEngine("getter");
    const facts = await getter.handlers.inspectLink({ link }, CONTEXT);
    assert.deepEqual(
      [facts.name, facts.size, facts.isNetworkKnown, facts.transfer, facts.fits],
      ["picture.bin", 700 * KIB, true, null, true],
    );
    const got = await getter.get(link);
    const done = await getter.reach(got.id, "done");
    const target = path.join(getter.downloads, "picture.bin");
    assert.deepEqual(
      [done.paths, done.finishedMs !== null, done.doneBytes],
      [[target], true, done.totalBytes],
    );
    assert.ok(done.downloadedBytes >= 700 * KIB);
    await assertSame(file, target);
    await sharer.until(id, ({ uploadedBytes }) => uploadedBytes >= 700 * KIB);
    assert.deepEqual(await kindsOf(sharer, id), ["begun", "sealed", "linked", "given"]);
    assert.deepEqual(await kindsOf(getter, got.id), ["begun", "found", "opened"]);
    const states = getter.events.flatMap((event) =>
      event.name === "transfers" ? event.data.changed.map(({ state }) => state) : [],
    );
    assert.equal(states.at(-1), "done");
    assert.equal((await getter.handlers.inspectLink({ link }, CONTEXT)).transfer, got.id);
    const again = await getter.get(link);
    assert.deepEqual([again.id, again.state], [got.id, "done"], "what is there is not fetched twice");
    await rm(target);
    await getter.get(link);
    await getter.reach(got.id, "done");
    await assertSame(file, target);
  });
});

/** Would catch: a kill after which a download begins anew, is forgotten, or a share is no longer the sharer's. */
test("a daemon that is killed goes on where it was: with half a download, and with what it shares", async () => {
  await withWorld(async (world, folder) => {
    const file = await world.makeFile("film.bin", 3 * 1024 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    const first = await world.newEngine("first");
    first.limits.download.rate = 1500 * KIB;
    const { id: getId } = await first.get(link);
    const half = await first.until(getId, ({ doneBytes, totalBytes }) => doneBytes > totalBytes / 4);
    assert.equal(half.state, "downloading");
    // What a kill would leave takes a moment to copy, in which it must not get any further.
    first.limits.download.rate = 1;
    const kept = await killed(first, folder, "second");
    const sharerKept = await killed(sharer, folder, "sharer again");
    await Promise.all([first.engine.close(), sharer.engine.close()]);

    const back = await world.newEngine("sharer again", { catalogue: sharerKept });
    assert.equal(back.catalogue.get(id)?.link, link);
    await back.until(id, ({ state, gateCount }) => state === "seeding" && gateCount > 0);
    const second = await world.newEngine("second", { catalogue: kept });
    const done = await second.reach(getId, "done");
    await assertSame(file, done.paths[0] ?? "");
    const { downloadedBytes } = second.totals();
    assert.ok(downloadedBytes < 0.9 * done.totalBytes, `${downloadedBytes} of ${done.totalBytes} came anew`);
  });
});

test("a share that was being sealed when the daemon was killed is sealed again", async () => {
  await withWorld(async (world, folder) => {
    const file = await world.makeFile("notes.bin", 300 * KIB);
    const before = await world.newEngine("before", {
      openClient: () => new Promise(() => {}),
    });
    const { id } = await before.handlers.addShare(
      { paths: [file], profile: "standard", accept: [] },
      CONTEXT,
    );
    const record = before.catalogue.get(id);
    assert.equal(record?.root, null);
    const kept = memoryCatalogue();
    kept.put(record);
    const abandoned = path.join(folder, "after", "packs", `sealing-${process.pid}-00ff00ff`);
    await mkdir(path.dirname(abandoned), { recursive: true });
    await writeFile(abandoned, "half");
    const after = await world.newEngine("after", { catalogue: kept });
    await after.until(id, ({ gateCount }) => gateCount > 0);
    await assert.rejects(stat(abandoned), { code: "ENOENT" });
  });
});

test("a sealed share waits for its network, says why, and is not sealed twice", async () => {
  await withWorld(async (world, folder) => {
    const file = await world.makeFile("notes.bin", 300 * KIB);
    let isOnline = false;
    const offline = await world.newEngine("sharer", {
      openClient: async (options, hooks) => {
        if (!isOnline) throw new BackroomError("E_NO_RELAYS", "no relay could be asked");
        return Client.open({ ...options, machine: world.machine }, hooks);
      },
    });
    const { id } = await offline.handlers.addShare(
      { paths: [file], profile: "standard", accept: [] },
      CONTEXT,
    );
    const waiting = await offline.until(id, ({ state, waits }) => state === "joining" && waits !== null);
    assert.match(waiting.waits?.why ?? "", /no relay could be asked/);
    await assert.rejects(offline.handlers.links({ id }, CONTEXT), { code: "E_NOT_HELD" });
    const { root } = offline.catalogue.get(id) ?? {};
    const kept = await killed(offline, folder, "again");
    await offline.engine.close();
    isOnline = true;
    const online = await world.newEngine("again", { catalogue: kept });
    await online.until(id, ({ gateCount }) => gateCount > 0);
    assert.equal(online.catalogue.get(id)?.root, root);
    const getter = await world.newEngine("getter");
    const { link } = await online.handlers.links({ id }, CONTEXT);
    const { id: getId } = await getter.get(link);
    await assertSame(file, (await getter.reach(getId, "done")).paths[0] ?? "");
  });
});

/** Would catch: a token that may only share, and reads every link and key of this computer that way. */
test("Backroom's own data is not shared, nor what it lies in; what was sent to be shared is", async () => {
  await withWorld(async (world, folder) => {
    const { data, handlers } = await world.newEngine("own", { openClient: () => new Promise(() => {}) });
    const add = (place: string): Promise<unknown> =>
      handlers.addShare({ paths: [place], profile: "standard", accept: [] }, CONTEXT);
    const link = path.join(folder, "link");
    await symlink(data.root, link);
    const uploads = path.join(data.root, "uploads");
    const sent = path.join(uploads, "abcdefghijklmnop", "tree", "a");
    await mkdir(path.dirname(sent), { recursive: true });
    await writeFile(sent, "a");
    for (const place of [data.root, folder, data.shares, link, path.join(link, "shares"), uploads]) {
      await assert.rejects(add(place), { code: "E_INPUT" }, place);
    }
    await add(sent);
    await add(await world.makeFile("own-files/b", 3));
  });
});

/** Would catch: a download that is there and fails, since its own files are in its way; a removed share that the next start hands out again. */
test("files that appeared before the catalogue knew are known again; a share is forgotten before its transfer", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("film.bin", 200 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    const catalogue = memoryCatalogue();
    const put = catalogue.put.bind(catalogue);
    let isFull = true;
    catalogue.put = (record) => {
      if (isFull && record.finishedMs !== null) throw new BackroomError("E_DISK_FULL", "as after a kill");
      put(record);
    };
    const getter = await world.newEngine("getter", { catalogue });
    const { id: getId } = await getter.get(link);
    const place = path.join(getter.downloads, "film.bin");
    await getter.reach(getId, "failed");
    await assertSame(file, place);
    isFull = false;
    await getter.handlers.resume({ id: getId }, CONTEXT);
    assert.deepEqual((await getter.reach(getId, "done")).paths, [place]);
    await getter.handlers.remove({ id: getId, keepPack: false }, CONTEXT);
    const own = await world.makeFile("getter-files/film.bin", 3);
    const { id: againId } = await getter.get(link);
    assert.equal((await getter.reach(againId, "failed")).failure?.code, "E_TARGET_EXISTS");
    assert.equal((await stat(own)).size, 3, "what a person put there is not taken for it");

    const remove = sharer.catalogue.remove.bind(sharer.catalogue);
    let names: string[] | undefined;
    sharer.catalogue.remove = (one) => {
      names = readdirSync(sharer.data.shares).filter((name) => !name.endsWith(".gates"));
      return remove(one);
    };
    await sharer.handlers.remove({ id, keepPack: false }, CONTEXT);
    assert.deepEqual(names, []);
  });
});

test("paused means that nothing goes on, resumed that it goes on where it was; removed that only files stay", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("film.bin", 2 * 1024 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    const getter = await world.newEngine("getter");
    getter.limits.download.rate = 500 * KIB;
    const { id: getId } = await getter.get(link, { seed: true });
    await getter.until(getId, ({ doneBytes }) => doneBytes > 0);
    const paused = await getter.handlers.pause({ id: getId }, CONTEXT);
    assert.deepEqual([paused.state, paused.peerCount, paused.downloadRate], ["paused", 0, 0]);
    const bytes = paused.doneBytes;
    assert.ok(bytes > 0);
    const map = await getter.handlers.pieces({ id: getId }, CONTEXT);
    assert.ok(map.haveCount > 0 && map.haveCount < map.pieceCount);
    assert.equal(map.map.length, Math.min(512, map.pieceCount));
    getter.limits.download.rate = null;
    await getter.handlers.resume({ id: getId }, CONTEXT);
    const seeding = await getter.reach(getId, "seeding");
    assert.deepEqual(await kindsOf(getter, getId), [
      "begun",
      "found",
      "paused",
      "resumed",
      "found",
      "opened",
    ]);
    assert.equal(
      (await getter.handlers.listTransfers({ state: "seeding", limit: 10 }, CONTEXT)).transfers.length,
      1,
    );
    assert.equal((await getter.handlers.listTransfers({ state: "paused", limit: 10 }, CONTEXT)).total, 0);

    await sharer.handlers.remove({ id, keepPack: false }, CONTEXT);
    await assert.rejects(sharer.handlers.getTransfer({ id }, CONTEXT), { code: "E_NO_TRANSFER" });
    const { root } = getter.catalogue.get(getId) ?? {};
    const packOf = (engine: TestEngine): string =>
      packPaths(engine.data.packs, Buffer.from(root ?? "", "hex")).pack;
    await assert.rejects(stat(packOf(sharer)), { code: "ENOENT" });
    assert.ok((await stat(file)).isFile());
    // Nobody but who fetched it has it now.
    await getter.until(getId, ({ gateCount }) => gateCount > 0);
    const third = await world.newEngine("third");
    const { id: thirdId } = await third.get(link);
    await assertSame(file, (await third.reach(thirdId, "done")).paths[0] ?? "");
    await getter.handlers.remove({ id: getId, keepPack: true }, CONTEXT);
    assert.ok((await stat(packOf(getter))).isFile());
    await assertSame(file, seeding.paths[0] ?? "");
  });
});

test("a locked link: kept and handed on without being read, and opened by who knows the password", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("letter.bin", 200 * KIB);
    const sharer = await world.newEngine("sharer");
    const weak = { paths: [file], profile: "standard" as const, accept: [], password: "12345678" };
    await assert.rejects(sharer.handlers.addShare(weak, CONTEXT), { code: "E_WEAK_PASSWORD" });
    const { id, link } = await sharer.share([file], { password: PASSWORD });
    assert.equal((await sharer.handlers.getTransfer({ id }, CONTEXT)).kind, "locked");
    assert.deepEqual(sharer.catalogue.get(id)?.keys, {});

    const getter = await world.newEngine("getter");
    await assert.rejects(getter.get(link), { code: "E_NO_KEY" });
    const { id: getId } = await getter.get(link, { password: "not this one, surely not" });
    const failed = await getter.reach(getId, "failed");
    assert.equal(failed.failure?.code, "E_NO_KEY");
    const { notes } = await getter.handlers.notes({ id: getId }, CONTEXT);
    const { kind, level, text } = notes.at(-1) ?? {};
    assert.deepEqual(
      [kind, level, text],
      ["failed", "warn", `${failed.failure?.what}: ${failed.failure?.why}`],
    );
    const again = await getter.get(link, { password: PASSWORD });
    assert.equal(again.id, getId, "it goes on with what was fetched");
    await assertSame(file, (await getter.reach(getId, "done")).paths[0] ?? "");

    const mirror = await world.newEngine("mirror");
    const { id: mirrorId } = await mirror.get(link, { mirror: true });
    await mirror.reach(mirrorId, "seeding");
    await assert.rejects(
      mirror.handlers.openTransfer({ id: mirrorId, password: "wrong wrong wrong wrong" }, CONTEXT),
      {
        code: "E_NO_KEY",
      },
    );
    const output = path.join(mirror.downloads, "opened");
    const opened = await mirror.handlers.openTransfer({ id: mirrorId, password: PASSWORD, output }, CONTEXT);
    assert.deepEqual([opened.state, opened.paths], ["seeding", [path.join(output, "letter.bin")]]);
    await assertSame(file, opened.paths[0] ?? "");
  });
});

test("a share for people opens with their key, and a mirror of a read link with the link itself", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("letter.bin", 100 * KIB);
    const sharer = await world.newEngine("sharer");
    const { identity, recipient } = generateIdentity(systemRandom);
    const { link } = await sharer.share([file], { recipients: [recipient] });
    const { link: readLink, lockedLink } = await sharer.share([file], { name: "other" });
    const getter = await world.newEngine("getter");
    const { id } = await getter.get(link, { identity: await formatKeyFile(identity, Date.now()) });
    await assertSame(file, (await getter.reach(id, "done")).paths[0] ?? "");

    const mirror = await world.newEngine("mirror");
    const { id: mirrorId } = await mirror.get(lockedLink, { mirror: true });
    await mirror.reach(mirrorId, "seeding");
    await assert.rejects(mirror.handlers.openTransfer({ id: mirrorId, link }, CONTEXT), {
      code: "E_OTHER_PACK",
    });
    const opened = await mirror.handlers.openTransfer({ id: mirrorId, link: readLink }, CONTEXT);
    assert.deepEqual([opened.kind, opened.name], ["read", "other"]);
    await assertSame(file, opened.paths[0] ?? "");
  });
});

/** Would catch: a disk that rots under a share, and a recheck that believes the bitmap. */
test("what is damaged on disk is found by a recheck, and fetched again from others", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("film.bin", 1024 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    const mirror = await world.newEngine("mirror");
    const { id: mirrorId } = await mirror.get(link, { mirror: true });
    await mirror.until(mirrorId, ({ gateCount }) => gateCount > 0);
    await sharer.handlers.pause({ id }, CONTEXT);
    const { root } = sharer.catalogue.get(id) ?? {};
    const { pack } = packPaths(sharer.data.packs, Buffer.from(root ?? "", "hex"));
    const bytes = await readFile(pack);
    bytes.fill(0, 200 * KIB, 300 * KIB);
    await writeFile(pack, bytes);
    const checked = await sharer.handlers.recheck({ id }, CONTEXT);
    assert.equal(checked.state, "checking");
    const paused = await sharer.until(id, ({ state }) => state === "paused");
    assert.ok(paused.doneBytes < paused.totalBytes);
    assert.ok(sharer.notices().some(({ text, transfer }) => transfer === id && text.includes("damaged")));
    await sharer.handlers.resume({ id }, CONTEXT);
    await sharer.until(
      id,
      ({ state, doneBytes, totalBytes }) => state === "seeding" && doneBytes === totalBytes,
    );
    assert.ok((await readFile(pack)).subarray(200 * KIB, 300 * KIB).some((byte) => byte !== 0));
  });
});

test("fetched files move to another folder, and never onto something", async () => {
  await withWorld(async (world, folder) => {
    const file = await world.makeFile("film.bin", 100 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id: sharedId, link } = await sharer.share([file]);
    const getter = await world.newEngine("getter");
    const { id } = await getter.get(link);
    await getter.reach(id, "done");
    const taken = path.join(folder, "taken");
    await mkdir(taken);
    await writeFile(path.join(taken, "film.bin"), "somebody's");
    await assert.rejects(getter.handlers.relocate({ id, output: taken }, CONTEXT), {
      code: "E_TARGET_EXISTS",
    });
    assert.equal(await readFile(path.join(taken, "film.bin"), "utf8"), "somebody's");
    const output = path.join(folder, "elsewhere", "deep");
    const moved = await getter.handlers.relocate({ id, output }, CONTEXT);
    assert.deepEqual(
      [moved.output, moved.paths, moved.state],
      [output, [path.join(output, "film.bin")], "done"],
    );
    await assertSame(file, path.join(output, "film.bin"));
    await assert.rejects(sharer.handlers.relocate({ id: sharedId, output }, CONTEXT), { code: "E_REQUEST" });
  });
});

/**
 * Would catch: a file that was moved when a kill came, and is looked for at its old place for ever; a person's own file that is taken for it; a pack that nobody knows of and that fills the disk.
 */
test("a kill within a move or a removal: the next start finishes it", async () => {
  await withWorld(async (world, folder) => {
    const afterKill = (): never => {
      throw new BackroomError("E_STORE", "as after a kill");
    };
    const file = await world.makeFile("film.bin", 100 * KIB);
    const shares = memoryCatalogue();
    const sharer = await world.newEngine("sharer", { catalogue: shares });
    const { id: sharedId, link } = await sharer.share([file]);
    const catalogue = memoryCatalogue();
    const getter = await world.newEngine("getter", { catalogue });
    const { id } = await getter.get(link);
    const { paths } = await getter.reach(id, "done");
    const output = path.join(folder, "elsewhere");
    const to = path.join(output, "film.bin");
    const put = catalogue.put.bind(catalogue);
    catalogue.put = afterKill;
    await assert.rejects(getter.handlers.relocate({ id, output }, CONTEXT), { code: "E_STORE" });
    catalogue.put = put;
    assert.deepEqual(catalogue.get(id)?.paths, paths);
    await getter.engine.close();
    await world.newEngine("getter", { catalogue });
    const { paths: found, output: where } = catalogue.get(id) ?? {};
    assert.deepEqual([found, where], [[to], output]);
    await assertSame(file, to);

    const { pack } = packPaths(sharer.data.packs, Buffer.from(shares.get(sharedId)?.root ?? "", "hex"));
    const remove = shares.remove.bind(shares);
    shares.remove = (one) => {
      remove(one);
      return afterKill();
    };
    await assert.rejects(sharer.handlers.remove({ id: sharedId, keepPack: false }, CONTEXT), {
      code: "E_STORE",
    });
    await stat(pack);
    await sharer.engine.close();
    await world.newEngine("sharer", { catalogue: shares });
    await assert.rejects(stat(pack), { code: "ENOENT" });
  });
});

test("shares that were made in the foreground, or by a daemon that lost its catalogue, are taken up", async () => {
  await withWorld(async (world, folder) => {
    const file = await world.makeFile("film.bin", 100 * KIB);
    const before = await world.newEngine("before");
    const { link } = await before.share([file]);
    const { id: goneId } = await before.share([file], { name: "gone" });
    const { root } = before.catalogue.get(goneId) ?? {};
    await killed(before, folder, "after");
    await before.engine.close();
    await rm(packPaths(path.join(folder, "after", "packs"), Buffer.from(root ?? "", "hex")).pack);
    const after = await world.newEngine("after");
    const { transfers } = await after.handlers.listTransfers({ limit: 10 }, CONTEXT);
    assert.deepEqual(
      transfers.map(({ name, role }) => [name, role]),
      [["film.bin", "share"]],
    );
    const id = transfers[0]?.id ?? "";
    assert.equal((await after.handlers.links({ id }, CONTEXT)).link, link);
    assert.ok(after.catalogue.get(id)?.sharerSeed);
    await after.until(id, ({ gateCount }) => gateCount > 0);
  });
});

test("what nobody hands out fails after a while, or is waited for where that was asked for", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("film.bin", 100 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    await sharer.handlers.pause({ id }, CONTEXT);
    const getter = await world.newEngine("getter");
    const { id: getId } = await getter.get(link, { wait: true });
    const looking = await getter.until(getId, ({ state, waits }) => state === "looking" && waits !== null);
    assert.ok((looking.waits?.fix ?? "").length > 0);
    await sharer.handlers.resume({ id }, CONTEXT);
    await assertSame(file, (await getter.reach(getId, "done")).paths[0] ?? "");
  });
});

/** Would catch: a download that goes on past a proxy that was set while it ran, or that ends because of it. */
test("a proxy that changes gives up every circuit, and what was under way goes on with others", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("film.bin", 2 * 1024 * KIB);
    const sharer = await world.newEngine("sharer");
    const { id, link } = await sharer.share([file]);
    const proxies: (string | undefined)[] = [];
    const getter = await world.newEngine("getter", {
      openClient: async (options, hooks) => {
        proxies.push(options.proxy);
        return Client.open({ ...options, machine: world.machine }, hooks);
      },
    });
    getter.limits.download.rate = 600 * KIB;
    const { id: getId } = await getter.get(link);
    await getter.until(getId, ({ doneBytes }) => doneBytes > 0);
    const member = getter.members.list()[0];
    const before = member?.client;
    getter.settings.put({ "network.proxy": "socks5://127.0.0.1:9050" });
    assert.deepEqual(
      [before?.pictures(), member?.client === before],
      [[], false],
      "nothing of the old one is left",
    );
    getter.limits.download.rate = null;
    await assertSame(file, (await getter.reach(getId, "done")).paths[0] ?? "");
    assert.deepEqual(proxies, [undefined, "socks5://127.0.0.1:9050"]);
    sharer.settings.put({ "network.proxy": "socks5://127.0.0.1:9050" });
    await sharer.until(id, ({ state, gateCount }) => state === "seeding" && gateCount > 0);
  });
});

test("a question that nobody accepted fails a download with what to do about it, and waits for nobody", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("film.bin", 50 * KIB);
    const sharer = await world.newEngine("sharer");
    const { link } = await sharer.share([file]);
    const flags: string[] = [];
    const getter = await world.newEngine("getter", {
      openClient: async (options, hooks) => {
        flags.push("--accept-few-sources");
        const isAccepted = await hooks.confirm("Is one source enough?", "--accept-few-sources");
        if (!isAccepted) throw new BackroomError("E_FEW_SOURCES", "only one relay could be asked");
        return Client.open({ ...options, machine: world.machine }, hooks);
      },
    });
    const { id } = await getter.get(link, { wait: true });
    const failed = await getter.reach(id, "failed");
    assert.equal(failed.failure?.code, "E_FEW_SOURCES");
    assert.equal(flags.length, 1, "what only a person can mend is not tried again and again");
    const again = await getter.get(link, { accept: ["few-sources"], seed: true });
    assert.equal(again.id, id);
    await getter.reach(id, "seeding");
    assert.deepEqual(getter.catalogue.get(id)?.accept, ["few-sources"]);
  });
});

/** Would catch: two transfers of one share, which would work on one pack, where somebody asks twice at once. */
test("who asks for a share twice at once gets one transfer", async () => {
  await withWorld(async (world) => {
    const file = await world.makeFile("film.bin", 50 * KIB);
    const sharer = await world.newEngine("sharer");
    const { link } = await sharer.share([file]);
    const getter = await world.newEngine("getter");
    const [one, other] = await Promise.all([getter.get(link), getter.get(link)]);
    assert.equal(one.id, other.id);
    await assertSame(file, (await getter.reach(one.id, "done")).paths[0] ?? "");
  });
});

test("more downloads than may run wait for their turn, in order, and say so", async () => {
  await withWorld(async (world) => {
    const sharer = await world.newEngine("sharer");
    const links: string[] = [];
    for (const name of ["one.bin", "two.bin", "three.bin"]) {
      links.push((await sharer.share([await world.makeFile(name, 200 * KIB)])).link);
    }
    const getter = await world.newEngine("getter", { settings: { "downloads.active": 1 } });
    getter.limits.download.rate = 0;
    const ids: string[] = [];
    for (const link of links) ids.push((await getter.get(link)).id);
    const [first = "", second = "", third = ""] = ids;
    await getter.until(first, ({ state }) => state === "downloading");
    const queued = await getter.handlers.listTransfers({ state: "queued", limit: 10 }, CONTEXT);
    // Two that were made within one millisecond are in either order.
    const waiting = queued.transfers.map(({ id }) => id).toSorted();
    assert.deepEqual([queued.total, waiting], [2, [second, third].toSorted()]);
    assert.match(queued.transfers[0]?.waits?.fix ?? "", /downloads\.active/);
    const found = await getter.handlers.listTransfers({ state: "queued", search: "two", limit: 10 }, CONTEXT);
    assert.deepEqual([found.total, found.transfers[0]?.id], [1, second]);
    assert.equal(getter.totals().byState.queued, 2);
    getter.limits.download.rate = null;
    for (const id of ids) await getter.reach(id, "done");
    assert.deepEqual(getter.totals().byState, { done: 3 });
  });
});

/** Would catch: a pack that stays on the disk for good, beside the files that were opened from it. */
test("a kill between the end of a download and the end of its pack: the next start takes the pack away, but for its list", async () => {
  await withWorld(async (world) => {
    const files = [
      await world.makeFile("trip/one.bin", 500 * KIB),
      await world.makeFile("trip/two.bin", 500 * KIB),
    ];
    const sharer = await world.newEngine("sharer");
    const { link } = await sharer.share([path.dirname(files[0] ?? "")]);
    const catalogue = memoryCatalogue();
    const put = catalogue.put.bind(catalogue);
    const putValue = catalogue.putValue.bind(catalogue);
    const afterKill = (): never => {
      throw new BackroomError("E_STORE", "as after a kill");
    };
    catalogue.put = (record) => {
      put(record);
      if (record.state !== "done") return;
      catalogue.put = catalogue.putValue = afterKill;
      afterKill();
    };
    const getter = await world.newEngine("getter", { catalogue });
    const choices = [{ path: "trip/two.bin", priority: "skip" as const }];
    const { id } = await getter.get(link, { choices });
    await getter.until(id, () => catalogue.get(id)?.state === "done" && catalogue.put === afterKill);
    await getter.engine.close();
    Object.assign(catalogue, { put, putValue });
    const next = await world.newEngine("getter", { catalogue });
    const { pieceCount, haveCount } = await next.handlers.pieces({ id }, CONTEXT);
    assert.ok(haveCount > 0 && haveCount < pieceCount / 2, `${haveCount} of ${pieceCount} pieces are there`);
    const list = await next.handlers.files({ id, limit: 10 }, CONTEXT);
    assert.deepEqual(
      list.files.map(({ path: place, priority }) => [place, priority]),
      [
        ["trip/one.bin", "normal"],
        ["trip/two.bin", "skip"],
      ],
    );
  });
});

/** Would catch: a token that may not name a folder and has files put into the one that its owner named before. */
test("a token of little reach has files put below its folder alone, whatever folder its owner chose before", async () => {
  await withWorld(async (world, folder) => {
    const files = [await world.makeFile("trip/one.bin", KIB), await world.makeFile("trip/two.bin", KIB)];
    const sharer = await world.newEngine("sharer");
    const { link } = await sharer.share([path.dirname(files[0] ?? "")]);
    const getter = await world.newEngine("getter");
    const own = path.join(folder, "own");
    const choices = [
      { path: "", priority: "skip" as const },
      { path: "trip/one.bin", priority: "normal" as const },
    ];
    const { id } = await getter.get(link, { output: own, choices });
    await getter.reach(id, "done");
    const bounded = callContext({ reach: getter.downloads });
    const again = (): Promise<unknown> => {
      const wishes = { mirror: false, seed: false, wait: false, profile: "standard" as const, accept: [] };
      return getter.handlers.addGet({ link, choices, ...wishes }, bounded);
    };
    await again();
    assert.equal(
      (await getter.reach(id, "done")).output,
      own,
      "what is there stays, and is known to be there",
    );

    const more = [{ path: "trip/two.bin", priority: "normal" as const }];
    await assert.rejects(getter.handlers.chooseFiles({ id, choices: more }, bounded), { code: "E_SCOPE" });
    assert.deepEqual(readdirSync(path.join(own, "trip")), ["one.bin"]);

    await rm(path.join(own, "trip"), { recursive: true });
    await again();
    const there = await getter.reach(id, "done");
    assert.deepEqual([there.output, there.paths], [getter.downloads, [path.join(getter.downloads, "trip")]]);
    assert.deepEqual(readdirSync(own), []);
  });
});

/** Would catch: a person's own file, which was put there while the download came to its end, that is taken for what a kill left, and removed. */
test("an empty file of a person's own at a download's place stays, also when the download goes on", async () => {
  await withWorld(async (world) => {
    const sharer = await world.newEngine("sharer");
    const { link } = await sharer.share([await world.makeFile("notes.txt", 20 * KIB)]);
    const getter = await world.newEngine("getter");
    const place = path.join(getter.downloads, "notes.txt");
    const { catalogue } = getter;
    const putValue = catalogue.putValue.bind(catalogue);
    let isThere = false;
    catalogue.putValue = (name, value) => {
      putValue(name, value);
      // Right before what arrived appears.
      if (!isThere && name.startsWith("engine.placing.")) writeFileSync(place, "");
      isThere ||= name.startsWith("engine.placing.");
    };
    const { id } = await getter.get(link);
    assert.equal((await getter.reach(id, "failed")).failure?.code, "E_TARGET_EXISTS");
    await getter.handlers.resume({ id }, CONTEXT);
    assert.equal((await getter.reach(id, "failed", "done")).failure?.code, "E_TARGET_EXISTS");
    assert.equal((await stat(place)).size, 0);
  });
});
