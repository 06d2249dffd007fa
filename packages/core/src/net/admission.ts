import { isIPv6 } from "node:net";
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";

/**
 * Who may connect: bounds what strangers cost a listener before they have said anything. `T` is a connection; `admit` may destroy
 * another one to make room, through its `destroy`.
 */
export class Admission<T extends { destroy(): void }> {
  readonly #perAddress: number;
  readonly #perBlock: number;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** What is left of the burst of an address, and since when it has been growing again. */
  readonly #bursts = new Map<string, { left: number; atMs: number }>();
  readonly #halfOpen = new Set<T>();
  readonly #sources = new Map<T, string>();
  /** By address and by block: their names differ in length. */
  readonly #countOf = new Map<string, number>();

  /** `perAddress` holds for blocks and bursts too where it is larger than they may be: test networks live at one address. */
  constructor(options: { readonly perAddress: number; readonly clock: Pick<Clock, "monotonicMs"> }) {
    this.#perAddress = options.perAddress;
    this.#perBlock = Math.max(options.perAddress, LIMITS.channelsPerBlock);
    this.#clock = options.clock;
  }

  /** True when it may stay; `gone` must be called for it later. */
  admit(connection: T, address: string): boolean {
    const source = sourceOf(address);
    const ofBlock = this.#countOf.get(blockOf(source)) ?? 0;
    if (this.#sources.size >= LIMITS.channelsTotal || ofBlock >= this.#perBlock) return false;
    if ((this.#countOf.get(source) ?? 0) >= this.#perAddress || !this.#spend(source)) return false;
    if (this.#halfOpen.size >= LIMITS.channelsHalfOpen) this.#dropOldest();
    this.#halfOpen.add(connection);
    this.#sources.set(connection, source);
    this.#count(source, 1);
    this.#count(blockOf(source), 1);
    return true;
  }

  opened(connection: T): void {
    this.#halfOpen.delete(connection);
  }

  isHalfOpen(connection: T): boolean {
    return this.#halfOpen.has(connection);
  }

  gone(connection: T): void {
    const source = this.#sources.get(connection);
    if (source === undefined) return;
    this.#halfOpen.delete(connection);
    this.#sources.delete(connection);
    this.#count(source, -1);
    this.#count(blockOf(source), -1);
  }

  #count(name: string, by: 1 | -1): void {
    const count = (this.#countOf.get(name) ?? 0) + by;
    if (count === 0) this.#countOf.delete(name);
    else this.#countOf.set(name, count);
  }

  /** Takes one of the burst of an address; false when nothing is left of it. */
  #spend(source: string): boolean {
    const most = Math.max(this.#perAddress, LIMITS.channelBurst);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#bursts.get(source) ?? { left: most, atMs: nowMs };
    const earned = ((nowMs - known.atMs) / 1000) * LIMITS.channelsPerSecond;
    const left = Math.min(most, known.left + earned);
    if (left < 1) return false;
    if (!this.#bursts.has(source) && this.#bursts.size >= LIMITS.channelSources) {
      this.#bursts.delete(this.#bursts.keys().next().value as string);
    }
    this.#bursts.set(source, { left: left - 1, atMs: nowMs });
    return true;
  }

  /** Who holds sockets open without a word must come back ever more often; who is honest is done in a moment. */
  #dropOldest(): void {
    const [oldest] = this.#halfOpen;
    if (oldest === undefined) return;
    this.gone(oldest);
    oldest.destroy();
  }
}

/** What one stranger has cheaply: an IPv4 address, also when written as IPv6, or a /64 of IPv6. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = "", tail] = (address.split("%")[0] as string).split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/** What a source is part of: a /24 of IPv4 or a /48 of IPv6. */
function blockOf(source: string): string {
  return source.slice(0, Math.max(0, source.lastIndexOf(source.includes(":") ? ":" : ".")));
}
