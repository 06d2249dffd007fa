import { BackroomError } from "../base/errors.ts";
import { mayDial } from "../directory/address.ts";
import type { Network } from "../directory/network.ts";
import type { JoinRelay } from "../link/join-relay.ts";
import type { ShareLink } from "../link/link.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Hooks } from "./hooks.ts";
import { hasCurrentNetwork, networkIdText, readNetwork, saveNetwork, writeCurrent } from "./networks.ts";

export interface LinkNetwork {
  readonly network: Network;
  /** Relays out of the link that may be dialled: whoever made the link chose them, and they see who comes. */
  readonly joinRelays: readonly JoinRelay[];
  readonly keep: () => Promise<void>;
}

/**
 * The network that a link belongs to. One that is not known yet is joined through the relays in the link: one link is enough
 * (DESIGN 4), but it is a stranger's choice whom this computer calls on then, so the person is asked. In a network that is known they are left
 * alone: a link made for one reader, with relays of its maker's, would tell the maker that reader's address. Once joining has worked, call `keep`,
 * so that a link that leads nowhere leaves nothing behind. Raises E_LINK for a link without a network, E_OTHER_NETWORK for one of an unknown
 * network without relays, or whose relays the person does not want to call on.
 */
export async function networkOfLink(folder: DataFolder, link: ShareLink, hooks: Hooks): Promise<LinkNetwork> {
  if (link.networkId === 0) {
    throw new BackroomError("E_LINK", "this link names no network, so nothing can be fetched with it", {
      why: "it came from `backroom seal`, which works without a network",
      fix: "open the pack that belongs to it: backroom open PACK LINK",
    });
  }
  const known = await readNetwork(folder, link.networkId);
  if (known !== undefined) return { network: known, joinRelays: [], keep: async () => {} };
  if (link.relays.length === 0) {
    throw new BackroomError(
      "E_OTHER_NETWORK",
      "the link belongs to a network that this member has not joined",
      {
        fix: "ask whoever gave you the link for an invite: backroom net join INVITE",
      },
    );
  }
  const network: Network = {
    name: `network ${networkIdText(link.networkId)}`,
    id: link.networkId,
    // Private addresses exist in test networks only; there they are what one has. One among public ones does not make a test network:
    // it would be a way to switch off what holds for others.
    test: link.relays.every((relay) => !mayDial(relay, { test: false })),
    relays: link.relays,
    bootstrap: [],
  };
  const question = network.test
    ? "This link leads to a test network, at private addresses that it names: one operator runs all of its relays, sees this computer's " +
      "address and can see what it fetches. Call on these addresses only if you know whose they are."
    : "This link leads to a network that this computer has not joined, through relays that the link's maker chose. They see this computer's " +
      "address, and if all relays of that network are theirs, also what it fetches.";
  if (!(await hooks.confirm(question, "--accept-link-relays"))) {
    throw new BackroomError(
      "E_OTHER_NETWORK",
      "the link belongs to a network that this member has not joined",
      {
        fix: "join it by an invite from somebody you trust: backroom net join INVITE; or let the link lead you there: --accept-link-relays",
      },
    );
  }
  hooks.note("Joining the network of this link through the relays that it names.");
  return {
    network,
    joinRelays: link.relays,
    async keep() {
      await saveNetwork(folder, network);
      if (!(await hasCurrentNetwork(folder))) await writeCurrent(folder, network.id);
    },
  };
}
