import { MARKS } from "./hostile-marks.ts";
import type { Scenario } from "./hostile-scenario.ts";
import { FRAME_SCENARIOS } from "./hostile-scenarios-frames.ts";
import { NETWORK_SCENARIOS } from "./hostile-scenarios-network.ts";
import { SERVICE_SCENARIOS } from "./hostile-scenarios-services.ts";

/** The text of docs/HOSTILE_RELAYS.md, made from what the tests play so that it cannot drift. */
export function hostileDocument(): string {
  return [
    "# Hostile relays",
    "",
    "What relays, and strangers with or without the link, can do to a download, where it is noticed, and what it costs. Made by `npm run docs:hostile` from the scenarios that",
    "`packages/core/test/hostile` plays: a whole network of relays, a seeder and downloaders in one process, put together as the program does, over memory carriers and a clock that moves only",
    "when nothing else does. In each scenario what arrives is compared with what was shared, byte for byte; the hostile relays have to have acted; one of the notices named has to be",
    "seen; and no download may cost more than the row says. Everybody not named is honest. Twelve relays (fifteen where second hops are hostile: three, which have no other part and are",
    "second hops the more often), so a hostile relay is met far more often than in a real network.",
    "",
    "*Circuits* are all that a downloader opens, look-ups included (an honest network takes about four); *time* passes on the world's clock, so it is waiting and no computing; *held* is what waits in the fullest honest relay.",
    "",
    "## Frames",
    "",
    ...table(FRAME_SCENARIOS),
    "",
    "## Gates, scouts and directories",
    "",
    ...table(SERVICE_SCENARIOS),
    "",
    "## Strangers and the network around",
    "",
    ...table(NETWORK_SCENARIOS),
    "",
    "## Two hostile relays with an honest one between them",
    "",
    "One writes a mark, the other looks for it behind the honest hop; both directions. What the honest relay sends on is compared, byte for byte, with what it has to send, except for what is",
    "encrypted under keys that the second relay lacks.",
    "",
    "| mark in | what becomes of it |",
    "|---|---|",
    ...MARKS.map(({ where, becomes }) => `| ${where} | ${becomes} |`),
    "",
    "Not prevented: how many frames there are, and when. A relay that makes up frames towards the client has them carried as far as the client, which destroys the circuit; a colluding relay on the way can count them first.",
    "",
    "## What is not survived",
    "",
    "- **All gates of the only seeder are hostile**: it looks its lease up by other circuits, and leaves a gate that hides it within two minutes (ADR 43), but cannot tell tunnels that its gates refuse from nobody asking. The download ends with E_TUNNEL; gates change daily, and mirrors have others.",
    "- **The seeder's own guard swallows data of its standing circuits** once it is registered, and lets those questions through by which the seeder finds that out within six minutes (ADR 32): they are short. The same error.",
    "- **All scouts that a downloader asks lie, or the DHT is flooded so that it names no real gate**: E_NO_SEEDERS. It asks two at once, a third where they name no gate, and others in each round that finds nobody, as long as there are any; while peers that pass leases on, and a link's sharer, are of no help to a newcomer.",
    "- **A topic crowded beyond what a downloader tries** (15 unknown seeders at once, then four a minute) delays it where no lease is the sharer's.",
    "- **More kills than a downloader rebuilds** (6 circuits to one gate at once and one more each two minutes, 20 in all, PROTOCOL 7.5): eight relays that each hang up twice are outlived, within a minute and mostly within seconds (simulated, 47 of 47 runs); where each does so four times, once in half a MiB, a download is still going on ten minutes later.",
    "- **A guard that lets each circuit carry a little** slows its member down: it is left for a while once circuits to three last hops were lost within five minutes, and replaced once the share of failures shows (PROTOCOL 7.5).",
    "",
  ].join("\n");
}

function table(scenarios: readonly Scenario[]): string[] {
  return [
    "| what | where | noticed | circuits | time, s | dials | wasted, KiB | held, KiB |",
    "|---|---|---|---|---|---|---|---|",
    ...scenarios.map(row),
  ];
}

function row({ what, where, noticed, because, atMost }: Scenario): string {
  const seen = noticed.length > 0 ? noticed.join("; or ") : `by nobody: ${because ?? ""}`;
  const { circuits, seconds, dials, wastedKiB, heldKiB } = atMost;
  return `| ${[what, where, seen, circuits, seconds, dials, wastedKiB, heldKiB].join(" | ")} |`;
}
