import { BackroomError, isBackroomError } from "@backroom/core/base/errors.ts";
import {
  readRelaySetting,
  saveRelaySetting,
  type RelayMode,
  type RelaySetting,
} from "@backroom/core/node/relay-setting.ts";
import type { Session } from "../session.ts";

export interface Decided {
  readonly relay: RelayMode;
  readonly gate: boolean;
}

const RELAYING = [
  "Backroom lives from members whose computers pass on what others send. If this computer is to be such a relay:",
  "- What passes through is encrypted. You cannot read it, you do not learn who it is from or for, and nothing leaves the network: nobody reaches web sites or anything else through you.",
  "- What it costs is upload and download, as much as this line has to give, while it relays. `backroom relay off` ends it.",
  "- What becomes public is this computer's internet address, as that of a relay, also in the public BitTorrent DHT: anybody can see that Backroom runs here and when. Whoever also shares for weeks may be found by comparing who is up when. Where nobody outside can reach this computer, only a few relays learn its address.",
];

const BEING_A_GATE = [
  "A gate is a relay where sharers can be found. It sees neither their addresses nor what they share, but how many come for which topic of the day; and it announces those topics, with this computer's address, in the public BitTorrent DHT. Somebody who complains about a share that was found through you would write to you, although nothing of it is here.",
];

/**
 * What this computer is to be: as said on the command line, otherwise as decided before, otherwise as the person answers now. What was said or
 * answered is remembered. Raises E_USAGE where nobody has decided and nobody is there to ask.
 */
export async function decideRelay(
  said: RelaySetting,
  implied: RelayMode | undefined,
  { terminal, dataFolder }: Pick<Session, "terminal" | "dataFolder">,
  yesTo: (question: string) => Promise<boolean>,
): Promise<Decided> {
  const before = await savedSetting(dataFolder, said);
  const ask = async (explanation: readonly string[], question: string): Promise<boolean> => {
    for (const line of explanation) terminal.note(line);
    return yesTo(question);
  };
  const decided: { relay?: RelayMode; gate?: boolean } = { ...before, ...said };
  const asks = terminal.interactive;
  if (decided.relay === undefined && implied === undefined) {
    if (!asks) throw undecided();
    decided.relay = (await ask(RELAYING, "Relay for others?")) ? "auto" : "off";
  }
  const relay = said.relay ?? implied ?? decided.relay ?? "off";
  if (relay !== "off" && decided.gate === undefined && asks) {
    decided.gate = await ask(BEING_A_GATE, "Be a gate too?");
  }
  if (decided.relay !== before.relay || decided.gate !== before.gate) {
    await saveRelaySetting({ dataFolder }, decided);
  }
  // Without a word about it there is no consent.
  return { relay, gate: decided.gate ?? false };
}

/** A damaged file is no obstacle for somebody who says all of it anew. */
async function savedSetting(dataFolder: string | undefined, said: RelaySetting): Promise<RelaySetting> {
  try {
    return await readRelaySetting({ dataFolder });
  } catch (error) {
    if (isBackroomError(error, "E_STORE") && said.relay !== undefined && said.gate !== undefined) return {};
    throw error;
  }
}

function undecided(): BackroomError {
  return new BackroomError("E_USAGE", "nobody has said yet whether this computer is to be a relay", {
    why: "a relay's address becomes public, so it takes somebody's consent, and nobody is there to ask",
    fix: "say it: backroom relay auto --gate, or --no-gate; what that means is asked when it is run in a terminal",
  });
}
