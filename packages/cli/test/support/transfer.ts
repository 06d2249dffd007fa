import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { copyFile, link as hardLink, mkdir, open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandProcess, Line } from "../../src/demo/children.ts";
import { treeHashes } from "../../src/demo/files.ts";
import { watchSockets } from "../../src/demo/sockets.ts";
import type { TestNetwork } from "./network.ts";

export const MIB = 1024 * 1024;

export interface Share {
  readonly process: CommandProcess;
  readonly link: string;
  readonly packLength: number;
}

/** Bytes that no compression shrinks. */
export async function makeFile(file: string, length: number): Promise<void> {
  const handle = await open(file, "wx");
  try {
    for (let at = 0; at < length; at += 8 * MIB)
      await handle.write(randomBytes(Math.min(8 * MIB, length - at)));
  } finally {
    await handle.close();
  }
}

/** Shares files, or goes on sharing a link, as that member. */
export async function share(network: TestNetwork, name: string, input: string): Promise<Share> {
  const process = await network.run(name, ["share", input]);
  const { link, packLength } = await process.line((line) => line.event === "result");
  return { process, link: String(link), packLength: Number(packLength) };
}

/** Lets another member hand out what `from` holds, without fetching it first: it gets the pack (the same file), and no sharer's key. */
export async function mirror(network: TestNetwork, from: string, to: string, link: string): Promise<Share> {
  await copyPacks(network, from, to, hardLink);
  return share(network, to, link);
}

/** Gives a member the packs of another, and their marks, which is a copy in any case: each writes its own. */
export async function copyPacks(
  network: TestNetwork,
  from: string,
  to: string,
  give: (file: string, copy: string) => Promise<void> = copyFile,
): Promise<void> {
  const [source, target] = [from, to].map((name) => path.join(network.dataFolder(name), "packs")) as [
    string,
    string,
  ];
  await mkdir(target, { recursive: true });
  for (const file of await readdir(source)) {
    const names = [path.join(source, file), path.join(target, file)] as const;
    if (file.endsWith(".pack")) await give(...names);
    if (file.endsWith(".state")) await copyFile(...names);
  }
}

/** Starts a download into `out/<name>` below the network's folder. */
export async function startGet(network: TestNetwork, name: string, link: string): Promise<CommandProcess> {
  return network.run(name, ["get", "-o", outFolder(network, name), link]);
}

export function outFolder(network: TestNetwork, name: string): string {
  return network.path("out", name);
}

/** The line of its result, once it ended as it should. */
export async function completed(downloader: CommandProcess): Promise<Line> {
  const result = await downloader.line((line) => line.event === "result");
  assert.equal(await downloader.ended(), 0, `${downloader.name} ended in failure`);
  return result;
}

/** Waits until at least that many bytes are downloaded, and gives what it says then. */
export async function downloaded(downloader: CommandProcess, bytes: number): Promise<number> {
  const line = await downloader.line(
    ({ event, label, done }) => event === "progress" && label === "Downloading" && Number(done) >= bytes,
  );
  return Number(line["done"]);
}

/** What the last `Downloading` line of a process said. */
export function latestDone(downloader: CommandProcess): number {
  const line = downloader.latest("progress");
  return line?.["label"] === "Downloading" ? Number(line["done"]) : 0;
}

/** Compares a file or folder with what arrived of it, by the hashes of everything in it. */
export async function assertArrived(source: string, folder: string): Promise<void> {
  const arrived = path.join(folder, path.basename(source));
  if ((await stat(source)).isFile()) {
    assert.equal(await fileHash(arrived), await fileHash(source), "the file differs");
    return;
  }
  const [sent, received] = [await treeHashes(source), await treeHashes(arrived)];
  assert.ok(sent.size > 0, "there was nothing to compare");
  assert.deepEqual([...received], [...sent]);
}

/** The relay that carries most of what a member gets: of those that it is connected to, the one that wrote most within half a second. */
export async function busiestNeighbour(
  network: TestNetwork,
  member: CommandProcess,
): Promise<CommandProcess | undefined> {
  const before = new Map(neighbours(network, member).map((relay) => [relay, bytesWritten(relay)]));
  await sleep(500);
  const since = (relay: CommandProcess): number => bytesWritten(relay) - (before.get(relay) ?? 0);
  return [...before.keys()].toSorted((a, b) => since(b) - since(a))[0];
}

/** All that a process ever wrote, to sockets, too (proc(5)). */
function bytesWritten(one: CommandProcess): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${one.pid}/io`, "utf8"))?.[1]);
}

/** The relays that a member is connected to now, as the kernel has it. */
function neighbours(network: TestNetwork, member: CommandProcess): CommandProcess[] {
  const watch = watchSockets();
  const processes = network.processes();
  watch.sample(new Map(processes.map(({ name, pid }) => [name, pid])));
  const names = new Set(
    watch
      .current()
      .filter((pair) => pair.includes(member.name))
      .flat(),
  );
  return processes.filter(({ name }) => name.startsWith("relay") && names.has(name));
}

export async function makeFolders(network: TestNetwork, ...names: readonly string[]): Promise<void> {
  for (const name of names) await mkdir(outFolder(network, name), { recursive: true });
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: MIB })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
