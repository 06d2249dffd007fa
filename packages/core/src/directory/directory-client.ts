import type { Clock } from "../base/clock.ts";
import { BackroomError } from "../base/errors.ts";
import type { ChannelPool } from "../circuit/channel-pool.ts";
import { buildCircuit } from "../circuit/client-circuit.ts";
import { askService } from "../circuit/messages.ts";
import { SERVICE } from "../circuit/stream.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { DirectoryPeer } from "./bootstrap.ts";
import type { AskRelay } from "./questions.ts";
import { hopTarget, type RelayInfoDecoder } from "./relay-info.ts";

export interface DirectoryClientDeps {
  readonly channels: ChannelPool;
  readonly clock: Clock;
  readonly decodeInfo: RelayInfoDecoder;
}

/**
 * `BootstrapDeps.connect` for real: dials the relay, takes its info from the HELLO, and builds a circuit of one hop to its directory. One
 * hop, since all that is asked is which relays there are, and nothing is known yet to hide behind.
 */
export function createDirectoryClient(
  deps: DirectoryClientDeps,
): (relay: JoinRelay) => Promise<DirectoryPeer> {
  const { channels, clock, decodeInfo } = deps;
  return async ({ nodeKey, host, port }) => {
    const { channel } = await channels.get({ nodeKey, endpoints: [{ host, port }] });
    if (channel.peerInfo === undefined) {
      throw new BackroomError("E_RELAY_INFO", "a relay did not describe itself");
    }
    const circuit = await buildCircuit({ channels, clock }, [hopTarget(decodeInfo(channel.peerInfo))]);
    return {
      info: channel.peerInfo,
      clockSkewMs: channel.clockSkewMs,
      ask: (question) => askService(circuit, SERVICE.directory, question, { clock }),
      close: () => circuit.destroy(),
    };
  };
}

/** `AskRelay` for relays among each other, which need not hide: a circuit of one hop for each question, over a channel that is kept. */
export function createRelayAsker({ channels, clock }: Omit<DirectoryClientDeps, "decodeInfo">): AskRelay {
  return async (relay, question) => {
    const circuit = await buildCircuit({ channels, clock }, [hopTarget(relay)]);
    try {
      return await askService(circuit, SERVICE.directory, question, { clock });
    } finally {
      circuit.destroy();
    }
  };
}
