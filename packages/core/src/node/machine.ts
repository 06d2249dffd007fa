import { systemClock, type Clock } from "../base/clock.ts";
import { systemRandom, type Random } from "../base/random.ts";
import type { ChannelIdentity, Dialer } from "../net/channel.ts";
import { createTlsDialer } from "../net/tls-dialer.ts";

/** What a member needs of the computer that it runs on. Tests and the simulation bring memory carriers and a clock that they move themselves. */
export interface Machine {
  readonly clock: Clock;
  readonly random: Random;
  /** Dials as a relay where an identity is given, otherwise anonymously. */
  createDialer(options: { readonly networkId: number; readonly identity?: ChannelIdentity }): Dialer;
}

export const systemMachine: Machine = {
  clock: systemClock,
  random: systemRandom,
  createDialer: (options) => createTlsDialer({ ...options, clock: systemClock, random: systemRandom }),
};
