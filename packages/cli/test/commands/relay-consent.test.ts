import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { readRelaySetting, type RelayMode, type RelaySetting } from "@backroom/core/node/relay-setting.ts";
import { decideRelay } from "../../src/foreground/relay-consent.ts";
import type { Session } from "../../src/session.ts";
import { assertContract } from "../support/json-contract.ts";
import { backroom, TestFolder } from "../support/program.ts";

let folder: TestFolder;
before(async () => {
  folder = await TestFolder.make();
});
after(() => folder.remove());

/** Somebody at a terminal who gives these answers, one after the other; nobody where there are none. */
function person(name: string, answers?: boolean[]) {
  const asked: string[] = [];
  const explained: string[] = [];
  const terminal = { interactive: answers !== undefined, note: (text: string) => void explained.push(text) };
  const yesTo = (question: string): Promise<boolean> => {
    asked.push(question);
    const answer = answers?.shift();
    assert.ok(answer !== undefined, "asked too often");
    return Promise.resolve(answer);
  };
  const dataFolder = folder.join(name);
  const session = { terminal, dataFolder, signal: new AbortController().signal } as unknown as Session;
  return {
    asked,
    explained,
    dataFolder,
    decide: (said: RelaySetting = {}, implied?: RelayMode) => decideRelay(said, implied, session, yesTo),
  };
}

test("a person is asked once, of relaying and of being a gate apart, and told what both mean", async () => {
  const first = person("asked", [true, false]);
  assert.deepEqual(await first.decide(), { relay: "auto", gate: false });
  assert.deepEqual(first.asked, ["Relay for others?", "Be a gate too?"]);
  const text = first.explained.join(" ");
  for (const word of ["encrypted", "upload", "public", "address", "DHT"])
    assert.ok(text.includes(word), word);
  assert.deepEqual(await person("asked", []).decide(), { relay: "auto", gate: false });
});

test("who does not want to relay is not asked about gates, nor again", async () => {
  const unwilling = person("unwilling", [false]);
  assert.deepEqual(await unwilling.decide(), { relay: "off", gate: false });
  assert.deepEqual(unwilling.asked, ["Relay for others?"]);
  assert.equal((await person("unwilling", []).decide()).relay, "off");
  // Changed by a word, and then the other question has never been answered.
  const willing = person("unwilling", [true]);
  assert.deepEqual(await willing.decide({ relay: "on" }), { relay: "on", gate: true });
  assert.deepEqual(willing.asked, ["Be a gate too?"]);
});

test("where nobody is to be asked nothing is agreed to that was not said", async () => {
  await assert.rejects(person("nobody").decide(), { code: "E_USAGE" });
  assert.deepEqual(await person("nobody").decide({ relay: "auto" }), { relay: "auto", gate: false });
  assert.deepEqual(await readRelaySetting(person("nobody")), { relay: "auto" });
  assert.deepEqual(await person("nobody").decide({ gate: true }), { relay: "auto", gate: true });
  assert.deepEqual(await person("nobody").decide(), { relay: "auto", gate: true });
  // An address says "on" for this run and is not remembered.
  assert.deepEqual(await person("nobody").decide({}, "on"), { relay: "on", gate: true });
  assert.deepEqual(await person("nobody").decide({ relay: "off" }), { relay: "off", gate: true });
  assert.equal((await person("implied").decide({}, "on")).relay, "on");
  assert.deepEqual(await readRelaySetting(person("implied")), {});
});

test("a setting that is damaged is no consent, and is mended by saying all of it", async () => {
  const damaged = person("damaged");
  await damaged.decide({ relay: "on", gate: true });
  const file = folder.join("damaged", "relay", "setting");
  for (const text of ['{"relay":"yes"}', '{"gate":1}', '{"relay":"on","more":1}', "[]x", "null", "true"]) {
    await writeFile(file, text);
    await assert.rejects(damaged.decide(), { code: "E_STORE" }, text);
    await assert.rejects(damaged.decide({ relay: "on" }), { code: "E_STORE" }, text);
    assert.deepEqual(await damaged.decide({ relay: "off", gate: false }), { relay: "off", gate: false });
    assert.equal(await readFile(file, "utf8"), '{"relay":"off","gate":false}\n');
  }
});

test("the program says so: off is remembered, and without a word nothing starts", async () => {
  const data = folder.join("program");
  const run = (...args: string[]) => backroom(["--json", "--data", data, "relay", ...args]);
  assert.equal((await run()).code, "E_USAGE");
  assert.equal((await run("maybe")).code, "E_USAGE");
  for (const args of [["off"], []]) {
    const ended = await run(...args);
    assert.equal(ended.status, 0);
    assertContract(ended.lines(), "relay off");
    const [line] = ended.lines();
    assert.deepEqual([line?.["event"], line?.["mode"], line?.["state"]], ["result", "off", "off"]);
  }
});
