import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { TestNetwork } from "../support/network.ts";

let network: TestNetwork;
const content = randomBytes(3 * 1024 * 1024);

before(async () => {
  network = await TestNetwork.start(9);
  await writeFile(network.path("film.mp4"), content);
});
after(() => network.close());

async function fetched(name: string, args: readonly string[], start: "member" | "stranger"): Promise<Buffer> {
  const out = network.path(`out ${name}`);
  await mkdir(out);
  const command = ["get", "-o", out, ...args];
  const downloader =
    start === "member" ? await network.run(name, command) : network.runStranger(name, command);
  await downloader.line((line) => line.event === "result");
  assert.equal(await downloader.ended(), 0);
  return readFile(network.path(`out ${name}`, "film.mp4"));
}

// Would catch: layers, positions or payload room that only fit three hops, at either end or at the gate that joins two lengths.
test("strong paths carry a share, and a strong and a standard end understand each other", async () => {
  const sharer = await network.run("strong sharer", ["share", "--strong", network.path("film.mp4")]);
  const link = String((await sharer.line((line) => line.event === "result"))["link"]);
  assert.deepEqual(await fetched("strong", ["--strong", link], "member"), content);
  assert.deepEqual(await fetched("standard", [link], "member"), content);
  sharer.kill("SIGTERM");
  await sharer.ended();
});

// Would catch: a link whose relays are missing, unreachable or taken for another network's.
test("one link is enough for somebody who has joined nothing", async () => {
  const sharer = await network.run("sharer", ["share", network.path("film.mp4")]);
  const { link, lockedLink } = await sharer.line((line) => line.event === "result");
  assert.deepEqual(await fetched("stranger", ["--accept-link-relays", String(link)], "stranger"), content);
  // The locked link hosts the share, and a holder without the key serves whoever has it.
  const mirror = network.runStranger("mirror", [
    "get",
    "--mirror",
    "--accept-link-relays",
    String(lockedLink),
  ]);
  await mirror.line((line) => line.event === "result");
  sharer.kill("SIGKILL");
  await sharer.ended();
  assert.deepEqual(await fetched("late", [String(link)], "member"), content);
});
