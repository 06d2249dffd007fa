import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { CommandProcess } from "../../src/demo/children.ts";
import { TestNetwork } from "../support/network.ts";
import {
  assertArrived,
  completed,
  downloaded,
  makeFile,
  MIB,
  outFolder,
  share,
  startGet,
} from "../support/transfer.ts";

const FILE_BYTES = 24 * MIB;
const MOST_RELAY_MIB = 300;
const NAMES = Array.from({ length: 10 }, (_, index) => `downloader ${index + 1}`);

/** The most memory that a process ever had, in MiB (proc(5)). */
function peakMemory(one: CommandProcess): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${one.pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

/**
 * Would catch: a gate or relay that holds what a stalled reader does not take, a seeder whose other downloads wait for one that does not read,
 * downloaders that wait for pieces of a peer that sleeps.
 */
test(
  "nine downloads end while a tenth is stopped, and it goes on when it wakes",
  { timeout: 400_000 },
  async (t) => {
    if (process.platform !== "linux") return t.skip("reads /proc");
    const network = await TestNetwork.start(8);
    try {
      const source = network.path("film.mp4");
      await makeFile(source, FILE_BYTES);
      const { link, packLength } = await share(network, "sharer", source);
      const startedMs = performance.now();
      const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(1);
      const [sleeper, ...others] = await Promise.all(NAMES.map((name) => startGet(network, name, link)));
      assert.ok(sleeper !== undefined);
      await downloaded(sleeper, packLength * 0.3);
      sleeper.kill("SIGSTOP");
      t.diagnostic(`one was stopped after ${seconds()} s`);
      await Promise.all(others.map(completed));
      t.diagnostic(`the nine others ended after ${seconds()} s`);
      for (const { name } of others) await assertArrived(source, outFolder(network, name));

      const relays = network.processes().filter(({ name }) => name.startsWith("relay"));
      assert.equal(relays.length, 8, "a relay ended");
      const peaks = relays.map(peakMemory);
      t.diagnostic(`most memory of a relay: ${Math.max(...peaks).toFixed(0)} MiB`);
      assert.ok(Math.max(...peaks) < MOST_RELAY_MIB, `relays grew to ${peaks.join(", ")} MiB`);

      assert.ok(
        sleeper.running && sleeper.latest("result") === undefined,
        "it was not stopped in the middle",
      );
      sleeper.kill("SIGCONT");
      await completed(sleeper);
      t.diagnostic(`the one that was stopped ended after ${seconds()} s`);
      await assertArrived(source, outFolder(network, sleeper.name));
    } finally {
      await network.close();
    }
  },
);
