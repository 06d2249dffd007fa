import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { readPcap, type Packet } from "./pcap.ts";

/**
 * Computers of their own on one machine: a network namespace for each name, each on a link of its own to one router namespace, so that two
 * of them share nothing but routed packets. The router captures every packet that it gets from any of them. Each computer is told to ask the router
 * for names, where nobody answers.
 */
export interface Lab {
  address(name: string): string;
  address6(name: string): string;
  /** The IPv6 address that it has on its own link whatever it was given. */
  linkLocal(name: string): string;
  /** Those that it was given. */
  addresses(name: string): string[];
  /** Puts this in front of a command to run it on that computer. */
  prefix(name: string): string[];
  /** Lets no more than that through towards a computer, since what is to be interrupted must last; Infinity ends it. */
  slowDown(name: string, bytesPerSecond: number): void;
  /** From now on all that a computer sends, or is sent, is lost, and nobody is told; until the returned function is called. Needs the partner nft. */
  cut(name: string): () => void;
  /** Gives a computer another IPv4 address in place of the one it has, and tells none of its programs. It has no IPv6. */
  move(name: string): void;
  /** Runs a script of Node's there until it ends. */
  runScript(name: string, script: string): Promise<void>;
  /** Every packet so far, once no more come. */
  captured(): Promise<Packet[]>;
  /** Most packets so far. */
  soFar(): Packet[];
  close(): Promise<void>;
}

export interface LabOptions {
  /** Computers that have no IPv4, or no IPv6, address. */
  readonly without4?: readonly string[];
  readonly without6?: readonly string[];
  /** Computers on one local network: what each of them sends to all of it the others get. */
  readonly neighbours?: readonly string[];
}

export async function createLab(
  names: readonly string[],
  folder: string,
  { without4 = [], without6 = [], neighbours = [] }: LabOptions = {},
): Promise<Lab> {
  const id = `br${process.pid}`;
  const router = `${id}-router`;
  const namespace = (name: string): string => `${id}-${name.replace(/\W/g, "")}`;
  const number = (name: string): number => names.indexOf(name) + 1;
  const device = (name: string): string => `v${number(name)}`;
  const address = (name: string): string => `10.77.${number(name)}.2`;
  const address6 = (name: string): string => `fd77:${number(name).toString(16)}::2`;
  const prefix = (name: string): string[] => ["ip", "netns", "exec", namespace(name)];
  const captureFile = path.join(folder, "packets.pcap");
  let capture: ChildProcess | undefined;
  const made: string[] = [];

  const close = async (): Promise<void> => {
    if (capture !== undefined && capture.exitCode === null && capture.signalCode === null) {
      const ended = once(capture, "exit");
      capture.kill("SIGKILL");
      await ended;
    }
    for (const name of made) {
      ip("netns", "del", name);
      rmSync(settingsFolder(name), { recursive: true, force: true });
    }
  };

  try {
    addNamespace(router);
    run(
      "ip",
      "netns",
      "exec",
      router,
      "sysctl",
      "-qw",
      "net.ipv4.ip_forward=1",
      "net.ipv6.conf.all.forwarding=1",
    );
    ip("-n", router, "link", "add", BRIDGE, "type", "bridge", "mcast_snooping", "0");
    ip("-n", router, "link", "set", BRIDGE, "up");
    for (const name of names) {
      const space = namespace(name);
      const link = device(name);
      const near = neighbours.includes(name) ? BRIDGE : link;
      addNamespace(space);
      // A file here stands in for the one in /etc when `ip netns exec` runs a program.
      mkdirSync(settingsFolder(space), { recursive: true });
      writeFileSync(path.join(settingsFolder(space), "resolv.conf"), `nameserver ${gateway(name)}\n`);
      ip("-n", router, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space);
      ip("-n", router, "link", "set", link, "up");
      if (near === BRIDGE) ip("-n", router, "link", "set", link, "master", BRIDGE);
      ip("-n", space, "link", "set", "eth0", "up");
      ip("-n", space, "link", "set", "lo", "up");
      if (!without4.includes(name)) {
        ip("-n", router, "addr", "add", `${gateway(name)}/30`, "dev", near);
        ip("-n", space, "addr", "add", `${address(name)}/30`, "dev", "eth0");
        ip("-n", space, "route", "add", "default", "via", gateway(name));
      }
      if (!without6.includes(name)) {
        ip("-n", router, "addr", "add", `${address6(name).slice(0, -1)}1/64`, "dev", near, "nodad");
        ip("-n", space, "addr", "add", `${address6(name)}/64`, "dev", "eth0", "nodad");
        ip("-n", space, "-6", "route", "add", "default", "via", `${address6(name).slice(0, -1)}1`);
      }
    }
    capture = await startCapture(router, captureFile);
  } catch (error) {
    await close();
    throw error;
  }

  function addNamespace(name: string): void {
    ip("netns", "add", name);
    made.push(name);
  }

  function gateway(name: string): string {
    return without4.includes(name) ? `${address6(name).slice(0, -1)}1` : `10.77.${number(name)}.1`;
  }

  return {
    address,
    address6,
    addresses: (name) => [
      ...(without4.includes(name) ? [] : [address(name)]),
      ...(without6.includes(name) ? [] : [address6(name)]),
    ],
    linkLocal(name) {
      const show = ["-n", namespace(name), "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link"];
      const [, found] = /inet6 (fe80:\S+)\/64/.exec(execFileSync("ip", show, { encoding: "utf8" })) ?? [];
      if (found === undefined) throw new Error(`${name} has no link-local address`);
      return found;
    },
    prefix,
    slowDown(name, bytesPerSecond) {
      const queue = ["netns", "exec", router, "tc", "qdisc"];
      const where = ["dev", device(name), "root"];
      if (bytesPerSecond === Infinity) return ip(...queue, "del", ...where);
      const rate = ["rate", `${bytesPerSecond}bps`, "burst", "64kb", "latency", "300ms"];
      ip(...queue, "replace", ...where, "tbf", ...rate);
    },
    cut(name) {
      const table = `cut${number(name)}`;
      const drop = ["iifname", "oifname"].map((side) => `${side} "${device(name)}" drop`).join("\n");
      const chain = `chain through {\n type filter hook forward priority 0;\n${drop}\n}`;
      const nft = (...args: string[]): void => ip("netns", "exec", router, "nft", ...args);
      nft(`table inet ${table} {\n${chain}\n}`);
      return () => nft("delete", "table", "inet", table);
    },
    move(name) {
      const [space, near, other] = [namespace(name), device(name), `10.78.${number(name)}`];
      ip("-n", router, "addr", "add", `${other}.1/30`, "dev", near);
      ip("-n", space, "addr", "del", `${address(name)}/30`, "dev", "eth0");
      ip("-n", space, "addr", "add", `${other}.2/30`, "dev", "eth0");
      ip("-n", space, "route", "add", "default", "via", `${other}.1`);
    },
    async runScript(name, script) {
      const args = [...prefix(name).slice(1), process.execPath, "-e", script];
      await promisify(execFile)("ip", args, { timeout: 20_000 });
    },
    soFar: () => readPcap(captureFile),
    async captured() {
      await settled(captureFile);
      return readPcap(captureFile);
    },
    close,
  };
}

const BRIDGE = "lan";

function settingsFolder(space: string): string {
  return path.join("/etc/netns", space);
}

/** A capture lags behind on a busy machine: waits until it has grown no more for a while. */
async function settled(file: string): Promise<void> {
  let before = -1;
  for (let looks = 0; looks < 20; looks++) {
    const { size } = await stat(file);
    if (size === before) return;
    before = size;
    await sleep(300);
  }
}

function ip(...args: string[]): void {
  run("ip", ...args);
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Starts tcpdump and waits until it listens: what comes earlier would be missed. Each packet is taken where it comes in, so once. */
async function startCapture(space: string, file: string): Promise<ChildProcess> {
  const what = ["-n", "-U", "-s", "0", "-B", "65536", "-Q", "in", "-i", "any", "-w", file];
  const child = spawn("ip", ["netns", "exec", space, "tcpdump", ...what], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    // It says more afterwards, and a pipe that nobody reads would end it.
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("listening on")) resolve();
    });
    child.once("exit", () => reject(new Error(`tcpdump ended: ${said}`)));
  });
  return child;
}
