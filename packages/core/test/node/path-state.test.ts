import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { Measurements } from "../../src/directory/measurements.ts";
import { openDataFolder } from "../../src/node/data-folder.ts";
import { joinRelayOf } from "../../src/directory/network.ts";
import {
  decodePathState,
  encodePathState,
  NO_PATH_STATE,
  type PathState,
} from "../../src/node/path-state.ts";
import { PathStore } from "../../src/node/path-store.ts";
import { NETWORK, plainInfos, seededRandom } from "../directory/fixtures.ts";
import { withFolder } from "../store/temporary.ts";
import { decoderSuite } from "../support/decoder-suite.ts";
import { ManualClock } from "../support/manual-clock.ts";

const clock = new ManualClock();
const infos = plainInfos(5);
const measurements = new Measurements(clock);
for (const [index, { key }] of infos.entries()) {
  measurements.noteRate(key, 1000 * (index + 1));
  measurements.noteJoin(key, 10 * (index + 1));
}
const untilMs = clock.nowMs() + 1_000_000;
const full: PathState = {
  guards: infos.slice(0, 2).map((info, index) => ({
    relay: joinRelayOf(info),
    untilMs,
    counts: { attempts: 20.25, built: 19, uses: 12.5, answered: 12 },
    replaced: index === 1,
  })),
  seconds: infos.slice(2).map((info) => ({ relay: joinRelayOf(info), untilMs })),
  measurements: measurements.entries(),
};

decoderSuite({
  name: "path state",
  decode: decodePathState,
  encode: encodePathState,
  samples: [encodePathState(full), encodePathState(NO_PATH_STATE)],
});

test("what a member keeps of its paths comes back", () => {
  const back = decodePathState(encodePathState(full));
  assert.deepEqual(back.guards, full.guards);
  assert.deepEqual(back.seconds, full.seconds);
  assert.deepEqual(
    back.measurements.map(([key]) => key),
    infos.map(({ key }) => key),
  );
});

/** Would catch: a state that is written in place, a temporary file or lock of a killed process in the way, guards that change with a crash. */
test("a member that is killed while it saves, again and again, finds the same guards each time", async (t) => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    const child = path.join(import.meta.dirname, "path-state-child.ts");
    let chosen: string[] | undefined;
    let saves = 0;
    for (let kill = 0; kill < 5; kill++) {
      const writer = spawn(process.execPath, [child, root], { stdio: ["ignore", "pipe", "inherit"] });
      const gone = once(writer, "close");
      writer.stdout.on("data", (bytes: Buffer) => (saves += bytes.length));
      await once(writer.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, kill * 7));
      writer.kill("SIGKILL");
      await gone;
      // Not through PathStore, which takes a damaged file for none.
      const state = decodePathState(await readFile(path.join(folder.networks, "00000007.paths")));
      const keys = state.guards.map(({ relay }) => relay.nodeKey.toString("hex"));
      assert.equal(keys.length, 3);
      chosen ??= keys;
      assert.deepEqual(keys, chosen, "a crash changed the guards");
    }
    t.diagnostic(`${saves} saves were done before the kills`);
    // The lock of the last one that was killed is taken over.
    const store = await PathStore.open(folder, NETWORK, {
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
    });
    await store.save();
    assert.deepEqual(
      store.guards.joinRelays().map(({ nodeKey }) => nodeKey.toString("hex")),
      chosen,
    );
  });
});

test("a file of paths that is larger than any is not read", async () => {
  await withFolder(async (root) => {
    const folder = await openDataFolder(root);
    await writeFile(path.join(folder.networks, "00000007.paths"), Buffer.alloc(LIMITS.pathStateBytes + 1));
    const opening = PathStore.open(folder, NETWORK, { clock, random: seededRandom(1), log: silentLog });
    await assert.rejects(opening, { code: "E_STORE" });
  });
});
