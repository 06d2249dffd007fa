import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Answer, CallContext, Handlers } from "@backroom/api/routes.ts";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { systemRandom } from "@backroom/core/base/random.ts";
import { ManualClock } from "../../../core/test/support/manual-clock.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { openUploads, type Uploads } from "../../src/http/uploads.ts";
import { callContext } from "../support/call-context.ts";
import { memoryCatalogue } from "../support/memory-catalogue.ts";
import { transferOf } from "../support/transfer-record.ts";

let root: string;
let clock: ManualClock;
let catalogue: Catalogue;
let uploads: Uploads;
let freeBytes: number;
let shared: { paths: string[]; name?: string | undefined }[];
let addShare: Handlers["addShare"];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "backroom-uploads-"));
  clock = new ManualClock();
  catalogue = memoryCatalogue(clock);
  freeBytes = 1024 * LIMITS.uploadFreeBytes;
  shared = [];
  addShare = async (input) => {
    shared.push(input);
    const record = {
      ...transferOf(shared.length),
      role: "share" as const,
      state: "sealing" as const,
      root: null,
      link: null,
      inputs: input.paths,
    };
    catalogue.put(record);
    return { id: record.id } as Answer<"addShare">;
  };
  uploads = await start();
});
afterEach(async () => {
  await uploads.close();
  catalogue.close();
  await rm(root, { recursive: true });
});

const start = (): Promise<Uploads> =>
  openUploads({
    root,
    catalogue,
    addShare: (input, context) => addShare(input, context),
    clock,
    random: systemRandom,
    freeBytes: async () => freeBytes,
  });

async function begin(): Promise<string> {
  return (await uploads.handlers.beginUpload({}, callContext())).id;
}

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

function send(
  id: string,
  name: string,
  stream: CallContext["stream"] = chunks("some ", "bytes"),
  more: { length?: number; mtimeMs?: number } = {},
): Promise<{ size: number }> {
  return uploads.handlers.uploadFile({ id, path: name, ...more }, callContext({ stream }));
}

const tree = (id: string, ...names: string[]): string => path.join(root, "uploads", id, "tree", ...names);
const folders = (): Promise<string[]> => readdir(path.join(root, "uploads"));
const share = (id: string): Promise<Answer<"addShare">> =>
  uploads.handlers.shareUpload({ id, profile: "standard", accept: [] }, callContext());

describe("an upload", () => {
  test("becomes a share of what was sent, under the names that were sent", async () => {
    const id = await begin();
    const mtimeMs = 1_700_000_000_000;
    assert.deepEqual(await send(id, "trip/day 1/ä.jpg", undefined, { length: 10, mtimeMs }), { size: 10 });
    await send(id, "trip/notes.txt", chunks());
    await send(id, "top.txt");
    const file = tree(id, "trip", "day 1", "ä.jpg");
    assert.equal(await readFile(file, "utf8"), "some bytes");
    assert.equal((await stat(file)).mtimeMs, mtimeMs);
    assert.equal((await stat(file)).mode & 0o077, 0);
    assert.equal((await stat(path.join(root, "uploads", id))).mode & 0o777, 0o700);
    await uploads.handlers.shareUpload({ id, name: "Trip", profile: "strong", accept: [] }, callContext());
    assert.deepEqual(shared, [
      { name: "Trip", profile: "strong", accept: [], paths: [tree(id, "top.txt"), tree(id, "trip")] },
    ]);
  });

  test("keeps its files until they are sealed, and not longer", async () => {
    const id = await begin();
    await send(id, "a");
    const transfer = await share(id);
    clock.advance(LIMITS.uploadIdleMs * 2);
    await uploads.sweep();
    assert.deepEqual(await folders(), [id]);
    const record = catalogue.get(transfer.id);
    assert.ok(record);
    const sealed = { ...record, root: "ab".repeat(32), packLength: 9 };
    catalogue.put(sealed);
    await uploads.sweep();
    assert.deepEqual(
      await folders(),
      [id],
      "a kill may leave its pack without its place: it is sealed again",
    );
    await uploads.close();
    uploads = await start();
    assert.deepEqual(await folders(), [id]);
    catalogue.put({ ...sealed, state: "active", link: "backroom:x" });
    await uploads.sweep();
    assert.deepEqual(await folders(), []);
  });

  test("keeps them over a restart of the daemon in the middle of sealing; what nobody seals goes", async () => {
    const id = await begin();
    await send(id, "a");
    await share(id);
    await send(await begin(), "b");
    await mkdir(path.join(root, "uploads", "stray"));
    await uploads.close();
    uploads = await start();
    assert.deepEqual(await folders(), [id]);
    assert.equal(await readFile(tree(id, "a"), "utf8"), "some bytes");
    await assert.rejects(send(id, "more"), { code: "E_NO_UPLOAD" });
    catalogue.remove(transferOf(1).id);
    await uploads.sweep();
    assert.deepEqual(await folders(), []);
  });

  test("is shared once, however often that is asked for, and with all that was being sent", async () => {
    const id = await begin();
    await send(id, "a");
    const outcomes = await Promise.allSettled([share(id), share(id)]);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    assert.equal(shared.length, 1);
    const other = await begin();
    await send(other, "a");
    const sending = send(other, "b");
    await assert.rejects(share(other), { code: "E_REQUEST" });
    await sending;
    await share(other);
    assert.deepEqual(shared[1]?.paths, [tree(other, "a"), tree(other, "b")]);
  });

  test("can be dropped, and is given up when nothing happens to it", async () => {
    const dropped = await begin();
    await send(dropped, "a");
    await uploads.handlers.dropUpload({ id: dropped }, callContext());
    assert.deepEqual(await folders(), []);
    await assert.rejects(send(dropped, "b"), { code: "E_NO_UPLOAD" });
    const idle = await begin();
    clock.advance(LIMITS.uploadIdleMs - 1);
    await uploads.sweep();
    assert.deepEqual(await folders(), [idle]);
    clock.advance(1);
    await uploads.sweep();
    assert.deepEqual(await folders(), []);
  });

  test("of nothing is no share; one that fails to be shared can be shared again", async () => {
    const id = await begin();
    await assert.rejects(share(id), { code: "E_REQUEST" });
    await send(id, "a");
    const works = addShare;
    addShare = () => Promise.reject(new BackroomError("E_WEAK_PASSWORD", "weak"));
    await assert.rejects(share(id), { code: "E_WEAK_PASSWORD" });
    addShare = works;
    await share(id);
    await assert.rejects(share(id), { code: "E_NO_UPLOAD" });
    await assert.rejects(uploads.handlers.dropUpload({ id }, callContext()), { code: "E_NO_UPLOAD" });
  });
});

describe("names from a page that was made to send anything", () => {
  test("never lead out of the folder, and are none that hurt elsewhere", async () => {
    const id = await begin();
    for (const name of [
      "../../evil",
      "..",
      ".",
      "/etc/passwd",
      "a/../../evil",
      "a/./b",
      "a//b",
      "a/",
      "",
      "C:\\evil",
      "a\\..\\..\\evil",
      "a:stream",
      "nul",
      "com1.txt",
      "a\u0000b",
      "a\nb",
      "invoice\u202egpj.exe",
      "\u200b",
      "ends in a dot.",
      "x".repeat(256),
      `${"d/".repeat(600)}x`,
      "\ud800",
    ]) {
      await assert.rejects(send(id, name), { code: "E_UNSAFE_PATH" }, JSON.stringify(name));
    }
    assert.deepEqual(await readdir(tree(id)), []);
    assert.deepEqual(await readdir(root), ["uploads"]);
  });

  test("are no two that are one file somewhere", async () => {
    const id = await begin();
    await send(id, "Folder/É.txt");
    for (const name of [
      "Folder/é.TXT",
      "folder/x",
      "Folder/E\u0301.txt",
      "FOLDER",
      "Folder",
      "Folder/É.txt/x",
    ]) {
      await assert.rejects(send(id, name), { code: "E_UNSAFE_PATH" }, name);
    }
    await send(id, "Folder/other");
    assert.deepEqual(await send(id, "Folder/É.txt", chunks("again")), { size: 5 });
    assert.equal(await readFile(tree(id, "Folder", "É.txt"), "utf8"), "again");
  });

  test("are only so many", async () => {
    const id = await begin();
    const deep = 5;
    let made = 0;
    const name = (): string => Array.from({ length: deep }, () => `n${made++}`).join("/");
    // A full disk, so that nothing is put there: names count all the same.
    freeBytes = 0;
    while (made + deep <= LIMITS.uploadFiles) await assert.rejects(send(id, name()), { code: "E_DISK_FULL" });
    await assert.rejects(send(id, "one/more"), { code: "E_TOO_LARGE" });
  });

  test("are of files that are sent one at a time", async () => {
    const id = await begin();
    let go = (): void => {};
    const first = send(
      id,
      "a",
      (async function* () {
        await new Promise<void>((resolve) => (go = resolve));
        yield Buffer.from("first");
      })(),
    );
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(send(id, "a"), { code: "E_REQUEST" });
    await assert.rejects(share(id), { code: "E_REQUEST" });
    clock.advance(LIMITS.uploadIdleMs);
    await uploads.sweep();
    await until(() => go.name !== "go");
    go();
    assert.deepEqual(await first, { size: 5 });
  });
});

describe("bytes", () => {
  test("that end early, or are more than was said, leave nothing behind", async () => {
    const id = await begin();
    const broken = (async function* () {
      yield Buffer.from("half");
      throw new BackroomError("E_REQUEST", "the body was cut off");
    })();
    await assert.rejects(send(id, "a", broken), { code: "E_REQUEST" });
    await assert.rejects(send(id, "a", chunks("half"), { length: 5 }), { code: "E_REQUEST" });
    await assert.rejects(send(id, "a", chunks("more"), { length: 3 }), { code: "E_REQUEST" });
    assert.deepEqual(await readdir(path.join(root, "uploads", id)), ["tree"]);
    assert.deepEqual(await readdir(tree(id)), []);
    assert.deepEqual(await send(id, "a"), { size: 10 });
  });

  test("that stop coming are not waited for", async () => {
    const id = await begin();
    const stalled = (async function* () {
      yield Buffer.from("half");
      await new Promise(() => {});
    })();
    const before = clock.timerCount;
    const sent = send(id, "a", stalled);
    sent.catch(() => {});
    await until(() => clock.timerCount > before);
    // The first chunk may still be on its way to the disk: then the timer is its own.
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      clock.advance(n === 4 ? LIMITS.uploadStallMs : 0);
    }
    await assert.rejects(sent, { code: "E_REQUEST" });
    assert.deepEqual(await readdir(tree(id)), []);
  });

  test("leave room on the disk: known before they are sent, or while they come", async () => {
    const id = await begin();
    freeBytes = LIMITS.uploadFreeBytes + 100;
    await assert.rejects(send(id, "a", chunks("x"), { length: 101 }), { code: "E_DISK_FULL" });
    await assert.rejects(send(id, "a", chunks("x")), { code: "E_DISK_FULL" });
    assert.deepEqual(await readdir(tree(id)), []);
    freeBytes = Infinity;
    await assert.rejects(send(id, "a", chunks("x"), { length: LIMITS.uploadBytes + 1 }), {
      code: "E_TOO_LARGE",
    });
  });

  test("of a client that is gone are given up", async () => {
    const id = await begin();
    const abort = new AbortController();
    const stream = (async function* () {
      yield Buffer.from("half");
      abort.abort();
      yield Buffer.from("half");
    })();
    const context = callContext({ stream, signal: abort.signal });
    await assert.rejects(uploads.handlers.uploadFile({ id, path: "a" }, context), { code: "E_INTERRUPTED" });
  });
});

test("only so many uploads are open at once, sealed ones aside", async () => {
  const ids: string[] = [];
  for (let n = 0; n < LIMITS.uploads; n++) ids.push(await begin());
  await assert.rejects(begin(), { code: "E_BUSY" });
  await send(ids[0] ?? "", "a");
  await share(ids[0] ?? "");
  await begin();
  await assert.rejects(begin(), { code: "E_BUSY" });
});

test("a stray file beside the uploads is no obstacle", async () => {
  await writeFile(path.join(root, "uploads", "stray"), "x");
  await uploads.close();
  uploads = await start();
  assert.deepEqual(await folders(), []);
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
