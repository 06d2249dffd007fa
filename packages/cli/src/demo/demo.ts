import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BackroomError } from "@backroom/core/base/errors.ts";
import { createNetwork } from "@backroom/core/node/networks.ts";
import { formatBytes, formatDuration, formatRate } from "../ui/format.ts";
import type { Progress } from "../ui/progress-report.ts";
import type { Terminal } from "../ui/terminal.ts";
import type { CommandProcess } from "./children.ts";
import { makeHoliday, treeHashes } from "./files.ts";
import { report, type Findings } from "./report.ts";
import { Stage } from "./stage.ts";

const RELAY_COUNT = 8;
/** The whole demo ends within a minute, whatever hangs. */
const DEADLINE_MS = 58_000;
const SAMPLE_MS = 50;
/** How far the download is when a relay of its path dies. */
const KILL_AT = 0.3;

export interface DemoOptions {
  readonly path: string | undefined;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/**
 * One sharer, one downloader and eight relays, each a process of its own on loopback; in mid-download a relay of the path is killed.
 * Raises when anything differs from what the demo promises. Leaves no process and no file.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { terminal } = options;
  const folder = await mkdtemp(path.join(tmpdir(), "backroom-demo-"));
  const stage = new Stage(folder);
  const deadline = AbortSignal.any([options.signal, AbortSignal.timeout(DEADLINE_MS)]);
  const watching = setInterval(() => stage.look(), SAMPLE_MS);
  // Children would outlive a demo that is ended hard; this runs on every orderly exit.
  const killAll = (): void => stage.killAll();
  process.once("exit", killAll);
  try {
    const findings = await Promise.race([perform(stage, options), whenAborted(deadline, options.signal)]);
    for (const line of report(findings)) terminal.note(line);
    terminal.result(findings.identical ? "The files arrived identical." : "", { ...findings });
    if (!findings.identical)
      throw new BackroomError("E_INTERNAL", "the files that arrived differ from those that were shared");
    if (findings.met)
      throw new BackroomError("E_INTERNAL", "sharer and downloader had a connection with each other");
  } finally {
    clearInterval(watching);
    await stage.close();
    process.off("exit", killAll);
    await rm(folder, { recursive: true, force: true });
  }
}

async function perform(stage: Stage, { path: given, terminal }: DemoOptions): Promise<Findings> {
  const startedMs = performance.now();
  const source = given === undefined ? path.join(stage.folder, "Holiday") : path.resolve(given);
  if (given === undefined) await makeHoliday(source);
  terminal.note(given === undefined ? "Made some holiday files to share." : "Sharing what you gave.");

  await startRelays(stage, terminal);
  terminal.status("The sharer joins and seals …");
  const sharer = stage.start("sharer", ["share", source]);
  const shared = await sharer.line((line) => line.event === "result");
  terminal.note(`The sharer sealed ${formatBytes(Number(shared["packLength"]))} and printed a link.`);

  const target = path.join(stage.folder, "received");
  await mkdir(target);
  terminal.status("The downloader joins and looks for the sharer …");
  const downloadStartedMs = performance.now();
  const downloader = stage.start("downloader", ["get", "-o", target, String(shared["link"])]);
  let bar: Progress | undefined;
  const follow = setInterval(() => {
    const now = downloader.latest("progress");
    if (now?.["label"] !== "Downloading") return;
    bar ??= terminal.progress("Downloading");
    bar.update(Number(now["done"]), Number(now["total"]));
  }, 100);
  try {
    const killed = await killARelay(stage, downloader, terminal);
    const result = await downloader.line((line) => line.event === "result");
    const seconds = (performance.now() - downloadStartedMs) / 1000;
    clearInterval(follow);
    bar?.update(Number(shared["packLength"]), Number(shared["packLength"]));
    bar?.end();
    bar = undefined;
    await downloader.ended();
    const rate = Number(shared["packLength"]) / seconds;
    terminal.note(
      `The downloader had everything after ${formatDuration(seconds)} (${formatRate(rate)}). Comparing …`,
    );
    const names = result["paths"] as string[];
    const arrived = path.join(target, path.basename(names[0] ?? ""));
    return {
      identical: await sameContent(source, arrived),
      killed,
      seconds,
      totalSeconds: (performance.now() - startedMs) / 1000,
      rate,
      measured: process.platform === "linux",
      pairs: stage.sockets.pairs(),
      datagramUsers: stage.sockets.datagramUsers(),
      met: stage.sockets.pairs().some((pair) => pair.includes("sharer") && pair.includes("downloader")),
    };
  } finally {
    clearInterval(follow);
    bar?.end();
  }
}

/** The first relay makes the network known; the others join it by invite, as strangers would. */
async function startRelays(stage: Stage, terminal: Terminal): Promise<void> {
  terminal.status(`Starting ${RELAY_COUNT} relays …`);
  await createNetwork({ dataFolder: stage.dataFolder("relay 1"), name: "demo" });
  const relayArgs = ["relay", "--gate", "--host", "127.0.0.1"];
  const first = stage.start("relay 1", relayArgs);
  const invite = String((await first.line((line) => line.event === "ready"))["invite"]);
  const names = Array.from({ length: RELAY_COUNT }, (_, index) => `relay ${index + 1}`);
  const others = [...names.slice(1), "sharer", "downloader"];
  for (const name of others) await stage.join(name, invite);
  const started = names.slice(1).map((name) => stage.start(name, relayArgs));
  for (const relay of started) await relay.line((line) => line.event === "ready");
  for (const relay of [first, ...started]) {
    await relay.line((line) => line.event === "relays" && Number(line["known"]) >= RELAY_COUNT);
  }
  terminal.note(`Started ${RELAY_COUNT} relays, each a process of its own. They found each other.`);
}

/**
 * Waits for the middle of the download and kills a relay that carries it: of those that neither end is connected to now, the one that
 * used the processor most, which for circuits of this length is the gate or a hop beside it.
 */
async function killARelay(stage: Stage, downloader: CommandProcess, terminal: Terminal): Promise<string> {
  await downloader.line((line) => line.event === "progress" && line["label"] === "Downloading");
  stage.markCpu();
  await downloader.line(
    (line) =>
      line.event === "result" ||
      (line.event === "progress" &&
        line["label"] === "Downloading" &&
        Number(line["done"]) >= KILL_AT * Number(line["total"])),
  );
  const ends = new Set(
    stage.sockets
      .current()
      .filter((pair) => pair.includes("downloader") || pair.includes("sharer"))
      .flat(),
  );
  const victim = stage
    .relays()
    .filter((relay) => !ends.has(relay.name))
    .toSorted((a, b) => stage.cpuSince(b) - stage.cpuSince(a))[0];
  if (victim === undefined) throw new BackroomError("E_INTERNAL", "no relay between the two guards was seen");
  victim.kill("SIGKILL");
  terminal.note(`Killed ${victim.name}, which was carrying the download.`);
  return victim.name;
}

async function sameContent(source: string, arrived: string): Promise<boolean> {
  const both = await Promise.all([source, arrived].map(hashesOf));
  return JSON.stringify(both[0]) === JSON.stringify(both[1]);
}

async function hashesOf(place: string): Promise<[string, string][]> {
  if ((await stat(place)).isDirectory()) return [...(await treeHashes(place))];
  const all = await treeHashes(path.dirname(place));
  return [["file", all.get(path.basename(place)) ?? ""]];
}

function whenAborted(deadline: AbortSignal, interrupt: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    deadline.addEventListener("abort", () => {
      reject(
        interrupt.aborted
          ? new BackroomError("E_INTERRUPTED", "the demo was stopped", { fix: "run it again" })
          : new BackroomError("E_INTERNAL", "the demo did not end within a minute"),
      );
    });
  });
}
