import type { Answer } from "@backroom/api/routes.ts";
import { joinNetwork, knownNetworks, makeInvite, useNetwork } from "@backroom/core/node/networks.ts";
import type { Result } from "../contract.ts";
import type { Session } from "../session.ts";
import { count } from "../ui/format.ts";
import { showableLine } from "../ui/showable.ts";
import { TEST_NETWORK } from "../ui/test-network.ts";

type Entry = Answer<"joinNetwork">;

/** What a member knows is in its data folder: a daemon that runs is asked, since it knows more and has to learn of changes; none is started. */
export async function listNetworks({ terminal, daemon, dataFolder }: Session): Promise<void> {
  const client = await daemon.find();
  const known: Entry[] =
    client === undefined ? await knownNetworks({ dataFolder }) : (await client.call("listNetworks")).networks;
  if (known.length === 0)
    terminal.note("No network yet: join one with an invite, or make one with: backroom net create");
  terminal.result(known.map(line).join("\n"), { networks: known } satisfies Result<"net list">);
}

export async function joinNetworkOf(
  invite: string,
  { terminal, daemon, dataFolder }: Session,
): Promise<void> {
  const client = await daemon.find();
  const joined =
    client === undefined
      ? await joinNetwork({ dataFolder, invite })
      : await client.call("joinNetwork", { invite });
  terminal.note(`Joined “${joined.name}”.`);
  if (joined.test) terminal.warn(TEST_NETWORK);
  terminal.result(joined.id, { ...joined } satisfies Result<"net join">);
}

export async function useNetworkOf(id: string, { terminal, daemon, dataFolder }: Session): Promise<void> {
  const client = await daemon.find();
  const used =
    client === undefined
      ? await useNetwork({ dataFolder, id })
      : await client.call("useNetwork", { network: id });
  terminal.note(`Using “${used.name}”.`);
  terminal.result(used.id, { ...used } satisfies Result<"net use">);
}

/** From the folder in any case: a daemon makes invites to the network in use alone, and writes down what it knows. */
export async function printInvite(id: string | undefined, { terminal, dataFolder }: Session): Promise<void> {
  const { invite, name, test, relayCount } = await makeInvite({ dataFolder, id });
  const relays = count(relayCount, "relay");
  terminal.note(`Whoever gets this can join “${name}” with: backroom net join INVITE`);
  terminal.note(
    test
      ? `It names the network and ${relays} with their addresses at home: give it only to people who may know them.`
      : `It names the network and ${relays} drawn at random, and says nothing of you or your shares. Those relays see who joins through them.`,
  );
  terminal.result(invite, { invite, relayCount } satisfies Result<"invite">);
}

function line(network: Entry): string {
  const kind = network.test ? "  (test: one operator runs all relays)" : "";
  return `${network.current ? "*" : " "} ${network.id}  ${showableLine(network.name)}${kind}  ${count(network.relaysKnown, "relay")} known`;
}
