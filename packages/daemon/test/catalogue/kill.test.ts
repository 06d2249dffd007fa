import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { transferOf } from "../support/transfer-record.ts";
import { TestCatalogue } from "./temporary.ts";

const CHILD = fileURLToPath(new URL("kill-child.ts", import.meta.url));

test("whatever was told is done is there after kill -9 at any moment, whole, and the file is sound", async (t) => {
  const place = new TestCatalogue(t);
  const there = new Set<number>();
  let next = 1;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [CHILD, place.dataFolder, String(next)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = once(child, "close");
    let said = "";
    // Lines until the end differ from round to round, and the moment after the last one with the machine.
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      said += String(chunk);
      if (said.split("\n").length > round * 11) child.kill("SIGKILL");
    }
    await gone;
    for (const [, what, index] of said.matchAll(/(put|remove) (\d+)\n/g)) {
      if (what === "put") there.add(Number(index));
      else there.delete(Number(index));
      next = Number(index) + 1;
    }
    const { catalogue, recovery } = place.open();
    assert.equal(recovery, undefined);
    catalogue.check();
    const found = new Set(
      catalogue.list({ limit: 1000 }).transfers.map(({ createdMs }) => createdMs - transferOf(0).createdMs),
    );
    for (const index of there)
      assert.ok(found.has(index) || (index === next - 1 && index % 3 === 0), `${index} is lost`);
    const last = Number(catalogue.value("last"));
    // What was done and not yet said: at most one step, and never half of it.
    assert.ok(last === next - 1 || last === next, `${last} after ${next - 1}`);
    assert.ok(found.has(last) || last % 3 === 0);
    for (const index of found) assert.ok(there.has(index) || index === last, `${index} came back`);
    if (found.has(last)) there.add(last);
    else there.delete(last);
    next = last + 1;
    assert.deepEqual(
      place.names().filter((name) => name.endsWith(".tmp")),
      [],
    );
    place.close();
  }
  assert.ok(there.size > 20, `${there.size} are there`);
});
