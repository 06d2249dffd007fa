import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { CommandProcess } from "../../src/demo/children.ts";
import { BACKROOM } from "../support/network.ts";

/**
 * Two computers, no network yet, as the README has it. Would catch: a computer that made the network and cannot use it, since the file of that network
 * names no relay.
 */
test(
  "who made a network shares on the same computer, and who was invited fetches",
  { timeout: 180_000 },
  async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-first-"));
    const running: CommandProcess[] = [];
    t.after(async () => {
      for (const one of running) one.kill("SIGKILL");
      await Promise.all(running.map((one) => one.ended()));
      await rm(folder, { recursive: true });
    });
    const run = (name: string, args: readonly string[]): CommandProcess => {
      const process = new CommandProcess(name, BACKROOM, args, path.join(folder, name));
      running.push(process);
      return process;
    };
    const resultOf = (process: CommandProcess) => process.line(({ event }) => event === "result");

    const file = path.join(folder, "letter.txt");
    await writeFile(file, "to you alone");
    const network = run("first", ["net", "create", "--host", "127.0.0.1", "--port", "0"]);
    const { invite } = await resultOf(network);
    const { link } = await resultOf(run("first", ["share", file]));
    await run("second", ["net", "join", String(invite)]).ended();
    await resultOf(run("second", ["get", "-o", path.join(folder, "out"), String(link)]));
    assert.equal(await readFile(path.join(folder, "out", "letter.txt"), "utf8"), "to you alone");
  },
);
