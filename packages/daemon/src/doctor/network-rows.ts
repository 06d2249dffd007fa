import type { Answer } from "@backroom/api/routes.ts";
import { LIMITS } from "@backroom/core/base/limits.ts";
import { counted } from "./amounts.ts";
import { row, type DoctorRow } from "./rows.ts";

export type NetworkNow = Answer<"network">;
export type RelayNow = Answer<"relay">;

/** What only a running daemon can see; the row of the daemon says what to do about it. */
const UNSEEN = "not seen without a daemon";
/** A clock that is this wrong still works, and goes on drifting. */
const DRIFT_MS = LIMITS.clockSkewMs / 10;

export function daemonRow(isRunning: boolean): DoctorRow {
  if (isRunning) return row("daemon", "ok", "it runs, and looked for itself");
  return row("daemon", "unknown", "none runs, and some things only a daemon sees", {
    fix: "start it, and ask again: backroom daemon start",
  });
}

export function clockRow(network: NetworkNow | undefined): DoctorRow {
  const check = "clock";
  if (network === undefined) return row(check, "unknown", UNSEEN);
  const skew = network.clockSkewMs;
  if (skew === null) return row(check, "unknown", "nobody was there yet to compare it with");
  const seconds = Math.round(Math.abs(skew) / 1000);
  const found =
    seconds < 2
      ? "as its neighbours'"
      : `${duration(seconds)} ${skew > 0 ? "behind" : "ahead of"} its neighbours'`;
  const fix = "set the clock and the time zone right, best by turning on automatic time";
  if (Math.abs(skew) > LIMITS.clockSkewMs) return row(check, "fail", found, { fix });
  return Math.abs(skew) > DRIFT_MS ? row(check, "warn", found, { fix }) : row(check, "ok", found);
}

export function networkRow(network: NetworkNow | undefined): DoctorRow {
  const check = "network";
  if (network === undefined) return row(check, "unknown", UNSEEN);
  const { state, privacy } = network;
  if (network.network === null) {
    return row(check, "warn", "none was joined yet", {
      fix: "join one with: backroom net join INVITE; or let a link bring you there: backroom get LINK",
    });
  }
  const { name, relaysKnown, test } = network.network;
  const relays = `${counted(relaysKnown, "relay")} known`;
  if (state === "failed") {
    return row(check, "fail", `“${name}” could not be joined; ${relays}`, {
      fix: "check the connection to the internet and the proxy, or join again with a newer invite: backroom net join INVITE",
    });
  }
  const now = {
    none: "not in use",
    idle: "not joined while there is nothing to do",
    joining: "being joined",
    joined: "joined",
  };
  const found = `“${name}”, ${now[state]}; ${relays}`;
  if (test)
    return row(check, "warn", found, {
      fix: "a test network: its operator sees everything. Join another for what matters",
    });
  if (privacy !== null && privacy.level !== "fair") {
    return row(check, "warn", found, { fix: privacy.sentences[0] ?? "it hides little while it is small" });
  }
  return row(check, "ok", found);
}

/** `kept`: how many stand in the data folder. */
export function guardsRow(network: NetworkNow | undefined, kept: number | undefined): DoctorRow {
  const check = "guards";
  if (network === undefined) {
    const found =
      kept === undefined ? UNSEEN : `${kept} known; whether they answer is not seen without a daemon`;
    return row(check, "unknown", found);
  }
  const { guardCount, state, circuitCount } = network;
  const known = `${Math.max(guardCount, kept ?? 0)} known`;
  if (state !== "joined") return row(check, "unknown", `${known}; asked when there is something to do`);
  if (circuitCount > 0) {
    return row(check, "ok", `${known}, ${counted(circuitCount, "circuit")} through them`);
  }
  return row(check, "warn", `${known}, and no circuit through them yet`, {
    fix: "wait a minute and ask again; if it stays so, check the firewall, or join again with a newer invite",
  });
}

export function reachabilityRow(relay: RelayNow | undefined): DoctorRow {
  const check = "reachability";
  if (relay === undefined) return row(check, "unknown", UNSEEN);
  if (relay.state === "off") {
    const found = relay.mode === null ? "no relay, nobody has decided yet" : "no relay, as was decided";
    return row(check, "ok", found, {
      fix: relay.mode === null ? "whoever can, helps: backroom relay auto" : null,
    });
  }
  if (relay.state === "failed") {
    const { what, fix } = relay.failure ?? {
      what: "it could not be started",
      fix: "see why: backroom daemon logs",
    };
    return row(check, "fail", `the relay does not run: ${what}`, { fix });
  }
  if (relay.reachable === null) return row(check, "unknown", "being found out");
  if (relay.reachable) return row(check, "ok", "others dial this relay");
  const hosts = counted(relay.hostCount, "relay");
  const open = relay.port === null ? "its port" : `TCP port ${relay.port}`;
  return row(check, "warn", `nobody outside can dial it; it helps over channels to ${hosts}`, {
    fix: `let the router hand on ${open} to this computer, or turn on UPnP or NAT-PMP there`,
  });
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
