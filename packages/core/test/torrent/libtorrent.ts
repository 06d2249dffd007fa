import { spawnSync } from "node:child_process";

/** Runs Python code with libtorrent as `lt` and `sys`; arguments are sys.argv[1:]. Gives what it prints, parsed as JSON. */
export function libtorrentJson(code: string, ...args: string[]): unknown {
  const prelude = "import libtorrent as lt, sys, json, os, time\n";
  const run = spawnSync("/usr/bin/python3", ["-c", prelude + code, ...args], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`libtorrent failed: ${run.stderr}`);
  return JSON.parse(run.stdout);
}
