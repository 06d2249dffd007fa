import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/**
 * Who is connected to whom, as the kernel has it (/proc on Linux), not as our own programs say. A connection on loopback has an entry for each
 * end; the entry names a socket by inode, and a process's folder of descriptors names the inodes that it holds.
 */
export interface SocketWatch {
  /** Looks once. Call it often: a connection shorter than the interval can be missed. */
  sample(processes: ReadonlyMap<string, number>): void;
  /** Every pair of names that was ever seen connected, each pair once, sorted. */
  pairs(): [string, string][];
  /** The pairs that were connected at the last look. */
  current(): [string, string][];
  /** Names that were ever seen with a UDP socket. */
  datagramUsers(): string[];
}

interface Entry {
  readonly local: string;
  readonly remote: string;
  readonly inode: string;
}

export function watchSockets(): SocketWatch {
  const seen = new Set<string>();
  let now = new Set<string>();
  const datagram = new Set<string>();
  return {
    sample(processes) {
      const owners = socketOwners(processes);
      const byEnds = new Map<string, string>();
      now = new Set();
      for (const entry of [...table("tcp"), ...table("tcp6")]) {
        const owner = owners.get(entry.inode);
        if (owner !== undefined) byEnds.set(`${entry.local} ${entry.remote}`, owner);
      }
      for (const [ends, owner] of byEnds) {
        const [local, remote] = ends.split(" ");
        const other = byEnds.get(`${remote} ${local}`);
        if (other !== undefined && other !== owner) now.add([owner, other].toSorted().join("\n"));
      }
      for (const pair of now) seen.add(pair);
      for (const entry of [...table("udp"), ...table("udp6")]) {
        const owner = owners.get(entry.inode);
        if (owner !== undefined) datagram.add(owner);
      }
    },
    pairs: () => split(seen),
    current: () => split(now),
    datagramUsers: () => [...datagram].toSorted(),
  };
}

function split(pairs: ReadonlySet<string>): [string, string][] {
  return [...pairs].toSorted().map((pair) => pair.split("\n") as [string, string]);
}

/** Socket inode to process name. Children (a relay's DHT process) count as their parent's. */
function socketOwners(processes: ReadonlyMap<string, number>): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [name, pid] of processes) {
    for (const one of [pid, ...childrenOf(pid)]) {
      for (const descriptor of list(`/proc/${one}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${one}/fd/${descriptor}`))?.[1];
        if (inode !== undefined) owners.set(inode, name);
      }
    }
  }
  return owners;
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function table(kind: "tcp" | "tcp6" | "udp" | "udp6"): Entry[] {
  return read(`/proc/net/${kind}`)
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 9)
    .map((fields) => ({ local: plain(fields[1]), remote: plain(fields[2]), inode: fields[9] ?? "" }));
}

/** Who listens for both families has its IPv4 connections in the table of IPv6, as ::ffff:0:0/96. */
function plain(end = ""): string {
  return end.replace(/^0{16}FFFF0{4}(?=[0-9A-F]{8}:)/, "");
}

/** A process may end between two looks; what is gone reads as empty. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
