import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { backroom, listing, runProgram, TestFolder, type Run } from "../support/program.ts";

const PASSWORD = "correct horse battery staple";

let folder: TestFolder;
before(async () => {
  folder = await TestFolder.make();
  await mkdir(folder.join("Holiday", "day one"), { recursive: true });
  await writeFile(folder.join("Holiday", "day one", "beach.txt"), "sand ".repeat(50_000));
  await writeFile(folder.join("Holiday", "été.md"), "");
  await writeFile(folder.join("password"), `${PASSWORD}\nnot this line\n`);
});
after(() => folder.remove());

/** Runs in the test's folder and expects that code (undefined: none) and that nothing came, went or changed there when it fails. */
async function run(code: string | undefined, ...args: string[]): Promise<Run> {
  const before = await listing(folder.path);
  const ended = await backroom(args, { cwd: folder.path });
  assert.equal(ended.code, code, `${args.join(" ")}\n${ended.stderr}`);
  if (code !== undefined) {
    assert.deepEqual(await listing(folder.path), before, `${args.join(" ")} left something behind`);
    assert.equal(ended.stdout, "");
  }
  return ended;
}

async function sameAsHoliday(...parts: string[]): Promise<void> {
  assert.deepEqual(await listing(folder.join(...parts)), await listing(folder.join("Holiday")));
}

test("sealing prints the link alone, and it opens the pack into a folder that is made for it", async () => {
  const { stdout, stderr } = await run(undefined, "seal", "Holiday", "-o", "plain.pack");
  assert.match(stdout, /^backroom:[a-z2-7]+\n$/);
  assert.match(stderr, /2 files, 244 KiB, sealed into/);
  const opened = await run(undefined, "open", "plain.pack", stdout.trim(), "-o", "new/folder");
  assert.equal(opened.stdout, `${folder.join("new/folder/Holiday")}\n`);
  await sameAsHoliday("new/folder/Holiday");

  await writeFile(folder.join("link"), stdout);
  await run("E_TARGET_EXISTS", "open", "plain.pack", "@link", "-o", "new/folder");
  await run("E_TARGET_EXISTS", "seal", "Holiday", "-o", "plain.pack");
  await run("E_FILE", "open", "plain.pack", "@no-such-file");
  await run("E_FILE", "open", "no-such-pack", "@link");
  await run("E_INPUT", "seal", "no-such-folder", "-o", "x");
  await run("E_STORE", "seal", "Holiday", "-o", "no/such/folder/x");
  const other = await run(undefined, "seal", "Holiday/day one", "-o", "other.pack");
  await run("E_OTHER_PACK", "open", "plain.pack", other.stdout.trim(), "-o", "x");
  // Of the same length, so that only the key tells them apart.
  const twin = await run(undefined, "seal", "Holiday", "-o", "twin.pack");
  await run("E_NO_KEY", "open", "plain.pack", twin.stdout.trim(), "-o", "x");
});

test("quiet says nothing but the result; results of share and open can be piped on", async () => {
  const sealed = await run(undefined, "--quiet", "seal", "Holiday", "-o", "quiet.pack");
  assert.equal(sealed.stderr, "");
  const opened = await backroom(["-q", "open", folder.join("quiet.pack"), "-", "-o", folder.join("quiet")], {
    input: `  ${sealed.stdout}\n\n`,
  });
  assert.deepEqual([opened.stdout, opened.stderr], [`${folder.join("quiet/Holiday")}\n`, ""]);
});

test("a password out of a file seals and opens; a wrong, weak or missing one is told apart", async () => {
  await writeFile(folder.join("wrong"), "some other words entirely\n");
  await writeFile(folder.join("weak"), "password1\n");
  const seal = ["seal", "Holiday", "-o", "locked.pack"];
  const { stdout } = await run(undefined, ...seal, "--password-file", "password");
  await run(undefined, "open", "locked.pack", "-o", "by-password", "--password-file", "password");
  await sameAsHoliday("by-password/Holiday");
  await run("E_NO_KEY", "open", "locked.pack", "-o", "x", "--password-file", "wrong");
  await run("E_NO_KEY", "open", "locked.pack", stdout.trim(), "-o", "x", "--password-file", "wrong");
  await run("E_WEAK_PASSWORD", "seal", "Holiday", "-o", "x", "--password-file", "weak");
  await run("E_FILE", "seal", "Holiday", "-o", "x", "--password-file", "missing");
  const asked = await run("E_USAGE", "open", "locked.pack", stdout.trim(), "-o", "x");
  assert.match(asked.stderr, /--password-file/);
});

test("age's own keys are sealed to and opened with, and age, zstd and tar open the pack without us", async (t) => {
  if (!havePartners(t, "age", "zstd", "tar")) return;
  execFileSync("age-keygen", ["-o", folder.join("key")], { stdio: "ignore" });
  execFileSync("age-keygen", ["-o", folder.join("stranger")], { stdio: "ignore" });
  const recipient = /age1\w+/.exec(await readFile(folder.join("key"), "utf8"))?.[0] ?? "";
  const { stdout } = await run(undefined, "seal", "Holiday", "-o", "to.pack", "--to", recipient);
  await run(undefined, "open", "to.pack", stdout.trim(), "-i", "key", "-o", "by-key");
  await sameAsHoliday("by-key/Holiday");
  await run("E_NO_KEY", "open", "to.pack", "-i", "stranger", "-o", "x");
  await run("E_KEY_FILE", "open", "to.pack", "-i", "password", "-o", "x");
  await run("E_RECIPIENT", "seal", "Holiday", "-o", "x", "--to", recipient.slice(0, -1));

  // The key file that `seal --identity` writes is for age, too.
  await run(undefined, "seal", "Holiday", "-o", "own.pack", "--identity", "own-key");
  await run("E_TARGET_EXISTS", "seal", "Holiday", "-o", "x", "--identity", "own-key");
  for (const [pack, key] of [
    ["to.pack", "key"],
    ["own.pack", "own-key"],
  ]) {
    await mkdir(folder.join("stock"));
    const line = `age -d -i ${key} ${pack} | zstd -d | tar x -C stock`;
    const stock = await runProgram(["bash", "-o", "pipefail", "-c", line], { cwd: folder.path });
    assert.equal(stock.status, 0, stock.stderr);
    await sameAsHoliday("stock/Holiday");
    await rm(folder.join("stock"), { recursive: true });
  }
});

test("names that another computer could not hold are refused by name when sealing", async () => {
  await mkdir(folder.join("names"));
  for (const name of ["a:b", "nul.txt", "ends with dot.", "turned \u202egpj.exe"]) {
    await writeFile(folder.join("names", name), "");
    const { stderr, status } = await run("E_INPUT_NAMES", "seal", "names", "-o", "x");
    assert.equal(status, 3);
    assert.match(stderr, /names\//, "the path is named");
    assert.ok(!stderr.includes("\u202e"), "what turns the reading direction is not printed");
    await rm(folder.join("names", name));
  }
  await writeFile(folder.join("names", "a"), "");
  const both = ["names/a", "Holiday/été.md"];
  for (const name of ["../evil", "a/b", "/etc", "CON"])
    await run("E_INPUT_NAMES", "seal", ...both, "-o", "x", "--name", name);
});

test("files that may not be read are an error, not left out in silence", async (t) => {
  if (!havePartners(t, "setpriv")) return;
  await mkdir(folder.join("secret"));
  await writeFile(folder.join("secret", "file"), "x", { mode: 0 });
  // Root without the right to pass over permissions.
  const drop = "-dac_override,-dac_read_search";
  const prefix = ["setpriv", `--bounding-set=${drop}`, `--inh-caps=${drop}`];
  const before = await listing(folder.join("Holiday"));
  for (const args of [
    ["seal", "secret", "-o", "unreadable.pack"],
    ["seal", "secret/file", "-o", "unreadable.pack"],
  ]) {
    const ended = await backroom(args, { cwd: folder.path, prefix });
    assert.equal(ended.code, "E_INPUT", ended.stderr);
    assert.match(ended.stderr, /file/);
  }
  assert.deepEqual(await listing(folder.join("Holiday")), before);
  await assert.rejects(readFile(folder.join("unreadable.pack")));
});
