import { BackroomError } from "../base/errors.ts";
import { mayDial } from "../directory/address.ts";
import type { Network } from "../directory/network.ts";
import type { ShareLink } from "../link/link.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Hooks } from "./hooks.ts";
import { hasCurrentNetwork, networkIdText, readNetwork, saveNetwork, writeCurrent } from "./networks.ts";

export interface LinkNetwork {
  readonly network: Network;
  readonly keep: () => Promise<void>;
}

/**
 * The network that a link belongs to. One that is not known yet is joined through the relays in the link: one link is enough
 * (DESIGN 4); once that has worked, call `keep`, so that a link that leads nowhere leaves nothing behind. Raises E_LINK for a link without a network, E_OTHER_NETWORK for one of an unknown network without relays.
 */
export async function networkOfLink(folder: DataFolder, link: ShareLink, hooks: Hooks): Promise<LinkNetwork> {
  if (link.networkId === 0) {
    throw new BackroomError("E_LINK", "this link names no network, so nothing can be fetched with it", {
      why: "it came from `backroom seal`, which works without a network",
      fix: "open the pack that belongs to it: backroom open PACK LINK",
    });
  }
  const known = await readNetwork(folder, link.networkId);
  if (known !== undefined) return { network: known, keep: async () => {} };
  if (link.relays.length === 0) {
    throw new BackroomError(
      "E_OTHER_NETWORK",
      "the link belongs to a network that this member has not joined",
      {
        fix: "ask whoever gave you the link for an invite: backroom network join INVITE",
      },
    );
  }
  const network: Network = {
    name: `network ${networkIdText(link.networkId)}`,
    id: link.networkId,
    // Private addresses exist in test networks only; there they are what one has.
    test: link.relays.some((relay) => !mayDial(relay, { test: false })),
    relays: link.relays,
    bootstrap: [],
  };
  hooks.note("Joining the network of this link through the relays that it names.");
  return {
    network,
    async keep() {
      await saveNetwork(folder, network);
      if (!(await hasCurrentNetwork(folder))) await writeCurrent(folder, network.id);
    },
  };
}
