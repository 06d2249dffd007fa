import { isBackroomError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { hopTarget } from "../directory/relay-info.ts";
import type { GateMemory } from "../tunnel/gate-choice.ts";
import { SeederPresence } from "../tunnel/seeder-presence.ts";
import type { Client } from "./client.ts";

export interface SeedingOptions {
  readonly client: Pick<Client, "open" | "vet" | "machine">;
  /** Node keys in hex of relays that shall not be gates while others can be: the link names them. */
  readonly notGates: ReadonlySet<string>;
  readonly log: Log;
  readonly gates?: GateMemory | undefined;
}

/** A presence at gates over a member's circuits. */
export function openPresence(options: SeedingOptions): SeederPresence {
  const { client, log } = options;
  return new SeederPresence({
    clock: client.machine.clock,
    random: client.machine.random,
    log,
    gates: options.gates,
    openLookUpCircuit: async (gate) =>
      (await client.open({ role: "downloader", gate: client.vet(gate.info) })).circuit,
    async openGateCircuit(wanted, avoid) {
      const gate = wanted === undefined ? undefined : client.vet(wanted.info);
      const open = async (avoided: ReadonlySet<string>) => {
        const { circuit, path } = await client.open({ role: "seeder", gate }, avoided);
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
  });
}
