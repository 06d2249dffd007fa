import type { ByteDuplex } from "../base/duplex.ts";
import { LIMITS } from "../base/limits.ts";
import type { Circuit, CircuitStream, HopTarget, StreamHandlers } from "../circuit/stream.ts";
import type { SeederKeys } from "./lease.ts";
import { acceptTunnel } from "./tunnel.ts";
import type { TunnelDeps } from "./tunnel-duplex.ts";

/** Who answers tunnels that arrive under one tag. */
export interface TunnelHost {
  readonly keys: SeederKeys;
  readonly psk: Buffer;
  onTunnel(tunnel: ByteDuplex): void;
}

/**
 * A seeder's standing circuit to one gate: hands the streams that the gate opens to whoever registered their tag, so that several
 * shares may use one circuit. Counts them, for the gate may open streams as it likes.
 */
export class GateSession {
  readonly gate: HopTarget;
  readonly circuit: Circuit;
  readonly #deps: TunnelDeps;
  readonly #hosts = new Map<string, TunnelHost>();
  readonly #onGone: () => void;
  #tunnels = 0;
  #leaving = false;

  /** Takes over the circuit. `onGone` runs once when it is destroyed, by whichever side. */
  constructor(circuit: Circuit, gate: HopTarget, deps: TunnelDeps, onGone: () => void) {
    this.circuit = circuit;
    this.gate = gate;
    this.#deps = deps;
    this.#onGone = onGone;
    circuit.onIncoming = (stream, tag) => this.#incoming(stream, tag);
    circuit.onDestroyed = () => this.#onGone();
  }

  get alive(): boolean {
    return this.circuit.alive;
  }

  /** From now on tunnels under `tag` go to `host`; the returned function stops that. Tunnels that are up stay up. */
  host(tag: Buffer, host: TunnelHost): () => void {
    const name = tag.toString("latin1");
    this.#hosts.set(name, host);
    return () => void this.#hosts.delete(name);
  }

  /** Accepts nothing new, and destroys the circuit once the tunnels in it are over. */
  leave(): void {
    this.#leaving = true;
    this.#hosts.clear();
    if (this.#tunnels === 0) this.circuit.destroy();
  }

  #incoming(stream: CircuitStream, tag: Buffer): StreamHandlers | undefined {
    const host = this.#hosts.get(tag.toString("latin1"));
    if (host === undefined || this.#tunnels >= LIMITS.gateTunnelsPerSeeder) return undefined;
    this.#tunnels++;
    const { handlers, ready } = acceptTunnel(stream, host.keys, host.psk, this.#deps);
    // Whoever fails the handshake is refused by then; there is nobody to tell.
    ready.then(
      (tunnel) => host.onTunnel(tunnel),
      () => {},
    );
    return {
      onData: (payload) => handlers.onData(payload),
      onWindow: () => handlers.onWindow(),
      onEnd: (error) => {
        handlers.onEnd(error);
        this.#tunnels--;
        // Not at once: what was written last is still under way.
        if (this.#leaving && this.#tunnels === 0) {
          this.#deps.clock.after(LIMITS.tunnelLingerMs, () => this.circuit.destroy());
        }
      },
    };
  }
}
