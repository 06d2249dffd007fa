import { isIPv6 } from "node:net";
import { LIMITS } from "../base/limits.ts";

/**
 * Who may connect: bounds what strangers cost a listener before they have said anything. `T` is a connection; `admit` may destroy
 * another one to make room, through its `destroy`.
 */
export class Admission<T extends { destroy(): void }> {
  readonly #perAddress: number;
  readonly #halfOpen = new Set<T>();
  readonly #sources = new Map<T, string>();
  readonly #countOf = new Map<string, number>();

  constructor(options: { readonly perAddress: number }) {
    this.#perAddress = options.perAddress;
  }

  /** True when it may stay; `gone` must be called for it later. */
  admit(connection: T, address: string): boolean {
    const source = sourceOf(address);
    const count = this.#countOf.get(source) ?? 0;
    if (count >= this.#perAddress || this.#sources.size >= LIMITS.channelsTotal) return false;
    if (this.#halfOpen.size >= LIMITS.channelsHalfOpen) this.#dropOldest();
    this.#halfOpen.add(connection);
    this.#sources.set(connection, source);
    this.#countOf.set(source, count + 1);
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
    const count = (this.#countOf.get(source) ?? 1) - 1;
    if (count === 0) this.#countOf.delete(source);
    else this.#countOf.set(source, count);
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
