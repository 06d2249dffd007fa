import type { Clock } from "../base/clock.ts";
import type { PortMapper } from "../net/port-mapping/port-mapper.ts";

export interface PortLeaseDeps {
  readonly mapper: PortMapper;
  readonly clock: Clock;
  /** Where this relay listens. */
  readonly port: number;
  /** The router's port is gone, or another one. */
  onMoved(): void;
}

/** A port of the router's that leads here, renewed at half its time as long as it is wanted. */
export class PortLease {
  readonly #deps: PortLeaseDeps;
  #mapped: number | undefined;
  #obtaining: Promise<number | undefined> | undefined;
  #cancel = (): void => {};
  #closed = false;

  constructor(deps: PortLeaseDeps) {
    this.#deps = deps;
  }

  /** The router's port, or undefined where it hands on none. Never rejects. */
  obtain(): Promise<number | undefined> {
    this.#obtaining ??= this.#ask().finally(() => (this.#obtaining = undefined));
    return this.#obtaining;
  }

  /** Gives the port back, as far as the router hears it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#obtaining;
    if (this.#mapped !== undefined) await this.#deps.mapper.release(this.#deps.port, this.#mapped);
    this.#mapped = undefined;
  }

  async #ask(): Promise<number | undefined> {
    const { mapper, clock, port } = this.#deps;
    this.#cancel();
    const mapping = await mapper.map(port, this.#mapped ?? port);
    this.#mapped = mapping?.port;
    if (mapping === undefined || this.#closed) return mapping?.port;
    this.#cancel = clock.after(mapping.lifetimeMs / 2, () => void this.#renew(mapping.port));
    return mapping.port;
  }

  async #renew(before: number): Promise<void> {
    if ((await this.obtain()) !== before && !this.#closed) this.#deps.onMoved();
  }
}
