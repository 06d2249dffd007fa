import type { BencodedDict, BencodedValue } from "../base/bencode.ts";
import type { Clock } from "../base/clock.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError, isBackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { askService } from "../circuit/messages.ts";
import { SERVICE, type Circuit } from "../circuit/stream.ts";
import { readBytes, readInteger } from "../directory/fields.ts";
import {
  encodeConnect,
  NONCE_LENGTH,
  solveConnect,
  type ConnectTerms,
  type ConnectWork,
  type SolveDeps,
} from "./connect-work.ts";
import { SEALED_LEASE_BYTES } from "./lease.ts";
import { dialTunnel, type TunnelPeer } from "./tunnel.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";

const MOST_EFFORT = 2 ** 32 - 1;
/** Where anything is asked for: some 80 ms of work. */
const LEAST_BID = 64;

export interface GateAnswer {
  /** At most 8, sealed. */
  readonly leases: readonly Buffer[];
  /** What a tunnel to one of the topic's seeders takes now. */
  readonly terms: ConnectTerms;
}

/**
 * What a gate holds for a topic. Raises E_GATE for an answer that is none, and what `askService` raises.
 */
export async function askLeases(circuit: Circuit, topic: Buffer, clock: Clock): Promise<GateAnswer> {
  const answer = await askService(circuit, SERVICE.leases, { t: topic }, { clock });
  const leases = answer.get("l");
  if (!Array.isArray(leases) || leases.length > LIMITS.gateLeasesAnswered || !leases.every(isSealed)) {
    throw new BackroomError("E_GATE", "a gate's answer holds no leases");
  }
  return { leases, terms: termsFrom(answer) };
}

/** What a tunnel under this tag takes now. Raises as `askLeases`; E_REFUSED where the gate does not know the tag. */
export async function askTerms(circuit: Circuit, tag: Buffer, clock: Clock): Promise<ConnectTerms> {
  return termsFrom(await askService(circuit, SERVICE.leases, { g: tag }, { clock }));
}

function termsFrom(answer: BencodedDict): ConnectTerms {
  const nonce = readBytes(answer, "n", NONCE_LENGTH, "E_GATE");
  return { nonce, effort: readInteger(answer, "w", MOST_EFFORT, "E_GATE") };
}

/** Where a seeder is reached. */
export interface GateEntrance {
  /** The node key of the circuit's last hop. */
  readonly gateKey: Buffer;
  readonly tag: Buffer;
  /** What the gate said it takes, where it was asked just before; otherwise it is tried for nothing first. */
  readonly terms?: ConnectTerms | undefined;
}

/**
 * A tunnel to the seeder that registered the tag at the circuit's last hop. A gate that is busy asks for work: it is done, more each time that it
 * was not enough, within LIMITS.connectTries and connectMs. The circuit goes with the tunnel; when none comes up it is the caller's as before. Raises E_TUNNEL.
 */
export async function connectTunnel(
  circuit: Circuit,
  entrance: GateEntrance,
  peer: TunnelPeer,
  psk: Uint8Array,
  deps: TunnelDeps & { readonly clock: Clock; readonly random: Random },
): Promise<ByteDuplex> {
  const { clock, random } = deps;
  const untilMs = clock.monotonicMs() + LIMITS.connectMs;
  let terms = entrance.terms;
  let shown = 0;
  for (let tries = 1; ; tries++) {
    const effort = bidFor(terms?.effort ?? 0, shown);
    const mayGoOn = (): boolean => circuit.alive && clock.monotonicMs() < untilMs;
    const work = await workFor(entrance, terms && { ...terms, effort }, { random, mayGoOn });
    try {
      return await dialOnce(circuit, encodeConnect({ tag: entrance.tag, work }), peer, psk, deps);
    } catch (error) {
      shown = work?.effort ?? 0;
      if (tries >= LIMITS.connectTries || clock.monotonicMs() >= untilMs) throw error;
      terms = await termsAfter(error, circuit, entrance.tag, clock);
      // It is not for want of work: the seeder is gone, or does not answer.
      if (terms.effort === 0) throw error;
    }
  }
}

/**
 * Twice what is asked for, and never very little: whoever bids just enough is outbid while it waits, by somebody who bids a little more and more
 * often. What is more than a gate may ask for stays, to be refused.
 */
function bidFor(asked: number, shownBefore: number): number {
  if (asked === 0 || asked > LIMITS.connectEffortMost) return asked;
  return Math.min(LIMITS.connectEffortMost, Math.max(2 * asked, 2 * shownBefore, LEAST_BID));
}

/** Raises the error of the failed attempt where the gate does not say. */
async function termsAfter(
  error: unknown,
  circuit: Circuit,
  tag: Buffer,
  clock: Clock,
): Promise<ConnectTerms> {
  try {
    return await askTerms(circuit, tag, clock);
  } catch (reason) {
    if (!isBackroomError(reason)) throw reason;
    throw error;
  }
}

/** Undefined for nothing. */
async function workFor(
  { gateKey, tag }: GateEntrance,
  terms: ConnectTerms | undefined,
  deps: SolveDeps,
): Promise<ConnectWork | undefined> {
  if (terms === undefined || terms.effort === 0) return undefined;
  if (terms.effort > LIMITS.connectEffortMost) {
    throw new BackroomError("E_TUNNEL", "the gate asks for more work than a tunnel is worth");
  }
  const work = await solveConnect(gateKey, tag, terms, deps);
  if (work === undefined) throw new BackroomError("E_TUNNEL", "the gate is too busy");
  return work;
}

/** One attempt; the circuit goes with the tunnel, once there is one. */
async function dialOnce(
  circuit: Circuit,
  args: Buffer,
  peer: TunnelPeer,
  psk: Uint8Array,
  deps: TunnelDeps,
): Promise<ByteDuplex> {
  let ended = false;
  let isUp = false;
  // Not at once: what was written last is still under way.
  const leave = (): void => void deps.clock.after(LIMITS.tunnelLingerMs, () => circuit.destroy());
  const open: Parameters<typeof dialTunnel>[0] = (handlers) =>
    circuit.openStream(SERVICE.connect, args, {
      onData: (payload) => handlers.onData(payload),
      onWindow: () => handlers.onWindow(),
      onEnd: (error) => {
        handlers.onEnd(error);
        ended = true;
        if (isUp) leave();
      },
    });
  const tunnel = await dialTunnel(open, peer, psk, deps);
  isUp = true;
  if (ended) leave();
  return tunnel;
}

function isSealed(value: BencodedValue): value is Buffer {
  return Buffer.isBuffer(value) && value.length === SEALED_LEASE_BYTES;
}
