import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createSocket } from "node:dgram";
import { createServer, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { havePartners } from "../../../core/test/support/partners.ts";
import { TestNetwork } from "../support/network.ts";
import { backroom, TestFolder } from "../support/program.ts";

/**
 * A computer whose clock shows another time; timers run as they should. Not through the program `faketime`, which waits for what it starts:
 * killing it would leave that running.
 */
function shifted(by: string): string[] {
  const library = execFileSync("faketime", ["-f", "+0s", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
  return ["env", `LD_PRELOAD=${library.trim()}`, `FAKETIME=${by}`, "FAKETIME_DONT_FAKE_MONOTONIC=1"];
}

let network: TestNetwork;
let folder: TestFolder;
before(async () => {
  folder = await TestFolder.make();
  network = await TestNetwork.start(5, {
    prefix: (name) => (name === "late relay" ? shifted("-26h") : []),
    address: () => "127.0.0.1",
  });
  await writeFile(folder.join("film.mp4"), randomBytes(1_000_000));
});
after(async () => {
  await network.close();
  await folder.remove();
});

test("a clock that is a day off is said so, and how far and in which direction", async (t) => {
  if (!havePartners(t, "faketime")) return;
  for (const [by, words] of [
    ["+26h", /26 h ahead of/],
    ["-3d", /3 days behind/],
  ] as const) {
    const data = network.dataFolder(`clock ${by}`);
    await network.join(`clock ${by}`);
    const run = await backroom(["--data", data, "share", folder.join("film.mp4")], { prefix: shifted(by) });
    assert.deepEqual([run.code, run.status], ["E_CLOCK", 4], run.stderr);
    assert.match(run.stderr, words);
  }
});

test("a relay whose clock is wrong disturbs nobody: who joins through it and others shares and fetches", async (t) => {
  if (!havePartners(t, "faketime")) return;
  const late = await network.run("late relay", ["relay", "--host", "127.0.0.1"]);
  const { invite } = await late.line((line) => line.event === "ready");
  const sharer = await network.run("sharer", ["share", folder.join("film.mp4")]);
  const { link } = await sharer.line((line) => line.event === "result");
  const data = network.dataFolder("guest");
  // Names the late relay first, and those of the network that it has heard of.
  assert.equal((await backroom(["--data", data, "network", "join", String(invite)])).status, 0);
  assert.equal((await backroom(["--data", data, "network", "join", network.invite])).status, 0);
  const got = await backroom(["--data", data, "get", String(link), "-o", folder.join("out")]);
  assert.equal(got.code, undefined, got.stderr);
  assert.ok(late.running);
});

test("a port that is taken, for TCP or for UDP, is said so", async () => {
  const tcp = createServer();
  const udp = createSocket("udp4");
  await new Promise<void>((resolve) => tcp.listen(0, "0.0.0.0", resolve));
  await new Promise<void>((resolve) => udp.bind(0, "0.0.0.0", resolve));
  try {
    await network.join("second relay");
    for (const port of [(tcp.address() as AddressInfo).port, udp.address().port]) {
      const args = ["relay", "--host", "127.0.0.1", "--port", String(port)];
      const run = await backroom(["--data", network.dataFolder("second relay"), ...args]);
      assert.deepEqual([run.code, run.status, run.stdout], ["E_PORT_IN_USE", 4, ""], run.stderr);
    }
    const twice = await backroom(["--data", network.dataFolder("relay 1"), "relay", "--host", "127.0.0.1"]);
    assert.equal(twice.code, "E_LOCKED", twice.stderr);
  } finally {
    tcp.close();
    udp.close();
  }
});
