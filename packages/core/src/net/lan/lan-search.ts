import { createSocket, type Socket } from "node:dgram";
import type { Clock } from "../../base/clock.ts";
import { isBackroomError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import { LAN_PORT, isLanAddress, lanInterfaces, type LanInterface } from "./lan-interfaces.ts";
import { decodeLanAnswer, encodeLanQuestion, type LanAnswer } from "./lan-message.ts";

/** What somebody on the local network says of itself: nothing of it is proved until it was dialled. */
export interface LanRelay {
  readonly nodeKey: Buffer;
  /** A private address: where the answer came from. An IPv6 one has its zone behind it, and is good for this computer alone. */
  readonly host: string;
  readonly port: number;
}

export interface LanSearchDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Asks the local networks that this computer is in for relays of one network, from a port of its own, so that answers come to it alone and nobody else
 * needs to hear of them. At most LIMITS.lanRelays, within LIMITS.lanSearchMs. Never rejects: who cannot ask finds nobody.
 */
export async function searchLan(networkId: number, deps: LanSearchDeps): Promise<LanRelay[]> {
  const found = new Map<string, LanRelay>();
  await Promise.all(lanInterfaces().map((one) => searchFrom(one, networkId, found, deps)));
  return [...found.values()];
}

/** One socket for each interface and family: the question goes out through that one. */
function searchFrom(
  { family, address, name, group }: LanInterface,
  networkId: number,
  found: Map<string, LanRelay>,
  { clock, random }: LanSearchDeps,
): Promise<void> {
  const id = random.below(0x1_0000);
  const socket = createSocket({
    type: `udp${family}`,
    lookup: (host, _options, done) => done(null, host, family),
  });
  return new Promise((resolve) => {
    let datagrams = 0;
    const ask = (): void => socket.send(encodeLanQuestion(id), LAN_PORT, group, () => {});
    const end = (): void => {
      for (const cancel of timers) cancel();
      socket.removeAllListeners().on("error", () => {});
      close(socket);
      resolve();
    };
    // One datagram in a hundred is lost in the air.
    const timers = [clock.after(LIMITS.lanSearchMs, end), clock.after(LIMITS.lanSearchMs / 3, () => ask())];
    socket.on("error", end);
    socket.on("message", (bytes, { address: host, port }) => {
      if (++datagrams > LIMITS.lanDatagrams || found.size >= LIMITS.lanRelays) return;
      const answer = port === LAN_PORT && isLanAddress(host) ? answerIn(bytes) : undefined;
      if (answer === undefined || answer.id !== id || answer.networkId !== networkId) return;
      const key = answer.nodeKey.toString("hex");
      // Of two ways to one relay the IPv4 one: not every program between takes a zone.
      if (family === 4 || !found.has(key))
        found.set(key, { nodeKey: answer.nodeKey, host, port: answer.port });
    });
    socket.bind(0, address, () => {
      try {
        socket.setMulticastInterface(name);
      } catch {
        // The interface has just gone.
        end();
        return;
      }
      ask();
    });
  });
}

function answerIn(bytes: Buffer): LanAnswer | undefined {
  try {
    return decodeLanAnswer(bytes);
  } catch (error) {
    if (!isBackroomError(error)) throw error;
    return undefined;
  }
}

function close(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It never came as far as being open.
  }
}
