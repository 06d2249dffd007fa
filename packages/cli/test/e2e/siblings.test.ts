import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TestNetwork } from "../support/network.ts";

let network: TestNetwork;
before(async () => {
  network = await TestNetwork.start(3);
});
after(() => network.close());

/** Processes whose command line names that folder. */
function processesOf(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });
}

/** Would catch: relays that share keys or a port, that ask again for consent, that stay behind when the first one is stopped or killed, or are others after a restart. */
test("one computer runs several relays, a process each, and they go together", async () => {
  const folder = network.dataFolder("big");
  const keys: unknown[] = [];
  for (let start = 0; start < 2; start++) {
    const first = await network.run("big", ["relay", "--host", "127.0.0.1", "--processes", "3"]);
    const ready = await first.line((line) => line.event === "ready");
    const others = await Promise.all(
      [2, 3].map((number) => first.line((line) => line.event === "sibling" && line["number"] === number)),
    );
    const all = [ready, ...others];
    assert.equal(new Set(all.map((line) => line["nodeKey"])).size, 3);
    assert.equal(new Set(all.map((line) => line["port"])).size, 3);
    keys.push(all.map((line) => line["nodeKey"]));
    await first.line((line) => line.event === "relays" && Number(line["known"]) >= 6);
    assert.ok(processesOf(folder).length >= 3);
    if (start === 0) {
      first.kill("SIGTERM");
      assert.equal(await first.ended(), 0);
    } else {
      first.kill("SIGKILL");
      await first.ended();
      // Nobody is left to wait for them.
      for (let turn = 0; turn < 200 && processesOf(folder).length > 0; turn++) await sleep(100);
    }
    assert.deepEqual(processesOf(folder), []);
  }
  assert.deepEqual(keys[0], keys[1]);
});
