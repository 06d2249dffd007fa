import { isBackroomError } from "@backroom/core/base/errors.ts";
import { runRelay } from "@backroom/core/node/relay-node.ts";
import type { RunningRelay } from "@backroom/core/node/running-relay.ts";
import type { RelayMode, RelaySetting } from "@backroom/core/node/relay-setting.ts";
import type { RelayOptions } from "../commands/relay.ts";
import type { Result } from "../contract.ts";
import { idleRelay } from "../network/relay.ts";
import type { Session } from "../session.ts";
import { count, formatBytes } from "../ui/format.ts";
import { terminalHooks, yesTo } from "../ui/hooks.ts";
import type { Terminal } from "../ui/terminal.ts";
import { decideRelay } from "./relay-consent.ts";

/** How often people are told how the relay does. */
const REPORT_MS = 60_000;

/** Relays in this process until it is stopped, as far as the person consents. */
export async function relayHere(
  setting: RelayMode | undefined,
  options: RelayOptions,
  session: Session,
): Promise<void> {
  const { terminal, signal, dataFolder, proxy, lan } = session;
  const hooks = terminalHooks(terminal, new Set());
  const said: RelaySetting = {
    ...(setting === undefined ? {} : { relay: setting }),
    ...(options.gate === undefined ? {} : { gate: options.gate }),
  };
  const implied = options.host === undefined ? undefined : "on";
  const { relay: mode, gate } = await decideRelay(said, implied, session, yesTo);
  if (mode === "off") {
    terminal.note("This computer does not relay. To change that: backroom relay auto");
    terminal.result("off", { ...idleRelay({ relay: "off", gate }) } satisfies Result<"relay off">);
    return;
  }
  if (mode === "auto") hooks.status("Asking other relays whether this computer can be reached …");
  let shown: ShownRelay | undefined;
  await runRelay(
    {
      dataFolder,
      proxy,
      lan,
      hosts: options.host,
      findOut: mode === "auto" && options.host === undefined,
      port: options.port ?? 0,
      gate,
      signal,
      onReady: (relay) => void (shown = showRelay(relay, mode, gate, options, session)),
    },
    {
      ...hooks,
      event(name, data) {
        hooks.event(name, data);
        if (name === "standing") shown?.noteStanding();
      },
    },
  );
  await shown?.end();
  terminal.note("Stopped.");
}

/** A relay that runs, as people see it. */
interface ShownRelay {
  /** Whether others reach it is another thing now. */
  noteStanding(): void;
  /** Once it has stopped: fulfilled when its siblings have, too. */
  end(): Promise<void>;
}

/** Says that it runs, has its siblings begin, and tells now and then how it does. */
function showRelay(
  relay: RunningRelay,
  mode: RelayMode,
  gate: boolean,
  options: RelayOptions,
  session: Session,
): ShownRelay {
  const { terminal } = session;
  const { port, nodeKey, reachable, hostCount: hosts } = relay;
  terminal.end();
  noteStanding(terminal, relay, gate);
  terminal.note(
    "What passes through is encrypted: this relay cannot read it, and reaches nothing outside the network.",
  );
  terminal.note("Press Ctrl-C to stop.");
  terminal.event("ready", { port, nodeKey, invite: inviteOf(relay), reachable, hosts, gate });
  const siblings = startSiblings(relay, mode, gate, options, session).catch((error: unknown) => {
    if (!isBackroomError(error)) throw error;
    terminal.warn(`the other relays could not be started: ${error.message}`);
  });
  const report = setInterval(() => noteWork(terminal, relay), REPORT_MS).unref();
  return {
    noteStanding: () => noteStanding(terminal, relay, gate),
    async end() {
      clearInterval(report);
      await siblings;
      noteWork(terminal, relay);
    },
  };
}

/** The other relays, once the first one can name itself to them. */
async function startSiblings(
  relay: RunningRelay,
  mode: RelayMode,
  gate: boolean,
  { processes = 1, port = 0, host }: RelayOptions,
  session: Session,
): Promise<void> {
  if (processes === 1) return;
  const invite = inviteOf(relay);
  if (invite === null) {
    session.terminal.warn("this relay knows no other one yet, so it runs alone; start it again later");
    return;
  }
  const { runSiblings } = await import("./relay-siblings.ts");
  await runSiblings({ count: processes - 1, mode, gate, hosts: host, port, invite }, session);
}

/** A guest that knows no relay yet has nobody to name. */
function inviteOf(relay: RunningRelay): string | null {
  try {
    return relay.invite();
  } catch (error) {
    if (isBackroomError(error, "E_NO_RELAYS")) return null;
    throw error;
  }
}

function noteWork(terminal: Terminal, relay: RunningRelay): void {
  const { relaysKnown, circuits, bytesCarried, guests } = relay.stats();
  const parts = [`${count(relaysKnown, "relay")} known`, count(circuits, "circuit")];
  if (guests > 0) parts.push(count(guests, "guest"));
  terminal.note(`${parts.join(", ")}, ${formatBytes(bytesCarried)} carried.`);
  terminal.event("relaying", { relaysKnown, circuits, guests, carriedBytes: bytesCarried });
}

function noteStanding(terminal: Terminal, relay: RunningRelay, gate: boolean): void {
  const network = `for the network “${relay.networkName}”`;
  if (relay.reachable) {
    const as = gate ? ", also as a gate" : "";
    terminal.note(`Relaying on port ${relay.port} ${network}${as}.`);
    return;
  }
  const how =
    relay.hostCount > 0
      ? `it helps ${network} as a middle hop, over channels that it opened to ${count(relay.hostCount, "relay")}`
      : `and no relay ${network} keeps a channel to it yet; it goes on trying`;
  terminal.note(
    `Nobody outside can reach this computer: ${how}. To be a relay that others dial, let the router hand on TCP port ${relay.port} to it, or turn on UPnP or NAT-PMP there.`,
  );
}
