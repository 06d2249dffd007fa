import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { isBackroomError, type ErrorCode } from "../../src/base/errors.ts";
import { systemRandom } from "../../src/base/random.ts";
import { fileError } from "../../src/pack/file-error.ts";
import { Staging } from "../../src/pack/staging.ts";

const root = Buffer.alloc(32, 0xab);
const refuses = (code: ErrorCode) => (error: unknown) => isBackroomError(error, code);

async function place(t: TestContext): Promise<{ parent: string; target: string; staging: Staging }> {
  const parent = await mkdtemp(path.join(tmpdir(), "backroom-staging-"));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const target = path.join(parent, "result");
  const staging = await Staging.open({ target, root }, systemRandom);
  t.after(() => staging.discard());
  return { parent, target, staging };
}

async function put(staging: Staging, entry: string, text: string, executable = false): Promise<void> {
  const file = await staging.tree.createFile(entry, executable);
  await file.write(Buffer.from(text), 0);
  await file.close(1_000_000_000);
}

const modeOf = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);

test("a tree appears whole at the target, with modes and times, and nothing beside it", async (t) => {
  const { parent, target, staging } = await place(t);
  staging.tree.createFolder("empty/");
  await put(staging, "a/b/tool", "run", true);
  staging.tree.writeSmall("a/text", false, Buffer.from("words"), 1_000_000_000);
  staging.tree.writeSmall("a/b/small tool", true, Buffer.from("run"));
  staging.tree.setFolderTime("a/", 1_100_000_000);
  assert.deepEqual((await readdir(parent)).length, 1, "the target shows before it is whole");
  await staging.commit();
  assert.deepEqual(await readdir(parent), ["result"]);
  assert.deepEqual((await readdir(target, { recursive: true })).toSorted(), [
    "a",
    "a/b",
    "a/b/small tool",
    "a/b/tool",
    "a/text",
    "empty",
  ]);
  assert.equal(await readFile(path.join(target, "a/text"), "utf8"), "words");
  const open = 0o777 & ~process.umask();
  assert.equal(await modeOf(path.join(target, "a/b/tool")), (0o755 & open).toString(8));
  assert.equal(await modeOf(path.join(target, "a/b/small tool")), (0o755 & open).toString(8));
  assert.equal(await modeOf(path.join(target, "a/text")), (0o644 & open).toString(8));
  assert.equal(await modeOf(target), (0o755 & open).toString(8));
  assert.equal((await stat(path.join(target, "a/text"))).mtimeMs, 1_000_000_000_000);
  assert.equal((await stat(path.join(target, "a"))).mtimeMs, 1_100_000_000_000);
});

test("one entry alone can become the target, a file or a folder", async (t) => {
  const { parent, target, staging } = await place(t);
  await put(staging, "film.mkv", "frames");
  await staging.commit("film.mkv");
  assert.equal(await readFile(target, "utf8"), "frames");
  const second = await Staging.open({ target: path.join(parent, "two"), root }, systemRandom);
  await put(second, "album/song", "la");
  await second.commit("album/");
  assert.deepEqual((await readdir(parent, { recursive: true })).toSorted(), ["result", "two", "two/song"]);
});

test("bytes can be written in any order", async (t) => {
  const { target, staging } = await place(t);
  const file = await staging.tree.createFile("a", false);
  await file.write(Buffer.from("world"), 6);
  await file.write(Buffer.from("hello "), 0);
  await file.close();
  await staging.commit("a");
  assert.equal(await readFile(target, "utf8"), "hello world");
});

test("the folder is private while it fills, so nobody can swap a link into a path", async (t) => {
  const { parent, staging } = await place(t);
  await put(staging, "a", "x");
  const [name] = await readdir(parent);
  assert.match(String(name), /^\.backroom-abababababababab-\d+-[0-9a-f]{8}$/);
  assert.equal(await modeOf(path.join(parent, String(name))), "700");
});

test("a link in a file's place is refused, not followed", async (t) => {
  const { parent, staging } = await place(t);
  const [name] = await readdir(parent);
  const victim = path.join(parent, "victim");
  await symlink(victim, path.join(parent, String(name), "tree", "a"));
  await assert.rejects(staging.tree.createFile("a", false), refuses("E_UNSAFE_PATH"));
  assert.throws(() => staging.tree.writeSmall("a", false, Buffer.from("x")), refuses("E_UNSAFE_PATH"));
  await assert.rejects(stat(victim), "the link was followed");
});

test("a name twice, or a file where a folder has to be, is refused", async (t) => {
  const { staging } = await place(t);
  await put(staging, "a", "x");
  await assert.rejects(staging.tree.createFile("a", false), refuses("E_UNSAFE_PATH"));
  await assert.rejects(staging.tree.createFile("a/b", false), refuses("E_UNSAFE_PATH"));
  await assert.rejects(staging.tree.createFile("../b", false), refuses("E_UNSAFE_PATH"));
  const small = (entry: string) => () => staging.tree.writeSmall(entry, false, Buffer.from("y"));
  for (const entry of ["a", "a/b", "../b", "/b"])
    assert.throws(small(entry), refuses("E_UNSAFE_PATH"), entry);
  for (const entry of ["a", "a/", "a/b/", "../b/"]) {
    assert.throws(() => staging.tree.createFolder(entry), refuses("E_UNSAFE_PATH"), entry);
  }
});

test("nothing that exists is replaced: file, folder, empty folder, or a link to nowhere", async (t) => {
  const { parent, target } = await place(t);
  const makers = [
    () => writeFile(target, "mine"),
    () => mkdir(target),
    () => symlink(path.join(parent, "nowhere"), target),
  ];
  for (const make of makers) {
    const early = await Staging.open({ target, root }, systemRandom);
    await put(early, "a", "x");
    await make();
    await assert.rejects(early.commit(), refuses("E_TARGET_EXISTS"), "at the end");
    await assert.rejects(
      Staging.open({ target, root }, systemRandom),
      refuses("E_TARGET_EXISTS"),
      "at the start",
    );
    await rm(target, { recursive: true });
  }
});

test("a failed run leaves nothing, also when it is discarded twice", async (t) => {
  const { parent, staging } = await place(t);
  await put(staging, "a/b", "x");
  await staging.discard();
  await staging.discard();
  assert.deepEqual(await readdir(parent), []);
});

test("a run that was killed is cleaned up by the next for the same pack; runs that go on, and other packs, are not", async (t) => {
  const { parent } = await place(t);
  const script = `
    import { Staging } from ${JSON.stringify(path.join(import.meta.dirname, "../../src/pack/staging.ts"))};
    import { systemRandom } from ${JSON.stringify(path.join(import.meta.dirname, "../../src/base/random.ts"))};
    const staging = await Staging.open({ target: process.argv[1] + "/child", root: Buffer.alloc(32, 0xab) }, systemRandom);
    await staging.tree.createFile("half", false);
    process.stdout.write("ready");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, parent], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const foreign = path.join(parent, ".backroom-cdcdcdcdcdcdcdcd-1-00000000");
  await mkdir(foreign);
  const folders = async (): Promise<string[]> =>
    (await readdir(parent)).filter((name) => name.includes(`-${child.pid}-`));

  const during = await Staging.open({ target: path.join(parent, "one"), root }, systemRandom);
  assert.equal((await folders()).length, 1, "a running one was removed");
  child.kill("SIGKILL");
  await once(child, "exit");
  const after = await Staging.open({ target: path.join(parent, "two"), root }, systemRandom);
  assert.equal((await folders()).length, 0, "the leftover is still there");
  assert.ok((await stat(foreign)).isDirectory());
  await put(during, "a", "still here");
  await during.commit();
  await after.discard();
  assert.equal(await readFile(path.join(parent, "one/a"), "utf8"), "still here");
});

test("a leftover of an earlier run with our own process id is removed, as every run in a container has the same", async (t) => {
  const { parent } = await place(t);
  const leftover = path.join(parent, `.backroom-abababababababab-${process.pid}-00000000`);
  await mkdir(path.join(leftover, "tree"), { recursive: true });
  const next = await Staging.open({ target: path.join(parent, "two"), root }, systemRandom);
  await assert.rejects(stat(leftover));
  await next.discard();
});

test("a link that looks like a leftover is left alone, and what it points to too", async (t) => {
  const { parent } = await place(t);
  const precious = path.join(parent, "precious");
  await mkdir(precious);
  await writeFile(path.join(precious, "a"), "x");
  await symlink(precious, path.join(parent, ".backroom-abababababababab-999999999-00000000"));
  await (await Staging.open({ target: path.join(parent, "two"), root }, systemRandom)).discard();
  assert.deepEqual(await readdir(precious), ["a"]);
});

test("a target without a folder to be in is a clear error", async () => {
  const target = path.join(tmpdir(), "backroom-no-such-folder", "x");
  await assert.rejects(Staging.open({ target, root }, systemRandom), refuses("E_FILE"));
});

test("a full disk is called that", async (t) => {
  const full = await import("node:fs/promises").then(({ open }) =>
    open("/dev/full", "w").catch(() => undefined),
  );
  if (full === undefined) return t.skip("this system has no /dev/full");
  const { StagedFile } = await import("../../src/pack/staged-file.ts");
  const file = new StagedFile(full);
  await assert.rejects(file.write(Buffer.from("x"), 0), refuses("E_DISK_FULL"));
  await file.close();
});

test("the system's errors become ours, and no message of ours names a path", () => {
  const system = (code: string): Error => Object.assign(new Error(`${code}: /home/someone/secret`), { code });
  const codes = ["ENOSPC", "EDQUOT", "ENAMETOOLONG", "EACCES", "EFBIG", "EIO"].map((code) => {
    const error = fileError(system(code), "it failed");
    assert.ok(![error.message, error.why, error.fix].join().includes("secret"));
    return error.code;
  });
  assert.deepEqual(codes, ["E_DISK_FULL", "E_DISK_FULL", "E_UNSAFE_PATH", "E_FILE", "E_FILE", "E_FILE"]);
  const ours = fileError(system("EIO"), "first");
  assert.equal(fileError(ours, "second"), ours);
});
