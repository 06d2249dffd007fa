import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "@backroom/api/client/client.ts";
import { nodeTransport } from "@backroom/api/client/node-transport.ts";
import type { CommandProcess } from "../../packages/cli/src/demo/children.ts";
import { TestNetwork } from "../../packages/cli/test/support/network.ts";
import { findLocalEndpoint } from "../../packages/daemon/src/http/local-endpoint.ts";
import { changeStates, fillCatalogue } from "./many-shares.ts";
import { median, usageOf } from "./process-usage.ts";
import type { Row } from "./row.ts";

const SHARES = 10_000;
const RELAYS = 5;
/** On circuits of their own, the latest first: these packs are really there. */
const WHOLE_SHARES = 12;
const STARTS = 5;
const LISTS = 20;
const SETTLE_MS = 30_000;
const IDLE_MS = 60_000;
/** Until the groups that are registered first are. */
const REGISTER_MS = 120_000;
const PORTS = { BACKROOM_PAGE_PORT: "0", BACKROOM_CONTENT_PORT: "0" };

interface Running {
  readonly process: CommandProcess;
  readonly client: Client;
  readonly startMs: number;
}

/** A daemon that has nothing to do; one with 10,000 shares that rest; and one that hands out all of them in a network of relays on this computer. */
export async function benchDaemon(): Promise<Row[]> {
  Object.assign(process.env, PORTS);
  const network = await TestNetwork.start(RELAYS);
  try {
    return [...(await benchIdle(network)), ...(await benchMany(network))];
  } finally {
    await network.close();
  }
}

async function benchIdle(network: TestNetwork): Promise<Row[]> {
  // What is compiled by the first start is kept for the others.
  await stop(await start(network, "idle"));
  const daemon = await start(network, "idle");
  await sleep(SETTLE_MS);
  const rows = [
    { name: "daemon: start", value: daemon.startMs, unit: "ms" },
    ...(await rest("daemon with nothing to do", daemon)),
  ];
  await stop(daemon);
  return rows;
}

async function benchMany(network: TestNetwork): Promise<Row[]> {
  await network.join("many");
  await fillCatalogue(network.dataFolder("many"), SHARES, "paused");
  const starts: number[] = [];
  for (let number = 0; number < STARTS; number++) {
    const daemon = await start(network, "many");
    starts.push(daemon.startMs);
    await stop(daemon);
  }
  const resting = await start(network, "many");
  const what = `daemon with ${SHARES} shares`;
  const rows = [
    { name: `${what}: start`, value: median(starts), unit: "ms" },
    ...(await lists(what, resting)),
  ];
  await sleep(SETTLE_MS);
  rows.push(...(await rest(`${what} that rest`, resting)));
  await addWhole(network, resting.client);
  await stop(resting);

  changeStates(network.dataFolder("many"), "active");
  const handing = await start(network, "many");
  await sleep(REGISTER_MS);
  rows.push(
    { name: `${what} handed out: start`, value: handing.startMs, unit: "ms" },
    ...(await lists(`${what} handed out`, handing)),
    ...(await rest(`${what} handed out`, handing)),
  );
  await stop(handing);
  return rows;
}

async function start(network: TestNetwork, name: string): Promise<Running> {
  const startedMs = performance.now();
  const process_ = await network.run(name, ["daemon", "run"]);
  await process_.line(({ event }) => event === "ready");
  const startMs = performance.now() - startedMs;
  const endpoint = await findLocalEndpoint(network.dataFolder(name), process.platform);
  if (endpoint === undefined) throw new Error("the daemon listens nowhere");
  return { process: process_, client: createClient(nodeTransport(endpoint)), startMs };
}

async function stop({ process: one }: Running): Promise<void> {
  one.kill("SIGINT");
  await one.ended();
}

/** What a page of the list takes, from the question to the parsed answer, and all pages. */
async function lists(what: string, { client }: Running): Promise<Row[]> {
  const page = async (): Promise<void> => void (await client.call("listTransfers", { limit: 200 }));
  const all = async (): Promise<void> => {
    let after: string | undefined;
    do {
      const { next } = await client.call("listTransfers", {
        limit: 1000,
        ...(after === undefined ? {} : { after }),
      });
      after = next ?? undefined;
    } while (after !== undefined);
  };
  const search = async (): Promise<void> =>
    void (await client.call("listTransfers", { search: "9999", limit: 200 }));
  return [
    { name: `${what}: list, a page of 200`, value: await timed(page), unit: "ms" },
    { name: `${what}: list, all in pages of 1,000`, value: await timed(all), unit: "ms" },
    { name: `${what}: search that finds one`, value: await timed(search), unit: "ms" },
  ];
}

async function timed(run: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let number = 0; number < LISTS; number++) {
    const startedMs = performance.now();
    await run();
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

async function rest(what: string, { process: { pid } }: Running): Promise<Row[]> {
  const before = usageOf(pid).cpuSeconds;
  await sleep(IDLE_MS);
  const { cpuSeconds, peakMiB } = usageOf(pid);
  return [
    { name: `${what}: memory`, value: residentMiB(pid), unit: "MiB" },
    { name: `${what}: most memory so far`, value: peakMiB, unit: "MiB" },
    { name: `${what}: CPU, of a core`, value: ((cpuSeconds - before) * 100_000) / IDLE_MS, unit: "%" },
  ];
}

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

async function addWhole(network: TestNetwork, client: Client): Promise<void> {
  await mkdir(network.path("files"), { recursive: true });
  for (let number = 0; number < WHOLE_SHARES; number++) {
    const file = network.path("files", `${number}.txt`);
    await writeFile(file, `film ${number}`.repeat(1000));
    const { id } = await client.call("addShare", { paths: [file] });
    while ((await client.call("getTransfer", { id })).state !== "seeding") await sleep(200);
  }
}
