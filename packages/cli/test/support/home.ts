import { execFileSync } from "node:child_process";
import type { Placement } from "./network.ts";

/** A local network: a namespace for each computer, all on one bridge, with no way out. */
export interface Home extends Placement {
  /** Removes the namespaces; what still runs in them loses its network. */
  close(): void;
}

/**
 * Needs root. `relayOptions` are given to each relay of a `TestNetwork` there. With `family` 6 the IPv4 addresses are none that a local network has, which the DHT needs
 * all the same, and the neighbours see each other by link-local IPv6.
 */
export function createHome(
  names: readonly string[],
  relayOptions: readonly string[],
  family: 4 | 6 = 4,
): Home {
  const options = (name: string): readonly string[] => (name.startsWith("relay") ? relayOptions : []);
  const id = `bh${family}${process.pid}`;
  const made: string[] = [];
  const prefix = family === 4 ? "10.78.0" : "203.0.113";
  const address = (name: string): string => `${prefix}.${names.indexOf(name) + 1}`;
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
      // A link-local address is there at once, and not after a second in which it might be somebody else's; or not at all.
      const v6 = ["accept_dad=0", `disable_ipv6=${family === 4 ? 1 : 0}`];
      ip("netns", "exec", space(name), "sysctl", "-qw", ...v6.map((one) => `net.ipv6.conf.default.${one}`));
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
