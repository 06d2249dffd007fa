import { systemClock } from "../base/clock.ts";
import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import { generateKeys, type KeyPair } from "../crypto/keys.ts";
import { hopTarget } from "../directory/relay-info.ts";
import type { Swarm } from "../swarm/swarm.ts";
import { SeederPresence } from "../tunnel/seeder-presence.ts";
import type { ShareTopic } from "../tunnel/topic.ts";
import type { Client } from "./client.ts";

export interface SeedingOptions {
  readonly client: Client;
  readonly topic: ShareTopic;
  readonly swarm: Swarm;
  /** The sharer's key for this share; everybody else signs leases with a fresh one. */
  readonly sharerKeys: KeyPair | undefined;
  /** Node keys in hex of relays that shall not be gates while others can be: the link names them. */
  readonly notGates: ReadonlySet<string>;
  readonly log: Log;
}

/** Registers at gates and hands downloaders' tunnels to the swarm, until closed. */
export function startSeeding(options: SeedingOptions): SeederPresence {
  const { client, swarm, log } = options;
  const seederKeys = {
    leaseKeys: options.sharerKeys ?? generateKeys("ed25519"),
    tunnelKeys: generateKeys("x25519"),
  };
  return new SeederPresence(
    { ...options.topic, seederKeys },
    {
      clock: systemClock,
      random: systemRandom,
      log,
      onTunnel: (tunnel) => void swarm.addPeer(tunnel, { initiator: false }),
      async openGateCircuit(wanted, avoid) {
        const seconds = client.seconds();
        const gate = wanted === undefined ? undefined : client.vet(wanted.info);
        const open = async (avoided: ReadonlySet<string>) => {
          const { circuit, path } = await client.open({ role: "seeder", seconds, gate }, avoided);
          return { circuit, gate: hopTarget(path.at(-1) as (typeof path)[number]) };
        };
        try {
          return await open(new Set([...avoid, ...options.notGates]));
        } catch (error) {
          // In a small network there may be no other gate than those, and then the share is to be found all the same.
          if (!isBackroomError(error, "E_NETWORK_TOO_SMALL")) throw error;
          return open(avoid);
        }
      },
    },
  );
}
