import { execFileSync } from "node:child_process";
import type { Placement } from "./network.ts";

/** A local network: a namespace for each computer, all on one bridge, with no way out. */
export interface Home extends Placement {
  /** Removes the namespaces; what still runs in them loses its network. */
  close(): void;
}

/** Needs root. `relayOptions` are given to each relay of a `TestNetwork` there. */
export function createHome(names: readonly string[], relayOptions: readonly string[]): Home {
  const options = (name: string): readonly string[] => (name.startsWith("relay") ? relayOptions : []);
  const id = `bh${process.pid}`;
  const made: string[] = [];
  const address = (name: string): string => `10.78.0.${names.indexOf(name) + 1}`;
  const space = (name: string): string => `${id}-${names.indexOf(name)}`;
  const close = (): void => {
    for (const name of made.splice(0)) ip("netns", "del", name);
  };
  const add = (name: string): void => {
    ip("netns", "add", name);
    made.push(name);
  };
  try {
    const bridge = `${id}-bridge`;
    add(bridge);
    ip("-n", bridge, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
    ip("-n", bridge, "link", "set", "br0", "up");
    for (const [index, name] of names.entries()) {
      add(space(name));
      ip(
        "-n",
        bridge,
        "link",
        "add",
        `v${index}`,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        space(name),
      );
      ip("-n", bridge, "link", "set", `v${index}`, "master", "br0", "up");
      ip("-n", space(name), "addr", "add", `${address(name)}/24`, "dev", "eth0");
      ip("-n", space(name), "link", "set", "eth0", "up");
      ip("-n", space(name), "link", "set", "lo", "up");
    }
  } catch (error) {
    close();
    throw error;
  }
  return { address, prefix: (name) => ["ip", "netns", "exec", space(name)], options, close };
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
