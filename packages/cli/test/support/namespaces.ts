import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readPcap, type Packet } from "./pcap.ts";

/**
 * Computers of their own on one machine: a network namespace for each name, each on a link of its own (/30) to one router namespace, so that two
 * of them share nothing but routed packets. Everything that crosses a link is captured at the router's end of it.
 */
export interface Lab {
  address(name: string): string;
  /** Puts this in front of a command to run it on that computer. */
  prefix(name: string): string[];
  /** Every packet that crossed that computer's link so far. */
  captured(name: string): Promise<Packet[]>;
  close(): Promise<void>;
}

export async function createLab(names: readonly string[], folder: string): Promise<Lab> {
  const id = `br${process.pid}`;
  const router = `${id}-router`;
  const namespace = (name: string): string => `${id}-${name.replace(/\W/g, "")}`;
  const address = (name: string): string => `10.77.${names.indexOf(name) + 1}.2`;
  const captureFile = (name: string): string => path.join(folder, `${namespace(name)}.pcap`);
  const captures: ChildProcess[] = [];
  const made: string[] = [];

  const close = async (): Promise<void> => {
    const running = captures.filter((capture) => capture.exitCode === null && capture.signalCode === null);
    const ends = running.map((capture) => once(capture, "exit"));
    for (const capture of captures) capture.kill("SIGKILL");
    await Promise.all(ends);
    for (const name of made) ip("netns", "del", name);
  };

  try {
    addNamespace(router);
    ip("netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    for (const [index, name] of names.entries()) {
      const space = namespace(name);
      const [near, far] = [`v${index}`, `u${index}`];
      addNamespace(space);
      ip("-n", router, "link", "add", near, "type", "veth", "peer", "name", far, "netns", space);
      ip("-n", router, "addr", "add", `10.77.${index + 1}.1/30`, "dev", near);
      ip("-n", router, "link", "set", near, "up");
      ip("-n", space, "addr", "add", `${address(name)}/30`, "dev", far);
      ip("-n", space, "link", "set", far, "up");
      ip("-n", space, "link", "set", "lo", "up");
      ip("-n", space, "route", "add", "default", "via", `10.77.${index + 1}.1`);
      captures.push(await capture(router, near, captureFile(name)));
    }
  } catch (error) {
    await close();
    throw error;
  }

  function addNamespace(name: string): void {
    ip("netns", "add", name);
    made.push(name);
  }

  return {
    address,
    prefix: (name) => ["ip", "netns", "exec", namespace(name)],
    async captured(name) {
      // tcpdump hands packets over in blocks; give the last one time to arrive.
      await sleep(500);
      return readPcap(captureFile(name));
    },
    close,
  };
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Starts tcpdump and waits until it listens: what comes earlier would be missed. */
async function capture(space: string, device: string, file: string): Promise<ChildProcess> {
  const args = [
    "netns",
    "exec",
    space,
    "tcpdump",
    "-n",
    "-U",
    "-s",
    "1600",
    "-B",
    "8192",
    "-i",
    device,
    "-w",
    file,
  ];
  const child = spawn("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
  for await (const chunk of child.stderr) {
    if (String(chunk).includes("listening on")) break;
  }
  child.stderr.resume();
  return child;
}
