import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { readFile, writeFile } from "node:fs/promises";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { admitMachine } from "../../src/machine/admit.ts";
import type { Session } from "../../src/session.ts";
import { TestFolder } from "../support/program.ts";

const GiB = 1024 ** 3;

let folder: TestFolder;
let env: NodeJS.ProcessEnv;
let warnings: string[];

before(async () => (folder = await TestFolder.make()));
beforeEach(async () => {
  env = { BACKROOM_CONFIG: folder.join("config.toml") };
  warnings = [];
  await writeFile(folder.join("config.toml"), "");
});
after(() => folder.remove());

function session(totalBytes: number, acceptRisk = false): Session {
  const terminal = { interactive: false, warn: (text: string) => warnings.push(text) };
  const facts = { memory: () => ({ totalBytes, limitBytes: undefined }) };
  return { terminal, facts, env, acceptRisk, dataFolder: folder.join("data") } as unknown as Session;
}

const refused = (error: unknown): boolean => isBackroomError(error, "E_MACHINE") && error.exit === 7;

/** Would catch: a broken settings file, or a read-only home, that keeps people from every command on an ordinary computer. */
test("a computer with enough memory is not asked about anything, and nothing is read", async () => {
  await writeFile(folder.join("config.toml"), "no toml at all");
  await admitMachine(session(8 * GiB));
});

test("short memory is refused where nobody accepted it, and once it is accepted that is remembered", async () => {
  await assert.rejects(admitMachine(session(3 * GiB)), refused);
  await admitMachine(session(3 * GiB, true));
  assert.match(await readFile(folder.join("config.toml"), "utf8"), /\[risk\]\naccepted = true/);
  // What this process starts knows it, also where nothing can be written down.
  assert.equal(env["BACKROOM_RISK_ACCEPTED"], "true");
  delete env["BACKROOM_RISK_ACCEPTED"];
  await admitMachine(session(3 * GiB));
});

test("less than the minimum is refused whatever anybody accepts", async () => {
  await assert.rejects(admitMachine(session(1.5 * GiB, true)), refused);
  assert.equal(await readFile(folder.join("config.toml"), "utf8"), "");
});

test("a consent that cannot be written down holds for this run, and that is said", async () => {
  // Its temporary name is longer than a file system takes.
  env["BACKROOM_CONFIG"] = folder.join("x".repeat(253));
  await admitMachine(session(3 * GiB, true));
  assert.equal(env["BACKROOM_RISK_ACCEPTED"], "true");
  assert.match(warnings.join(), /cannot be remembered/);
});

test("settings that cannot be read are no consent", async () => {
  env["BACKROOM_CONFIG"] = folder.join("config.toml", "none.toml");
  await assert.rejects(admitMachine(session(3 * GiB, true)), (error) => isBackroomError(error, "E_STORE"));
});
