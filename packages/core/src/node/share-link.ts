import { LIMITS } from "../base/limits.ts";
import { shuffled, systemRandom } from "../base/random.ts";
import { joinRelayOf } from "../directory/network.ts";
import type { ShareLink } from "../link/link.ts";
import { showableName } from "../link/name.ts";
import type { Client } from "./client.ts";

/** What a link says of a pack that was sealed here. */
export interface SealedFacts {
  readonly root: Buffer;
  /** Of the pack, bytes. */
  readonly length: number;
  readonly name: string;
  /** Of the files, bytes. */
  readonly fileBytes: number;
  /** Secret of the identity that opens the pack; undefined where a password or people's keys do. */
  readonly identity: Buffer | undefined;
  readonly sharerFingerprint: Buffer;
}

/** The link of a share, with relays that `client` knows to join through. */
export function makeShareLink(
  facts: SealedFacts,
  client: Pick<Client, "network" | "guards" | "relays">,
): ShareLink {
  const fields = {
    networkId: client.network.id,
    piecesRoot: facts.root,
    packLength: facts.length,
    sharerFingerprint: facts.sharerFingerprint,
    name: showableName(facts.name, LIMITS.linkNameBytes),
    filesBytes: facts.fileBytes,
    relays: joinRelays(client),
  };
  return facts.identity === undefined
    ? { kind: "locked", ...fields, topicSecret: systemRandom.bytes(32) }
    : { kind: "read", ...fields, identity: facts.identity };
}

/** Drawn at random, never own guards (and `notGates` keeps them from becoming gates): DESIGN 4. Few in a small network, which needs gates too. */
function joinRelays(client: Pick<Client, "guards" | "relays">): ReturnType<typeof joinRelayOf>[] {
  const guards = new Set(client.guards().map((guard) => guard.key));
  const others = client.relays().filter((relay) => !guards.has(relay.key));
  const count = Math.min(LIMITS.linkRelays, Math.ceil(others.length / 3));
  return shuffled(others, systemRandom).slice(0, count).map(joinRelayOf);
}

/** Node keys in hex of the relays that a link names: they see newcomers come, and are not to be gates of that share as well while there are others (DESIGN 4). */
export function relaysInLink(link: Pick<ShareLink, "relays">): Set<string> {
  return new Set(link.relays.map(({ nodeKey }) => nodeKey.toString("hex")));
}
