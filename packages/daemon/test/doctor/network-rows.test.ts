import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clockRow,
  guardsRow,
  networkRow,
  reachabilityRow,
  type NetworkNow,
  type RelayNow,
} from "../../src/doctor/network-rows.ts";
import { dhtRow } from "../../src/doctor/kept-network.ts";
import { pagePortRow, relayPortRow } from "../../src/doctor/port-rows.ts";
import { proxyRow } from "../../src/doctor/proxy-row.ts";
import type { DoctorRow, DoctorStatus } from "../../src/doctor/rows.ts";

const MINUTE_MS = 60_000;
function network(more: Partial<NetworkNow> = {}): NetworkNow {
  return {
    network: { id: "0a0b0c0d", name: "Home", test: false, current: true, relaysKnown: 80 },
    state: "joined",
    guardCount: 3,
    privacy: { level: "fair", sentences: [] },
    circuitCount: 1,
    circuits: [],
    clockSkewMs: 0,
    ...more,
  };
}

function relay(more: Partial<RelayNow> = {}): RelayNow {
  return {
    mode: "auto",
    gate: false,
    state: "running",
    reachable: true,
    hostCount: 0,
    circuitCount: 0,
    guestCount: 0,
    carriedBytes: 0,
    port: 9001,
    sinceMs: 1,
    failure: null,
    ...more,
  };
}

const test1 = { id: "0a0b0c0d", name: "Home", test: true, current: true, relaysKnown: 7 };

const free = async (): Promise<undefined> => undefined;
const taken = async (): Promise<string> => "EADDRINUSE";
const forbidden = async (): Promise<string> => "EACCES";
const page = { isOn: true, host: "127.0.0.1", port: 7420, isFixed: true };

/** Would catch: a problem that is called none, the other way round, and one that nobody is told a way out of. */
const CASES: readonly (readonly [
  what: string,
  () => DoctorRow | Promise<DoctorRow>,
  DoctorStatus,
  found: RegExp,
])[] = [
  ["a right clock", () => clockRow(network()), "ok", /^as its neighbours'$/],
  [
    "a clock that is five minutes behind",
    () => clockRow(network({ clockSkewMs: 5 * MINUTE_MS })),
    "ok",
    /^5 min behind/,
  ],
  [
    "a clock that is ten minutes ahead",
    () => clockRow(network({ clockSkewMs: -10 * MINUTE_MS })),
    "warn",
    /^10 min ahead of/,
  ],
  [
    "a clock at the bound",
    () => clockRow(network({ clockSkewMs: 60 * MINUTE_MS })),
    "warn",
    /^60 min behind/,
  ],
  [
    "a clock beyond it",
    () => clockRow(network({ clockSkewMs: -60 * MINUTE_MS - 1 })),
    "fail",
    /^60 min ahead of/,
  ],
  ["a clock nobody knows", () => clockRow(network({ clockSkewMs: null })), "unknown", /nobody was there yet/],
  ["a clock without a daemon", () => clockRow(undefined), "unknown", /without a daemon/],

  ["a network", () => networkRow(network()), "ok", /^“Home”, joined; 80 relays known$/],
  [
    "a network that rests",
    () => networkRow(network({ state: "idle" })),
    "ok",
    /not joined while there is nothing to do/,
  ],
  ["no network", () => networkRow(network({ network: null, state: "none" })), "warn", /^none/],
  ["a network out of reach", () => networkRow(network({ state: "failed" })), "fail", /could not be joined/],
  ["a test network", () => networkRow(network({ network: test1 })), "warn", /7 relays known/],
  [
    "a network that hides little",
    () => networkRow(network({ privacy: { level: "small", sentences: ["it is small"] } })),
    "warn",
    /joined/,
  ],
  ["a network without a daemon", () => networkRow(undefined), "unknown", /without a daemon/],

  ["guards that answer", () => guardsRow(network(), 2), "ok", /^3 known, 1 circuit through them$/],
  ["guards that do not", () => guardsRow(network({ circuitCount: 0 }), 2), "warn", /no circuit/],
  [
    "guards that are not needed",
    () => guardsRow(network({ state: "idle", circuitCount: 0, guardCount: 0 }), 2),
    "unknown",
    /^2 known; asked when/,
  ],
  ["guards without a daemon", () => guardsRow(undefined, 2), "unknown", /^2 known; .*without a daemon/],
  [
    "no network's guards without a daemon",
    () => guardsRow(undefined, undefined),
    "unknown",
    /without a daemon/,
  ],

  ["a relay that others dial", () => reachabilityRow(relay()), "ok", /dial/],
  [
    "a relay behind a router",
    () => reachabilityRow(relay({ reachable: false, hostCount: 2 })),
    "warn",
    /2 relays$/,
  ],
  ["a relay that asks", () => reachabilityRow(relay({ reachable: null })), "unknown", /being found out/],
  [
    "a relay that failed",
    () => reachabilityRow(relay({ state: "failed", reachable: null })),
    "fail",
    /does not run/,
  ],
  [
    "no relay by decision",
    () => reachabilityRow(relay({ state: "off", mode: "off" })),
    "ok",
    /as was decided/,
  ],
  [
    "no relay without one",
    () => reachabilityRow(relay({ state: "off", mode: null })),
    "ok",
    /nobody has decided/,
  ],
  ["a relay without a daemon", () => reachabilityRow(undefined), "unknown", /without a daemon/],

  ["the port of a relay that runs", () => relayPortRow(9001, relay(), taken), "ok", /^listening at 9001$/],
  [
    "a free port for a relay",
    () => relayPortRow(9001, relay({ state: "off" }), free),
    "ok",
    /^9001 is free$/,
  ],
  [
    "a taken port for a relay",
    () => relayPortRow(9001, relay({ state: "off" }), taken),
    "fail",
    /taken by another/,
  ],
  [
    "a taken port that may be a relay in a terminal",
    () => relayPortRow(9001, undefined, taken),
    "warn",
    /taken/,
  ],
  ["any port for a relay", () => relayPortRow(0, undefined, taken), "ok", /a free one is taken/],
  [
    "a port for the system alone",
    () => relayPortRow(443, undefined, forbidden),
    "fail",
    /443 is not for ordinary/,
  ],

  ["a page", () => pagePortRow(page, "http://127.0.0.1:7420/", taken), "ok", /served at http/],
  ["a page that is off", () => pagePortRow({ ...page, isOn: false }, null, taken), "ok", /off/],
  ["a page that is missing", () => pagePortRow(page, null, taken), "warn", /not served/],
  ["a free port for a page", () => pagePortRow(page, undefined, free), "ok", /7420 is free/],
  ["a taken port for a page", () => pagePortRow(page, undefined, taken), "fail", /7420 is taken/],
  [
    "a taken port that nobody chose",
    () => pagePortRow({ ...page, isFixed: false }, undefined, taken),
    "warn",
    /7420 is taken/,
  ],

  ["no proxy", () => proxyRow(null, async () => false), "ok", /^none/],
  [
    "a proxy",
    () => proxyRow("socks5://127.0.0.1:9050", async (host, port) => `${host} ${port}` === "127.0.0.1 9050"),
    "ok",
    /is there/,
  ],
  [
    "a proxy that is not there",
    () => proxyRow("socks5://ann:secret@127.0.0.1:9050", async () => false),
    "fail",
    /^it does not answer/,
  ],

  ["a way into the DHT", () => dhtRow({ guardCount: 0, dhtEntryCount: 12 }, false), "ok", /^12 ways/],
  ["no way into the DHT", () => dhtRow({ guardCount: 0, dhtEntryCount: 0 }, false), "warn", /nobody/],
  [
    "the DHT behind a proxy",
    () => dhtRow({ guardCount: 0, dhtEntryCount: 1 }, true),
    "ok",
    /^1 way .*never this computer/,
  ],
  ["the DHT of no network", () => dhtRow(undefined, false), "unknown", /no network/],
];

for (const [what, look, status, found] of CASES) {
  test(`${what}: ${status}`, async () => {
    const row = await look();
    assert.equal(row.status, status);
    assert.match(row.found, found);
    if (status === "fail" || status === "warn") assert.ok(row.fix, "nothing is to be done about it?");
    assert.ok(!JSON.stringify(row).includes("secret"));
  });
}
