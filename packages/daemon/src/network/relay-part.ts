import type { Answer, Input } from "@backroom/api/routes.ts";
import { isBackroomError, type BackroomError } from "@backroom/core/base/errors.ts";
import type { RateLimit } from "@backroom/core/base/rate-limit.ts";
import { parseInvite } from "@backroom/core/link/invite.ts";
import { runRelay, type RelayOptions } from "@backroom/core/node/relay-node.ts";
import type { RunningRelay } from "@backroom/core/node/running-relay.ts";
import { openRelayKeys } from "@backroom/core/node/relay-keys.ts";
import { readRelaySetting, saveRelaySetting, type RelaySetting } from "@backroom/core/node/relay-setting.ts";
import type { Hooks } from "@backroom/core/node/hooks.ts";
import type { DaemonContext, Part } from "../context.ts";
import { createTeller } from "./teller.ts";
import { RelaySupervisor, type RelayRun, type RelayWish } from "./relay-supervisor.ts";

/** How often clients hear of what a relay carries. */
const TELL_MS = 5_000;

export interface RelayPartDeps {
  readonly limit: RateLimit;
  /** Told the relay's node key, in hex, before it is known to others: no path of this computer may lead through it. */
  onOwnKey(nodeKey: string): void;
  /** Absent: core's. */
  readonly run?: (options: RelayOptions, hooks: Hooks) => Promise<void>;
}

export interface RelayPart extends Part<"relay" | "setRelay"> {
  /** The network in use is another one. */
  restart(): void;
  /** Decides anew whether it is to run: the limit is another one. */
  apply(): void;
  /** An invite that names this relay; undefined where it does not run, or nobody could join through what it knows. */
  invite(): Answer<"makeInvite"> | undefined;
}

/** The relay as a part of the daemon. It runs where the person has said so, and then for as long as the daemon does. */
export async function createRelayPart(context: DaemonContext, deps: RelayPartDeps): Promise<RelayPart> {
  const { folder, settings, events, log, machine } = context;
  const where = { dataFolder: folder.root };
  let { setting, damage } = await readSetting();
  const supervisor = new RelaySupervisor({
    clock: machine.clock,
    log,
    run,
    onChange: () => teller.look(),
  });
  const teller = createTeller({
    clock: machine.clock,
    everyMs: TELL_MS,
    read: status,
    essenceOf: (state: Answer<"relay">) => state,
    isLive: () => supervisor.relay !== undefined,
    tell: (state) => events.publish({ name: "relay", data: state }),
  });
  settings.onChange((key) => {
    if (key === "relay.port" || key === "relay.hosts") apply();
    if (key === "network.proxy" || key === "network.lan") supervisor.restart();
  });
  apply();

  /** A damaged consent is none. */
  async function readSetting(): Promise<{ setting: RelaySetting; damage: BackroomError | undefined }> {
    try {
      return { setting: await readRelaySetting(where), damage: undefined };
    } catch (error) {
      if (!isBackroomError(error)) throw error;
      log("warn", "the relay's setting could not be read: it does not run", { code: error.code });
      return { setting: {}, damage: error };
    }
  }

  function apply(): void {
    supervisor.want(deps.limit.rate === 0 ? undefined : wishOf(setting, settings));
    teller.look();
  }

  async function run(wish: RelayWish, now: RelayRun): Promise<void> {
    const keys = await openRelayKeys(folder, machine.clock);
    deps.onOwnKey(keys.node.publicBytes.toString("hex"));
    const options: RelayOptions = {
      dataFolder: folder.root,
      proxy: settings.get("network.proxy") ?? undefined,
      lan: settings.get("network.lan"),
      hosts: wish.hosts.length === 0 ? undefined : wish.hosts,
      findOut: wish.mode === "auto",
      port: wish.port,
      gate: wish.gate,
      limit: deps.limit,
      signal: now.signal,
      onReady: (relay) => now.onReady(relay),
    };
    const notice = (level: "note" | "warn", text: string): void =>
      events.publish({ name: "notice", data: { level, text, transfer: null } });
    await (deps.run ?? runRelay)(options, {
      progress() {},
      status() {},
      event: (name) => {
        if (name === "standing") now.onStanding();
      },
      note: (text) => notice("note", text),
      warn: (text) => notice("warn", text),
      // Consent is asked for by whoever sets the relay.
      confirm: () => Promise.resolve(false),
      log,
    });
  }

  function status(): Answer<"relay"> {
    const { state, relay, sinceMs } = supervisor;
    const failure = supervisor.failure ?? damage;
    return {
      mode: setting.relay ?? null,
      gate: setting.gate ?? false,
      state,
      ...countsOf(relay),
      sinceMs: sinceMs ?? null,
      failure: failure === undefined ? null : failureOf(failure),
    };
  }

  async function set({ mode, gate, port }: Input<"setRelay">): Promise<Answer<"setRelay">> {
    const decided = { relay: mode, ...(gate === undefined ? {} : { gate }) };
    const next = { ...setting, ...decided };
    await saveRelaySetting(where, next);
    setting = next;
    damage = undefined;
    if (port !== undefined && port !== settings.get("relay.port")) await settings.set("relay.port", port);
    apply();
    return status();
  }

  return {
    handlers: { relay: async () => status(), setRelay: set },
    restart: () => supervisor.restart(),
    apply,
    invite: () => (supervisor.relay === undefined ? undefined : inviteOf(supervisor.relay)),
    async close() {
      teller.close();
      await supervisor.close();
    },
  };
}

function wishOf({ relay, gate }: RelaySetting, settings: DaemonContext["settings"]): RelayWish | undefined {
  if (relay === undefined || relay === "off") return undefined;
  const hosts = settings.get("relay.hosts").split(",");
  return {
    mode: relay,
    // Without a word about it there is no consent.
    gate: gate ?? false,
    port: settings.get("relay.port"),
    hosts: hosts.filter((host) => host !== "" && relay === "on"),
  };
}

type Counts = Pick<
  Answer<"relay">,
  "reachable" | "hostCount" | "circuitCount" | "guestCount" | "carriedBytes" | "port"
>;

function countsOf(relay: RunningRelay | undefined): Counts {
  if (relay === undefined) {
    return { reachable: null, hostCount: 0, circuitCount: 0, guestCount: 0, carriedBytes: 0, port: null };
  }
  const { circuits, guests, bytesCarried } = relay.stats();
  const { reachable, hostCount, port } = relay;
  return {
    reachable,
    hostCount,
    circuitCount: circuits,
    guestCount: guests,
    carriedBytes: bytesCarried,
    port,
  };
}

function inviteOf(relay: RunningRelay): Answer<"makeInvite"> | undefined {
  try {
    const invite = relay.invite();
    return { invite, relayCount: parseInvite(invite).relays.length };
  } catch (error) {
    if (isBackroomError(error, "E_NO_RELAYS")) return undefined;
    throw error;
  }
}

function failureOf({ code, message, why, fix }: BackroomError): NonNullable<Answer<"relay">["failure"]> {
  return { code, what: message, why, fix };
}
