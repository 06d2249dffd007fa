import assert from "node:assert/strict";
import { test } from "node:test";
import { Company } from "../../src/engine/company.ts";

const MINUTE = 60_000;

/** Would catch: a note for each peer that comes and goes, which pushes out everything else. */
test("that somebody is there is said once, and that nobody is any more after minutes alone", () => {
  const company = new Company();
  const said: string[] = [];
  const look = (peerCount: number, minute: number): void => {
    const word = company.look(peerCount > 0, minute * MINUTE);
    if (word !== undefined) said.push(`${minute} ${word}`);
  };
  for (let minute = 0; minute < 10; minute++) look(0, minute);
  for (let minute = 10; minute < 30; minute++) look(minute % 3, minute);
  for (let minute = 30; minute < 40; minute++) look(0, minute);
  look(1, 40);
  assert.deepEqual(said, ["10 found", "35 alone", "40 found"]);
});
