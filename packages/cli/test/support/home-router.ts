import { execFileSync } from "node:child_process";
import type { Lab } from "./namespaces.ts";

/** Within each home network, which others cannot see. */
export const HOME_ADDRESS = "192.168.7.2";
export const HOME_GATEWAY = "192.168.7.1";

export interface HomeRouter {
  /** Puts this in front of a command to run it on the router. */
  readonly prefix: readonly string[];
  close(): void;
}

/**
 * Puts a home router between a computer of the lab, which has no IPv6, and its link. The router has the computer's address from then on; it
 * replaces the computer's new one by that on what goes out, and drops without a word whatever else comes in, from the first SYN on. Needs
 * the partner nft.
 */
export function addHomeRouter(lab: Lab, name: string): HomeRouter {
  const space = lab.prefix(name).at(-1) ?? "";
  const home = `${space}-home`;
  const outer = lab.address(name);
  const prefix = ["ip", "netns", "exec", home];
  const ip = (...args: string[]): void => run("ip", ...args);
  ip("netns", "add", home);
  try {
    ip("-n", space, "link", "set", "eth0", "netns", home);
    ip("-n", home, "link", "set", "eth0", "name", "wan");
    ip("-n", home, "addr", "add", `${outer}/30`, "dev", "wan");
    ip("-n", home, "link", "add", "lan", "type", "veth", "peer", "name", "eth0", "netns", space);
    ip("-n", home, "addr", "add", `${HOME_GATEWAY}/24`, "dev", "lan");
    for (const device of ["wan", "lan", "lo"]) ip("-n", home, "link", "set", device, "up");
    ip("-n", home, "route", "add", "default", "via", outer.replace(/\d+$/, "1"));
    run(...prefix, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    run(...prefix, "nft", RULES);
    ip("-n", space, "addr", "add", `${HOME_ADDRESS}/24`, "dev", "eth0");
    ip("-n", space, "link", "set", "eth0", "up");
    ip("-n", space, "route", "add", "default", "via", HOME_GATEWAY);
  } catch (error) {
    ip("netns", "del", home);
    throw error;
  }
  return { prefix, close: () => ip("netns", "del", home) };
}

const RULES = `
table ip home {
  chain out { type nat hook postrouting priority 100; oifname "wan" masquerade; }
  chain through {
    type filter hook forward priority 0; policy drop;
    iifname "lan" accept
    ct state established,related accept
    ct status dnat accept
  }
  chain here {
    type filter hook input priority 0; policy drop;
    iifname != "wan" accept
    ct state established,related accept
  }
}`;

function run(...command: string[]): void {
  const [program = "", ...args] = command;
  execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
}
