import type { Bencoded } from "../../src/base/bencode.ts";
import { systemRandom } from "../../src/base/random.ts";
import { SERVICE, type ServiceHandler } from "../../src/circuit/stream.ts";
import { generateKeys } from "../../src/crypto/keys.ts";
import { signRelayInfo, type RelayInfoFields } from "../../src/directory/relay-info.ts";
import type { Tally } from "./hostile-frames.ts";
import type { Cost, Scenario } from "./hostile-scenario.ts";
import {
  answering,
  echoing,
  endingAfter,
  refusing,
  replayingHandshakes,
  scriptedTunnels,
  silent,
  stallingAfter,
  swapping,
  tampering,
  trickling,
  type TunnelScript,
} from "./hostile-services.ts";
import type { Handlers, HostileWorld, Script, WorldRelay } from "./hostile-world.ts";

const { directory, scout, register, leases, connect } = SERVICE;

const AT_ONCE: Cost = { circuits: 12, seconds: 5, dials: 0, wastedKiB: 1024, heldKiB: 4096 };
const SOON: Cost = { circuits: 60, seconds: 75, dials: 0, wastedKiB: 1024, heldKiB: 4096 };

const NO_LEASES = "downloader: a gate could not be asked for leases: E_CIRCUIT";
const BAD_LEASES = "downloader: a gate could not be asked for leases: E_GATE";
const NO_TUNNEL = "downloader: a seeder could not be reached through one of its gates: E_TUNNEL";
const SLOW_ANSWER = "downloader: a gate is waited for, and what others said is used";
const SLOW_TUNNEL = "downloader: a tunnel is waited for, and another gate tried";

type Services = (honest: Handlers, tally: Tally, world: HostileWorld, self: WorldRelay) => Handlers;

function at(names: readonly string[], services: Services): Scenario["hostile"] {
  return (tally) => {
    const script: Script = { services: (honest, self, world) => services(honest, tally, world, self) };
    return Object.fromEntries(names.map((name) => [name, script]));
  };
}

/** The seeder chooses two of three gates, and one or two of those that it may choose are hostile. */
function gates(
  what: string,
  names: readonly string[],
  noticed: readonly string[],
  atMost: Cost,
  services: Services,
  more: Partial<Scenario> = {},
): Scenario {
  const where = names.length === 1 ? "one of three gates" : `${names.length} of three gates`;
  return { what, where, noticed, atMost, hostile: at(names, services), ...more };
}

function scouts(
  what: string,
  noticed: readonly string[],
  because: string,
  make: (world: HostileWorld) => Bencoded,
): Scenario {
  return {
    what,
    where: "two of three scouts",
    noticed,
    because,
    atMost: SOON,
    hostile: at(["scout1", "scout2"], (honest, tally, world) => {
      return { ...honest, [scout]: answering(tally, () => make(world)) };
    }),
  };
}

const tunnels =
  (newScript: (tally: Tally, world: HostileWorld) => () => TunnelScript): Services =>
  (honest, tally, world) => ({
    ...honest,
    [connect]: scriptedTunnels(honest[connect] as ServiceHandler, newScript(tally, world)),
  });

/** A relay info that is signed, of a relay that is nowhere. */
function inventedInfo(world: HostileWorld, more: Partial<RelayInfoFields> = {}): Buffer {
  const onionKey = generateKeys("x25519").publicBytes;
  const endpoints = [{ host: `9.${[1, 2, 3].map(() => systemRandom.below(250)).join(".")}`, port: 9001 }];
  const timeS = Math.floor(world.clock.nowMs() / 1000);
  return signRelayInfo(
    { networkId: 7, onionKey, endpoints, bandwidthKiB: 1000, gate: true, scout: true, timeS, ...more },
    generateKeys("ed25519"),
  );
}

/** Real infos with a bit of the signature wrong. */
function forgedInfos(world: HostileWorld): Buffer[] {
  return [...world.relays.values()].slice(0, 16).map(({ info }) => {
    const bytes = Buffer.from(info.bytes);
    bytes[bytes.length - 30] = (bytes[bytes.length - 30] as number) ^ 1;
    return bytes;
  });
}

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** What gates answer that is theirs to answer; see also `tunnels`. */
const GATE_SCENARIOS: readonly Scenario[] = [
  gates(
    "never answers when asked for leases",
    ["gate1"],
    [SLOW_ANSWER, NO_LEASES],
    SOON,
    (honest, tally) => ({
      ...honest,
      [leases]: silent(tally),
    }),
  ),
  gates("answers with leases without end", ["gate1"], [BAD_LEASES], AT_ONCE, (honest, tally) => ({
    ...honest,
    [leases]: answering(tally, () => ({
      l: many(20, () => systemRandom.bytes(2076)),
      n: Buffer.alloc(16),
      w: 0,
    })),
  })),
  gates(
    "hands out leases that do not open (forged, or of another topic)",
    ["gate1"],
    [],
    AT_ONCE,
    (honest, tally) => ({
      ...honest,
      [leases]: answering(tally, () => ({
        l: many(8, () => systemRandom.bytes(2076)),
        n: Buffer.alloc(16),
        w: 0,
      })),
    }),
    { because: "passed over; other gates have the right ones" },
  ),
  gates(
    "says that it has no leases",
    ["gate1"],
    [],
    AT_ONCE,
    (honest, tally) => ({
      ...honest,
      [leases]: answering(tally, () => ({ l: [], n: Buffer.alloc(16), w: 0 })),
    }),
    { because: "other gates have them" },
  ),
  gates(
    "refuses registrations",
    ["gate1", "gate2"],
    [],
    { ...SOON, circuits: 12 },
    (honest, tally) => ({ ...honest, [register]: refusing(tally) }),
    { because: "the seeder is at another one", gates: 1 },
  ),
  gates("takes registrations and keeps none", ["gate1"], [NO_TUNNEL], SOON, (honest, tally) => ({
    ...honest,
    [register]: answering(tally, (question) => ({ ok: 1, x: Number(question.get("x")) })),
  })),
  gates("refuses tunnels", ["gate1"], [NO_TUNNEL], AT_ONCE, (honest, tally) => ({
    ...honest,
    [connect]: refusing(tally),
  })),
  gates(
    "accepts tunnels and joins them to nothing",
    ["gate1"],
    [SLOW_TUNNEL, NO_TUNNEL],
    SOON,
    (honest, tally) => ({
      ...honest,
      [connect]: silent(tally),
    }),
  ),
  gates("joins a tunnel to itself", ["gate1"], [NO_TUNNEL], AT_ONCE, (honest, tally) => ({
    ...honest,
    [connect]: echoing(tally),
  })),
  gates(
    "flips a bit in tunnels",
    ["gate1"],
    [],
    SOON,
    tunnels((tally) => tampering(tally, 5)),
    { because: "the record does not authenticate (E_TUNNEL), and that gate is left alone" },
  ),
  gates(
    "gives tunnels each other's payloads",
    ["gate1"],
    [],
    SOON,
    tunnels((tally) => swapping(tally)),
    { because: "records do not authenticate (E_TUNNEL)", downloads: 2 },
  ),
  gates(
    "replays a downloader's handshake",
    ["gate1"],
    [NO_TUNNEL],
    SOON,
    tunnels((tally) => replayingHandshakes(tally)),
  ),
  gates(
    "ends tunnels at once",
    ["gate1"],
    [],
    SOON,
    tunnels((tally) => endingAfter(tally, 3)),
    { because: "that gate is left alone, not the seeder" },
  ),
  gates(
    "ends tunnels once they carried 300 KiB, just too much to be blamed",
    ["gate1"],
    [],
    SOON,
    tunnels((tally) => endingAfter(tally, 5)),
    { because: "each brought something; other gates are tried first from then on" },
  ),
  gates(
    "lets tunnels stall",
    ["gate1"],
    [],
    SOON,
    tunnels((tally) => stallingAfter(tally, 3)),
    { because: "the slow seeder is asked through its other gate" },
  ),
  gates(
    "lets tunnels trickle",
    ["gate1"],
    [],
    SOON,
    tunnels((tally, world) => trickling(tally, world.clock, 1_000)),
    { because: "the slow seeder is asked through its other gate" },
  ),
  gates("asks for endless work", ["gate1"], [NO_TUNNEL], SOON, (honest, tally) => ({
    ...honest,
    [connect]: refusing(tally),
    [leases]: answering(tally, () => ({ l: [], n: Buffer.alloc(16, 1), w: 2 ** 31 })),
  })),
];

const SCOUT_SCENARIOS: readonly Scenario[] = [
  scouts("knows of no gate", [], "the other scout does, in this round or the next", () => ({ r: [] })),
  scouts("answers with forged relay infos", [], "their signatures are wrong: passed over", (world) => ({
    r: forgedInfos(world),
  })),
  scouts("answers with expired relay infos", [], "passed over", (world) => ({
    r: many(16, () => inventedInfo(world, { timeS: Math.floor(world.clock.nowMs() / 1000) - 2 * 86_400 })),
  })),
  scouts("answers with relay infos of another network", [], "passed over", (world) => ({
    r: many(16, () => inventedInfo(world, { networkId: 8 })),
  })),
  scouts("answers with private addresses", [], "passed over", (world) => ({
    r: many(16, () => inventedInfo(world, { endpoints: [{ host: "192.168.1.1", port: 22 }] })),
  })),
  scouts("answers without end", ["downloader: looking for seeders failed: E_DECODE"], "", (world) => ({
    r: many(17, () => inventedInfo(world)),
  })),
  scouts("names gates that are nowhere", [BAD_LEASES, NO_LEASES], "", (world) => ({
    r: many(16, () => inventedInfo(world)),
  })),
  {
    what: "never answers",
    where: "two of three scouts",
    noticed: ["downloader: looking for seeders failed: E_CIRCUIT"],
    because: "",
    atMost: SOON,
    hostile: at(["scout1", "scout2"], (honest, tally) => ({ ...honest, [scout]: silent(tally) })),
  },
];

/** What a member is told when it joins. */
const DIRECTORY_SCENARIOS: readonly Scenario[] = [
  {
    what: "answers samples with relays of its own making",
    where: "downloader's guard",
    noticed: [],
    because: "named by one source alone: vouched relays come first",
    atMost: SOON,
    hostile: at(["dg1"], (honest, tally, world) => ({
      ...honest,
      [directory]: answering(tally, () => ({ r: many(20, () => inventedInfo(world)) })),
    })),
  },
  {
    what: "answers samples with forged and foreign relay infos",
    where: "downloader's guard",
    noticed: [],
    because: "passed over",
    atMost: AT_ONCE,
    hostile: at(["dg1"], (honest, tally, world) => ({
      ...honest,
      [directory]: answering(tally, () => ({
        r: [...forgedInfos(world), ...many(16, () => inventedInfo(world, { networkId: 8 }))],
      })),
    })),
  },
  {
    what: "never answers when asked for relays",
    where: "downloader's guard",
    noticed: ["downloader: bootstrap: a relay is waited for, and another one asked"],
    atMost: AT_ONCE,
    hostile: at(["dg1"], (honest, tally) => ({ ...honest, [directory]: silent(tally) })),
  },
];

export const SERVICE_SCENARIOS: readonly Scenario[] = [
  ...GATE_SCENARIOS,
  ...SCOUT_SCENARIOS,
  ...DIRECTORY_SCENARIOS,
];
