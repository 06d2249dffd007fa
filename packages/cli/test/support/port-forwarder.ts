import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { HOME_GATEWAY, type HomeRouter } from "./home-router.ts";

/** What a home router's own program for that hands ports on by. */
export type Manner = "NAT-PMP" | "UPnP";

/** miniupnpd on a home router of the lab. Needs the partner miniupnpd. */
export async function startPortForwarder(
  router: HomeRouter,
  folder: string,
  manner: Manner,
): Promise<{ close(): Promise<void> }> {
  const [program = "", ...prefix] = router.prefix;
  execFileSync(program, [...prefix, "nft", CHAINS], { stdio: ["ignore", "ignore", "pipe"] });
  const file = path.join(folder, `${manner}.conf`);
  const settings = [
    "ext_ifname=wan",
    // It hands on no ports where its own address is private, as in a laboratory; what it says of it is of no matter.
    "ext_ip=8.8.8.8",
    "listening_ip=lan",
    `enable_natpmp=${manner === "NAT-PMP" ? "yes" : "no"}`,
    `enable_upnp=${manner === "UPnP" ? "yes" : "no"}`,
    "secure_mode=yes",
    "uuid=00000000-0000-0000-0000-000000000001",
    `lease_file=${path.join(folder, `${manner}.leases`)}`,
  ];
  await writeFile(file, `${settings.join("\n")}\n`);
  const args = [...prefix, "miniupnpd", "-d", "-f", file, "-P", path.join(folder, `${manner}.pid`)];
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const said: string[] = [];
  for await (const chunk of child.stderr ?? []) {
    said.push(String(chunk));
    // It says so of the last socket that it opens.
    if (said.join("").includes(manner === "UPnP" ? "HTTP listening" : "Listening for NAT-PMP")) break;
  }
  child.stderr?.resume();
  if (child.exitCode !== null) throw new Error(`miniupnpd at ${HOME_GATEWAY} ended: ${said.join("")}`);
  return {
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

const CHAINS = `
table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain pre { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain post { type nat hook postrouting priority 100; jump postrouting_miniupnpd; }
}`;
