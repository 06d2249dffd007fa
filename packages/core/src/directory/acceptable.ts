import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import type { Endpoint } from "../net/channel.ts";
import { mayDial } from "./address.ts";
import type { StrangerDials } from "./stranger-dials.ts";
import { isCurrent, isGuest, type RelayInfo, type RelayInfoDecoder } from "./relay-info.ts";

/** Whether all addresses of an info may be dialled, in a test network and elsewhere: gossip asks again for each time it hears of a relay. */
const dialable = new WeakMap<RelayInfo, { readonly test: boolean; readonly elsewhere: boolean }>();

/** The one rule by which a relay info may be kept, passed on or dialled: of this network, of today, every address dialable. */
export function isAcceptable(
  info: RelayInfo,
  network: { readonly id: number; readonly test: boolean },
  nowMs: number,
): boolean {
  if (info.networkId !== network.id || !isCurrent(info, nowMs)) return false;
  const known = dialable.get(info) ?? {
    test: info.endpoints.every((endpoint) => mayDial(endpoint, { test: true })),
    elsewhere: info.endpoints.every((endpoint) => mayDial(endpoint, { test: false })),
  };
  dialable.set(info, known);
  return network.test ? known.test : known.elsewhere;
}

export interface ResolverDeps {
  readonly network: { readonly id: number; readonly test: boolean };
  readonly clock: Clock;
  readonly decodeInfo: RelayInfoDecoder;
  /** Whether the table has that very relay at these very addresses. */
  isKnown(info: RelayInfo): boolean;
  readonly dials: StrangerDials;
}

/** Where EXTEND leads: see `ExtendTarget`. */
interface ResolvedExtend {
  readonly nodeKey: Buffer;
  readonly endpoints: readonly Endpoint[];
  readonly kept: boolean;
  mayDial(): boolean;
}

/**
 * What a relay does with the relay info that EXTEND brings, before it dials (DESIGN 5): so strangers can make it dial relays, and nothing else.
 * The result raises E_RELAY_INFO, E_BENCODE or E_DECODE.
 */
export function createExtendResolver(deps: ResolverDeps): (bytes: Uint8Array) => ResolvedExtend {
  const { network, clock } = deps;
  return (bytes) => {
    const info = deps.decodeInfo(bytes);
    if (!isAcceptable(info, network, clock.nowMs())) {
      throw new BackroomError(
        "E_RELAY_INFO",
        "a relay info is of another network, another day, or not to be dialled",
      );
    }
    const { nodeKey, endpoints } = info;
    const mayDial = (): boolean => deps.isKnown(info) || deps.dials.take("extend", endpoints);
    return { nodeKey, endpoints, kept: isGuest(info), mayDial };
  };
}
