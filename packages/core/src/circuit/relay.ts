import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { silentLog, type Log, type LogWord } from "../base/log.ts";
import type { RateLimit } from "../base/rate-limit.ts";
import type { KeyPair } from "../crypto/keys.ts";
import type { Channel, Dialer } from "../net/channel.ts";
import { DATA_FRAME_BYTES } from "../net/frame.ts";
import type { ChannelMux } from "./channel-mux.ts";
import { ChannelPool, type ChannelTarget, type ExtendTarget } from "./channel-pool.ts";
import { DESTROY_REASON } from "./control.ts";
import { PROTOCOL_ID, serverReply } from "./handshake.ts";
import { HopLayers, MAX_HOPS, RelayLayers } from "./layer.ts";
import type { Leg } from "./leg.ts";
import { RelayAdmission } from "./relay-admission.ts";
import { RelayCircuit, type RelayContext } from "./relay-circuit.ts";
import type { Service, ServiceHandler } from "./stream.ts";

export interface RelayDeps {
  /** The relay's public node key, 32 bytes. */
  readonly nodeKey: Uint8Array;
  /** The current onion key and the one before it; asked at each handshake, so they may change. */
  onionKeys(): readonly KeyPair[];
  /** Dials as a relay, proving the node key. */
  readonly dialer: Dialer;
  readonly clock: Clock;
  /** Whether the network knows a relay of that key. Anybody can prove a key; only relays get what carries many people's circuits. */
  isRelay(nodeKey: Buffer): boolean;
  /** Checks a signed relay info that EXTEND brought, and says where to dial it. Throws when it must not be dialled. */
  resolveExtend(info: Buffer): ExtendTarget;
  /** Read at each BEGIN, so services may come and go. */
  readonly services: Partial<Record<Service, ServiceHandler>>;
  readonly log?: Log;
  /** How late the event loop is lately; absent: never. */
  lagMs?(): number;
  /** Of all frames that leave, towards either side. Absent: as fast as it goes. */
  readonly limit?: RateLimit;
  /** For tests; see CircuitDeps. */
  readonly ratchetFrames?: number;
  /** For tests that cannot fill LIMITS.relayQueueMostBytes. */
  readonly mostQueuedBytes?: number;
}

export interface RelayStats {
  readonly channels: number;
  readonly circuits: number;
  /** DATA frames that wait here right now, and bytes of those carried since the start. */
  readonly queuedFrames: number;
  readonly queuedBytes: number;
  readonly forwardedBytes: number;
  readonly refusedCircuits: number;
}

export interface Relay {
  /** Takes over a channel that somebody opened to this relay. */
  accept(channel: Channel): void;
  /** Dials a host and keeps the channel, over which it may extend circuits to here; as `ChannelPool.keep`. */
  keep(host: ChannelTarget, onClose: () => void): Promise<() => void>;
  /** Keeps the channel that a guest of that key opened to here; false where there is none. `onClose` is called once at its end. */
  keepGuest(nodeKey: Uint8Array, onClose: () => void): boolean;
  /** Where the channel of that key comes from; undefined where there is none. */
  hostOf(nodeKey: Uint8Array): string | undefined;
  stats(): RelayStats;
  /** Closes every channel, and with them every circuit. */
  close(): void;
}

/**
 * The relay: answers CREATE, carries circuits, offers services at its end of them. Overload refuses new circuits and leaves those that
 * live alone.
 */
export function createRelay(deps: RelayDeps): Relay {
  const mostBytes = deps.mostQueuedBytes ?? LIMITS.relayQueueMostBytes;
  const log = deps.log ?? silentLog;
  const meter = {
    queuedFrames: 0,
    queuedBytes: 0,
    heldFrames: 0,
    forwardedBytes: 0,
    mostBytes,
    onFull: makeRoom,
  };
  const circuits = new Set<RelayCircuit>();
  const admission = new RelayAdmission({
    clock: deps.clock,
    isRelay,
    load: () => ({
      circuits: circuits.size,
      queuedBytes: meter.queuedBytes,
      backlogMs: backlogMs(deps.limit?.rate ?? null, meter.queuedBytes),
    }),
    lagMs: () => deps.lagMs?.() ?? 0,
  });
  const channels = new ChannelPool({
    dialer: deps.dialer,
    clock: deps.clock,
    log,
    onCreate: create,
    crowding,
    ...(deps.limit === undefined ? {} : { limit: deps.limit }),
    mostCircuits: (channel) => (isRelay(channel) ? LIMITS.circuitsPerRelay : LIMITS.circuitsPerClient),
  });
  let refusedCircuits = 0;
  let cancelSweep = deps.clock.after(LIMITS.circuitSweepMs, sweep);

  /**
   * Windows shrink from a quarter of what may wait here on, and are at their least at half: before anybody is refused, and long before one is ended.
   * The same where a limit of speed makes little take long.
   */
  function crowding(): number {
    const part = (meter.queuedBytes + meter.heldFrames * DATA_FRAME_BYTES) / mostBytes;
    const late = backlogMs(deps.limit?.rate ?? null, meter.queuedBytes) / LIMITS.relayBacklogMs;
    return Math.max(0, Math.min(1, Math.max(4 * part - 1, 2 * late - 1)));
  }

  function create(leg: Leg, message: Buffer, mux: ChannelMux): void {
    admission.create(mux, {
      leg,
      message,
      serve: (waited) => answer(leg, waited, mux),
      refuse: () => refuse(leg, "busy"),
    });
  }

  function answer(leg: Leg, message: Buffer, mux: ChannelMux): void {
    try {
      const identity = { protocolId: PROTOCOL_ID.hop, nodeId: deps.nodeKey, onionKeys: deps.onionKeys() };
      const { reply, keys, position } = serverReply(identity, message);
      if (position < 1 || position > MAX_HOPS) return refuse(leg, "malformed");
      const layers = new RelayLayers(new HopLayers(keys, deps.ratchetFrames), position);
      const context = contextFor(mux);
      circuits.add(new RelayCircuit(context, leg, mux.channel, layers, position));
      leg.sendCreated(reply);
      log("debug", "a circuit was opened", { circuitCount: circuits.size });
    } catch (error) {
      if (!(error instanceof BackroomError)) throw error;
      refuse(leg, "malformed");
    }
  }

  function refuse(leg: Leg, reason: LogWord): void {
    refusedCircuits++;
    log("debug", "a circuit was refused", { reason, circuitCount: circuits.size });
    leg.destroy(DESTROY_REASON.refused);
  }

  function isRelay({ peerKey }: Channel): boolean {
    return peerKey !== undefined && deps.isRelay(peerKey);
  }

  function contextFor(mux: ChannelMux): RelayContext {
    return {
      clock: deps.clock,
      channels,
      nodeKey: deps.nodeKey,
      services: deps.services,
      meter,
      log,
      resolveExtend: (info) => deps.resolveExtend(info),
      takeExtendSlot: () => admission.takeExtendSlot(mux),
      onCircuitEnded: (circuit) => {
        circuits.delete(circuit);
        log("debug", "a circuit ended", { circuitCount: circuits.size });
      },
    };
  }

  /** The circuit that holds most is the one that nobody reads from; of several the oldest, for the others may just be busy. */
  function makeRoom(): void {
    while (meter.queuedBytes > mostBytes) {
      const [first, ...others] = circuits;
      if (first === undefined) return;
      const most = others.reduce((a, b) => (b.heldBytes > a.heldBytes ? b : a), first);
      log("warn", "too much waits: the circuit that holds most was ended", { heldBytes: most.heldBytes });
      most.end(DESTROY_REASON.broken, DESTROY_REASON.gone);
    }
  }

  function sweep(): void {
    for (const circuit of circuits) circuit.sweep();
    cancelSweep = deps.clock.after(LIMITS.circuitSweepMs, sweep);
  }

  return {
    accept: (channel) => void channels.adopt(channel),
    keep: (host, onClose) => channels.keep(host, onClose),
    keepGuest: (nodeKey, onClose) => channels.keepOf(nodeKey, onClose),
    hostOf: (nodeKey) => channels.hostOf(nodeKey),
    stats: () => ({
      channels: channels.size,
      circuits: circuits.size,
      refusedCircuits,
      queuedFrames: meter.queuedFrames,
      queuedBytes: meter.queuedBytes,
      forwardedBytes: meter.forwardedBytes,
    }),
    close: () => {
      cancelSweep();
      admission.close();
      channels.close();
    },
  };
}

/** How long it takes until what waits has left at that rate. */
function backlogMs(rate: number | null, bytes: number): number {
  if (rate === null) return 0;
  return rate === 0 ? Infinity : (bytes / rate) * 1000;
}
