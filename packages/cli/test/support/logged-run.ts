import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Line } from "../../src/demo/children.ts";
import { sendNonsense } from "./hostile-input.ts";
import { runLoggedDaemons, type DaemonLogs } from "./logged-daemons.ts";
import { TestNetwork } from "./network.ts";
import {
  addressSecret,
  linkSecrets,
  placeSecrets,
  portSecret,
  relaySecrets,
  textSecret,
  type Secret,
} from "./secrets.ts";
import { completed, copyPacks, outFolder, share, startGet, type Share } from "./transfer.ts";

const RELAYS = ["relay 1", "relay 2", "relay 3", "relay 4", "relay 5", "relay 6"];
const EVIL = [process.execPath, path.join(import.meta.dirname, "evil-seeder.ts")];
const TAMPERING = path.join(import.meta.dirname, "tampering-relay.ts");
/** Stands in all that strangers and mistaken people put in. */
const MARK = "xqzjvkwmark";
const PASSWORD = "orbit-velvet-hammer-lantern-9";
const [USER, SESAME] = ["annabel-lee", "opensesame77"];
/** Where nobody is. */
const NOWHERE = "203.0.113.77";
const LOOK_AT_PORTS_MS = 50;
const PATIENCE_MS = 60_000;

/** Code that is loaded into some members: one meets a fault whose message says too much, one says whom it connects to. */
const LOADED: Readonly<Record<string, string>> = {
  faulty: `setTimeout(() => { throw new Error("connect ECONNREFUSED ${NOWHERE}:44333 ${MARK}"); }, 1500);`,
  telltale: `import net from "node:net"; const { connect } = net.Socket.prototype;
    net.Socket.prototype.connect = function (...args) {
      process.stderr.write(JSON.stringify(args) + "\\n");
      return connect.apply(this, args);
    };`,
};

/** A network at level debug whose members' standard error goes to files, the things that are done to it, and what it had to hide. */
export class LoggedRun {
  readonly network: TestNetwork;
  readonly #folder: string;
  readonly #ports = new Set<number>();
  readonly #watch: NodeJS.Timeout;

  private constructor(network: TestNetwork, folder: string) {
    this.network = network;
    this.#folder = folder;
    this.#watch = setInterval(() => this.#lookAtPorts(), LOOK_AT_PORTS_MS);
  }

  static async start(): Promise<LoggedRun> {
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-logs-"));
    try {
      const network = await TestNetwork.start(RELAYS.length, {
        prefix: (name) => [
          "env",
          ...environment(name, folder),
          "sh",
          "-c",
          `exec "$@" 2>>'${fileOf(folder, name)}'`,
          "sh",
        ],
        address,
        // What the DHT says of a relay is from where its datagrams come.
        hosts: (name) => [...new Set([address(name), "127.0.0.1"])],
        options: () => ["--log-level", "debug"],
      });
      return new LoggedRun(network, folder);
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** What strangers can send. */
  async hostileInput(): Promise<void> {
    for (const name of RELAYS.slice(0, 2)) await sendNonsense(address(name), this.#portOf(name), MARK);
    const lines = [`backroom:${MARK}`, `backroom:${MARK.repeat(30)}`, MARK];
    await Promise.all(lines.map((link, at) => this.ends(`misled ${at}`, ["get", link])));
  }

  /** What daemons do and what is done to them, while everything else goes on. */
  daemons(input: string): Promise<DaemonLogs> {
    return runLoggedDaemons(this.network, { input, mark: MARK, host: address("daemon") });
  }

  /** What people do wrong, with a link that is right. */
  async mistakes(link: string): Promise<void> {
    const changed = link.slice(0, 30) + (link[30] === "a" ? "b" : "a") + link.slice(31);
    await Promise.all([
      this.ends("mistyped", ["get", changed]),
      this.ends("mistaken", ["get", this.network.invite]),
      this.ends("astray", ["share", `/nowhere/${MARK}.txt`]),
      this.ends("unable", ["relay", "--host", address("relay 1"), "--port", String(this.#portOf("relay 1"))]),
      this.ends("proxied", ["get", link]),
      this.ends("faulty", ["share", "--name", MARK, import.meta.filename]),
    ]);
    await completed(await startGet(this.network, "twice", link));
    await this.ends("twice", ["get", "-o", outFolder(this.network, "twice"), link]);
  }

  /** A relay is gone, a downloader is killed while it fetches and another one interrupted. */
  async crashes(link: string): Promise<void> {
    const relay = this.#running("relay 5");
    relay.kill("SIGKILL");
    await relay.ended();
    const victim = await startGet(this.network, "victim", link);
    await victim.line(({ event }) => event === "progress");
    victim.kill("SIGKILL");
    await victim.ended();
    await completed(await startGet(this.network, "victim", link));
    await this.network.restartRelay("relay 5");
    const helper = await this.network.run("helper", [
      "get",
      "--seed",
      "-o",
      outFolder(this.network, "helper"),
      link,
    ]);
    await helper.line(({ event }) => event === "result");
    helper.kill("SIGINT");
    await helper.ended();
  }

  /** The sharer is killed, and who is left hands out what does not fit. */
  async badSeeder(shared: Share): Promise<void> {
    await copyPacks(this.network, "sharer", "evil");
    shared.process.kill("SIGKILL");
    await shared.process.ended();
    const evil = await this.network.run("evil", [shared.link], EVIL);
    await evil.line(({ event }) => event === "ready");
    const careful = await startGet(this.network, "careful", shared.link);
    await this.#untilLogged("a peer was dropped");
    for (const one of [careful, evil]) one.kill("SIGKILL");
    await Promise.all([careful.ended(), evil.ended()]);
    await share(this.network, "sharer", shared.link);
  }

  /** All relays are gone at once while there is a sharer, which cannot but try to get back to its gates. */
  async blackout(): Promise<void> {
    const relays = RELAYS.map((name) => this.#running(name));
    for (const relay of relays) relay.kill("SIGKILL");
    await Promise.all(relays.map((relay) => relay.ended()));
    for (const event of ["a relay could not be dialled", "a circuit could not be built"])
      await this.#untilLogged(event);
  }

  /** A share with a password, opened with a wrong and with the right one. What it has to hide. */
  async lockedShare(input: string): Promise<Secret[]> {
    const [right, wrong] = [this.network.path("right"), this.network.path("wrong")];
    await writeFile(right, `${PASSWORD}\n`);
    await writeFile(wrong, `${PASSWORD}-${MARK}\n`);
    const sharer = await this.network.run("locker", ["share", "--password-file", right, input]);
    const link = String((await sharer.line(({ event }) => event === "result"))["link"]);
    const get = (file: string): string[] => [
      "get",
      "--password-file",
      file,
      "-o",
      outFolder(this.network, "keyless"),
      link,
    ];
    await this.ends("keyless", get(wrong));
    await completed(await this.network.run("keyless", get(right)));
    return linkSecrets(link, this.network.dataFolder("locker"));
  }

  /** Runs a command to its end, whatever that is. */
  async ends(name: string, args: readonly string[]): Promise<void> {
    await (await this.network.run(name, args)).ended();
  }

  /** All of this run that no log may tell, what belongs to a share aside. */
  async secrets(): Promise<Secret[]> {
    const relays = await Promise.all(RELAYS.map((name) => relaySecrets(this.network.dataFolder(name))));
    const addresses = new Set([...RELAYS.map(address), address("daemon"), "127.0.0.1", "::1", NOWHERE]);
    return [
      ...relays.flat(),
      ...[...addresses].map(addressSecret),
      ...[...this.#ports, 44_333].map(portSecret),
      textSecret("invite", this.network.invite.slice("backroom-join:".length)),
    ];
  }

  /** What may be said to the person who typed it, and not to a log. */
  typed(): Secret[] {
    const texts = [MARK, PASSWORD, USER, SESAME].map((text) => textSecret("what was typed", text));
    return [...texts, ...placeSecrets(this.network.folder)];
  }

  logs(): string {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(".log"))
      .map((name) => readFileSync(path.join(this.#folder, name), "utf8"))
      .join("");
  }

  /** What all said on standard output that was not asked for: progress, warnings, errors. */
  spoken(): string {
    const asked = new Set(["result", "ready"]);
    const lines: Line[] = this.network.started().flatMap((one) => one.lines());
    return lines
      .filter(({ event }) => !asked.has(event))
      .map((line) => JSON.stringify(line))
      .join("\n");
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.network.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Waits until an event is in the logs, and not for ever: what is missing is told at the end of the run. */
  async #untilLogged(event: string): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (!this.logs().includes(`"${event}"`) && performance.now() < deadlineMs) await sleep(100);
  }

  #running(name: string) {
    const one = this.network.processes().find((running) => running.name === name);
    if (one === undefined) throw new Error(`${name} does not run`);
    return one;
  }

  #portOf(name: string): number {
    return Number(this.#running(name).latest("ready")?.["port"]);
  }

  /** The ports at both ends of every connection of a relay that is up now, as the kernel has them (proc(5)). */
  #lookAtPorts(): void {
    const own = new Set(this.network.started().map((one) => Number(one.latest("ready")?.["port"])));
    for (const port of own) if (Number.isInteger(port)) this.#ports.add(port);
    if (process.platform !== "linux") return;
    for (const table of ["tcp", "tcp6"]) {
      for (const [, a = "", b = ""] of readFileSync(`/proc/net/${table}`, "utf8").matchAll(
        /:([\dA-F]{4}) [\dA-F]+:([\dA-F]{4}) 01 /g,
      )) {
        const pair = [a, b].map((hex) => Number.parseInt(hex, 16));
        if (pair.some((port) => own.has(port))) for (const port of pair) this.#ports.add(port);
      }
    }
  }
}

/** Where all of 127.0.0.0/8 is this computer's, each relay has an address of its own, a daemon's too. */
function address(name: string): string {
  return process.platform === "linux" ? `127.0.77.${RELAYS.indexOf(name) + 1 || 99}` : "127.0.0.1";
}

function fileOf(folder: string, name: string): string {
  return path.join(folder, `${name.replaceAll(" ", "-")}.log`);
}

function environment(name: string, folder: string): string[] {
  const all = ["BACKROOM_DEBUG=1"];
  const code = LOADED[name];
  if (code !== undefined) all.push(`NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(code)}`);
  if (name === "relay 6") {
    all.push(`NODE_OPTIONS=--import=${TAMPERING}`, `BACKROOM_TAMPERED=${path.join(folder, "tampered")}`);
  }
  if (name === "proxied") all.push(`BACKROOM_PROXY=socks5://${USER}:${SESAME}@127.0.0.1:1`);
  return all;
}
