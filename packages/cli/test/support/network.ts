import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { formatInvite, parseInvite } from "@backroom/core/link/invite.ts";
import { createNetwork, joinNetwork } from "@backroom/core/node/networks.ts";
import { CommandProcess } from "../../src/demo/children.ts";

const MAIN = path.join(import.meta.dirname, "../../src/main.js");

/** The program as tests run it: from source, by the Node that runs the tests, with the options that its first line names. */
export const BACKROOM = [process.execPath, ...optionsOf(readFileSync(MAIN, "utf8")), MAIN];

function optionsOf(text: string): string[] {
  return (text.split("\n")[0] ?? "").split(" ").filter((word) => word.startsWith("--"));
}

/** Where a member of a test network runs; by default on this computer, all on loopback. */
export interface Placement {
  /** What to put in front of a command to run it there, such as `ip netns exec`. */
  prefix(name: string): readonly string[];
  address(name: string): string;
  /** The addresses that a relay goes by; just `address` by default. */
  hosts?(name: string): readonly string[];
  /** Options of the program for that member, in front of its command. */
  options?(name: string): readonly string[];
}

/** Relays that an invite leads to: one of them may be stopped by a test, or busy with its return, and others can join all the same. */
const INVITING = 3;

const LOOPBACK: Placement = { prefix: () => [], address: () => "127.0.0.1" };

/** All on loopback, with a module loaded into each relay, which finds its settings in the environment. */
export function relaysLoading(module: string, env: Readonly<Record<string, string>>): Placement {
  return loadedInto((name) => name.startsWith("relay"), module, env);
}

/** The same for whoever is chosen. */
export function loadedInto(
  isChosen: (name: string) => boolean,
  module: string,
  env: Readonly<Record<string, string>>,
): Placement {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const prefix = ["env", `NODE_OPTIONS=--import ${module}`, ...settings];
  return { ...LOOPBACK, prefix: (name) => (isChosen(name) ? prefix : []) };
}

/** Relays in processes of their own, and members that know them. Everything is stopped and removed by `close`. */
export class TestNetwork {
  readonly folder: string;
  readonly #placement: Placement;
  readonly #processes = new Set<CommandProcess>();
  #invite = "";

  private constructor(folder: string, placement: Placement) {
    this.folder = folder;
    this.#placement = placement;
  }

  /** Starts relays `relay 1` … and waits until they know each other. */
  static async start(relayCount: number, placement: Placement = LOOPBACK): Promise<TestNetwork> {
    const network = new TestNetwork(await mkdtemp(path.join(tmpdir(), "backroom-test-")), placement);
    try {
      await createNetwork({ dataFolder: network.dataFolder("relay 1"), name: "test" });
      const first = network.#startRelay("relay 1");
      network.#invite = await inviteOf(first);
      const names = Array.from({ length: relayCount - 1 }, (_, index) => `relay ${index + 2}`);
      for (const name of names) await network.join(name);
      const relays = [first, ...names.map((name) => network.#startRelay(name))];
      network.#invite = together(await Promise.all(relays.slice(0, INVITING).map(inviteOf)));
      // All at once: where one fails the others wait for it in vain.
      await Promise.all(
        relays.map((relay) =>
          relay.line((line) => line.event === "relays" && Number(line["known"]) >= relayCount),
        ),
      );
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  get invite(): string {
    return this.#invite;
  }

  dataFolder(name: string): string {
    return path.join(this.folder, name.replaceAll(" ", "-"));
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  async join(name: string): Promise<void> {
    await joinNetwork({ dataFolder: this.dataFolder(name), invite: this.#invite });
  }

  /** Starts a command as that member, which joins first if it is new. `program` may be another one than Backroom. */
  async run(name: string, args: readonly string[], program = BACKROOM): Promise<CommandProcess> {
    await this.join(name);
    return this.#start(name, args, program);
  }

  /** Lets a member know that the network exists, and nobody in it. */
  async nameTo(name: string): Promise<void> {
    const [from, to] = ["relay 1", name].map((one) => path.join(this.dataFolder(one), "networks")) as [
      string,
      string,
    ];
    await mkdir(to, { recursive: true });
    const files = (await readdir(from)).filter((file) => file === "current" || file.endsWith(".json"));
    for (const file of files) await copyFile(path.join(from, file), path.join(to, file));
  }

  /** Starts a command without joining first. */
  runStranger(name: string, args: readonly string[]): CommandProcess {
    return this.#start(name, args, BACKROOM);
  }

  /** Starts a relay of this network again that has ended: the same one, at its last port. */
  async restartRelay(name: string): Promise<CommandProcess> {
    const relay = this.#startRelay(name);
    await relay.line((line) => line.event === "ready");
    return relay;
  }

  /** All that were ever started, those that ended included. */
  started(): CommandProcess[] {
    return [...this.#processes];
  }

  processes(): CommandProcess[] {
    return [...this.#processes].filter((one) => one.running);
  }

  async close(): Promise<void> {
    for (const one of this.#processes) one.kill("SIGKILL");
    await Promise.all([...this.#processes].map((one) => one.ended()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #startRelay(name: string): CommandProcess {
    const hosts = this.#placement.hosts?.(name) ?? [this.#placement.address(name)];
    return this.#start(name, ["relay", "--gate", "--host", ...hosts]);
  }

  #start(name: string, args: readonly string[], program = BACKROOM): CommandProcess {
    const options = program === BACKROOM ? (this.#placement.options?.(name) ?? []) : [];
    const command = [...this.#placement.prefix(name), ...program, ...options];
    const started = new CommandProcess(name, command, args, this.dataFolder(name));
    this.#processes.add(started);
    return started;
  }
}

async function inviteOf(relay: CommandProcess): Promise<string> {
  return String((await relay.line((line) => line.event === "ready"))["invite"]);
}

/** One invite that names the relays of all; each of them may name the same ones. */
function together(invites: readonly string[]): string {
  const [first, ...others] = invites.map((invite) => parseInvite(invite));
  assert.ok(first !== undefined);
  const relays = [first, ...others].flatMap((invite) => invite.relays);
  const named = new Map(relays.map((relay) => [relay.nodeKey.toString("hex"), relay]));
  return formatInvite({ ...first, relays: [...named.values()].slice(0, INVITING) });
}
