import type { Answer } from "@backroom/api/routes.ts";
import { readRelaySetting, type RelayMode, type RelaySetting } from "@backroom/core/node/relay-setting.ts";
import type { RelayOptions } from "../commands/relay.ts";
import type { Result } from "../contract.ts";
import { decideRelay } from "../foreground/relay-consent.ts";
import type { Session } from "../session.ts";
import { count, formatBytes, formatTime } from "../ui/format.ts";
import { yesTo } from "../ui/hooks.ts";
import { factLines } from "../ui/table.ts";

type RelayStatus = Answer<"relay">;

/** Says whether this computer relays; somebody at a terminal who has never been asked is asked now. */
export async function showOrAskRelay(session: Session): Promise<void> {
  const setting = await readRelaySetting(session);
  if (setting.relay !== undefined || !session.terminal.interactive) return showRelay(session);
  const { relay, gate } = await decideRelay({}, undefined, session, yesTo);
  await apply({ mode: relay, gate }, session);
}

export async function showRelay(session: Session): Promise<void> {
  const client = await session.daemon.find();
  const status =
    client === undefined ? idleRelay(await readRelaySetting(session)) : await client.call("relay");
  show(status, client !== undefined, session);
}

/** What was said on the command line is consent; of gates somebody is asked who never has been. */
export async function setRelay(mode: RelayMode, options: RelayOptions, session: Session): Promise<void> {
  const said: RelaySetting = { relay: mode, ...(options.gate === undefined ? {} : { gate: options.gate }) };
  const { relay, gate } = await decideRelay(said, undefined, session, yesTo);
  await apply({ mode: relay, gate, ...(options.port === undefined ? {} : { port: options.port }) }, session);
}

/** Nobody starts a daemon so that it does not relay. */
async function apply(
  change: { readonly mode: RelayMode; readonly gate: boolean; readonly port?: number },
  session: Session,
): Promise<void> {
  const { daemon } = session;
  const client = change.mode === "off" ? await daemon.find() : await daemon.ensure();
  if (client === undefined) show(idleRelay({ relay: "off", gate: change.gate }), false, session);
  else show(await client.call("setRelay", change), true, session);
}

/** What is to be said of a relay that does not run, by what was decided. */
export function idleRelay({ relay, gate }: RelaySetting): RelayStatus {
  return {
    mode: relay ?? null,
    gate: gate ?? false,
    state: "off",
    reachable: null,
    hostCount: 0,
    circuitCount: 0,
    guestCount: 0,
    carriedBytes: 0,
    port: null,
    sinceMs: null,
    failure: null,
  };
}

const MODES = {
  auto: "auto: whether others reach this computer is found out",
  on: "on: others are taken to reach this computer",
  off: "off",
};

function show(status: RelayStatus, hasDaemon: boolean, { terminal }: Session): void {
  for (const line of factLines(factsOf(status), terminal.columns)) terminal.print(line);
  if (status.mode === null) terminal.note("To relay: backroom relay auto. It asks first what that may be.");
  else if (status.mode !== "off" && !hasDaemon) {
    terminal.note("No daemon runs, so nothing is relayed. To start it: backroom daemon start");
  }
  terminal.result("", { ...status } satisfies Result<"relay status">);
}

type Fact = readonly [string, string];

function factsOf(status: RelayStatus): Fact[] {
  const { mode, gate, state, reachable, hostCount, port, sinceMs, failure } = status;
  const facts: Fact[] = [["Setting", mode === null ? "not decided" : MODES[mode]]];
  if (mode !== "off" && mode !== null) facts.push(["Gate", gate ? "yes" : "no"]);
  facts.push(["State", state]);
  if (failure !== null) facts.push(["Error", `${failure.code}: ${failure.what}`], ["Try", failure.fix]);
  if (state === "off" || state === "failed") return facts;
  facts.push(["Reached", reachText(reachable, hostCount)]);
  if (port !== null) facts.push(["Port", String(port)]);
  if (sinceMs !== null) facts.push(["Since", formatTime(sinceMs)]);
  const { circuitCount, guestCount, carriedBytes } = status;
  const parts = [count(circuitCount, "circuit"), ...(guestCount > 0 ? [count(guestCount, "guest")] : [])];
  facts.push(["Carries", `${parts.join(", ")}; ${formatBytes(carriedBytes)} so far`]);
  return facts;
}

function reachText(reachable: boolean | null, hostCount: number): string {
  if (reachable === null) return "being found out";
  if (reachable) return "others dial it";
  return hostCount > 0
    ? `not from outside; ${count(hostCount, "relay")} keep a channel to it`
    : "not from outside, and by no relay's channel yet";
}
