import type { BencodedValue } from "../base/bencode.ts";
import type { Clock } from "../base/clock.ts";
import type { ByteDuplex } from "../base/duplex.ts";
import { BackroomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { askService } from "../circuit/messages.ts";
import { SERVICE, type Circuit } from "../circuit/stream.ts";
import { SEALED_LEASE_BYTES } from "./lease.ts";
import { dialTunnel, type TunnelPeer } from "./tunnel.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";

/**
 * What a gate holds for a topic: at most 8 sealed leases, unopened. Raises E_GATE for an answer that is none,
 * and what `askService` raises.
 */
export async function askLeases(circuit: Circuit, topic: Buffer, clock: Clock): Promise<Buffer[]> {
  const answer = await askService(circuit, SERVICE.leases, { t: topic }, { clock });
  const leases = answer.get("l");
  if (!Array.isArray(leases) || leases.length > LIMITS.gateLeasesAnswered || !leases.every(isSealed)) {
    throw new BackroomError("E_GATE", "a gate's answer holds no leases");
  }
  return leases;
}

/**
 * A tunnel to the seeder that registered `tag` at the circuit's last hop. Takes the circuit over: it goes with the tunnel, or when none
 * comes up. Raises E_TUNNEL.
 */
export function connectTunnel(
  circuit: Circuit,
  tag: Buffer,
  peer: TunnelPeer,
  psk: Uint8Array,
  deps: TunnelDeps,
): Promise<ByteDuplex> {
  const open: Parameters<typeof dialTunnel>[0] = (handlers) =>
    circuit.openStream(SERVICE.connect, tag, {
      onData: (payload) => handlers.onData(payload),
      onWindow: () => handlers.onWindow(),
      onEnd: (error) => {
        handlers.onEnd(error);
        // Not at once: what was written last is still under way.
        deps.clock.after(LIMITS.tunnelLingerMs, () => circuit.destroy());
      },
    });
  return dialTunnel(open, peer, psk, deps);
}

function isSealed(value: BencodedValue): value is Buffer {
  return Buffer.isBuffer(value) && value.length === SEALED_LEASE_BYTES;
}
