import type { Answer } from "@backroom/api/routes.ts";
import { knownNetworks } from "@backroom/core/node/networks.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count, formatDuration } from "../ui/format.ts";
import { factLines } from "../ui/table.ts";

type Status = Answer<"network">;

/** The network in use. Without a daemon there are no guards and circuits to tell of, and none is started for it. */
export async function showNetwork({ terminal, daemon, dataFolder }: Session): Promise<void> {
  const client = await daemon.find();
  const status = client === undefined ? await withoutDaemon(dataFolder) : await client.call("network");
  if (status.network === null) {
    terminal.note("No network yet: join one with an invite, or make one with: backroom net create");
  }
  for (const line of factLines(factsOf(status), terminal.columns)) terminal.print(line);
  if (client === undefined && status.network !== null) {
    terminal.note("No daemon runs, so there are no circuits. It starts with the first share or get.");
  }
  terminal.result("", { ...status } satisfies Result<"net status">);
}

async function withoutDaemon(dataFolder: string | undefined): Promise<Status> {
  const network = (await knownNetworks({ dataFolder })).find(({ current }) => current) ?? null;
  return {
    network,
    state: network === null ? "none" : "idle",
    guardCount: 0,
    privacy: null,
    circuitCount: 0,
    circuits: [],
    clockSkewMs: null,
  };
}

type Fact = readonly [string, string];

const STATES: Readonly<Record<Status["state"], string>> = {
  none: "none",
  idle: "not joined now: nothing needs it",
  joining: "being joined",
  joined: "joined",
  failed: "could not be joined; it is tried again",
};

/** Below this a clock is as right as it has to be. */
const SKEW_TOLD_MS = 60_000;

function factsOf(status: Status): Fact[] {
  const { network, state, guardCount, privacy, circuits, circuitCount, clockSkewMs } = status;
  if (network === null) return [["Network", "none"]];
  return [
    ["Network", `${network.name} (${network.id})${network.test ? ", a test network" : ""}`],
    ["State", STATES[state]],
    ["Relays", `${count(network.relaysKnown, "relay")} known`],
    ["Guards", guardCount === 0 ? "none yet" : count(guardCount, "guard")],
    ...(privacy?.sentences ?? []).map((text, at): Fact => [at === 0 ? "Privacy" : "", text]),
    ...(clockSkewMs !== null && Math.abs(clockSkewMs) > SKEW_TOLD_MS
      ? ([["Clock", clockText(clockSkewMs)]] as Fact[])
      : []),
    ...circuits.map((circuit, at): Fact => [at === 0 ? "Circuits" : "", circuitText(circuit)]),
    ...(circuitCount > circuits.length
      ? ([["", `and ${circuitCount - circuits.length} more`]] as Fact[])
      : []),
  ];
}

function clockText(skewMs: number): string {
  const amount = formatDuration(Math.abs(skewMs) / 1000);
  return `${amount} ${skewMs > 0 ? "behind" : "ahead of"} the network's: set it right`;
}

const PURPOSES = {
  seeder: "being found",
  downloader: "fetching",
  lookup: "looking somebody up",
  directory: "learning of relays",
};

/** Enough of a relay's letters to tell the few that one computer uses from each other. */
const KEY_SHOWN = 4;

/** `You → guard → relay → gate`. The letters tell the same relay in several circuits. */
function circuitText({ purpose, hops, ageMs }: Status["circuits"][number]): string {
  const way = ["You", ...hops.map(hopText)];
  return `${way.join(" → ")}  (${PURPOSES[purpose]}, ${formatDuration(ageMs / 1000)})`;
}

function hopText({ role, key }: Status["circuits"][number]["hops"][number]): string {
  return `${role === "middle" ? "relay" : role} ${key.slice(0, KEY_SHOWN)}`;
}
