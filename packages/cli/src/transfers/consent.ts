import type { Request } from "@backroom/api/routes.ts";
import { isBackroomError } from "@backroom/core/base/errors.ts";
import { confirmed } from "../ui/hooks.ts";
import type { Terminal } from "../ui/terminal.ts";

export type Consent = NonNullable<Request<"addGet">["accept"]>[number];

/** The error that each consent mends, and what a person has to know to give it. Nobody sits in front of the daemon, so commands ask. */
const CONSENTS: readonly { readonly consent: Consent; readonly code: string; readonly question: string }[] = [
  {
    consent: "link-relays",
    code: "E_OTHER_NETWORK",
    question:
      "This link leads to a network that this computer has not joined, through relays that the link's maker chose. They see this computer's " +
      "address, and if all relays of that network are theirs, also what it fetches. Go on only if you trust whoever gave you the link with that.",
  },
  {
    consent: "few-sources",
    code: "E_FEW_SOURCES",
    question:
      "All that is known of this network's relays comes from a single source. If it named only relays of its own, it sees both ends of what you do.",
  },
  {
    consent: "dht",
    code: "E_NO_RELAYS",
    question:
      "None of the relays that this computer knows answers. The public DHT may name others: its nodes, and whoever they name, then see this " +
      "computer's address and which network it looks for. They could all be one person's.",
  },
];

/** What was accepted with options. */
export function consentsOf(flags: ReadonlySet<string>): Consent[] {
  return CONSENTS.map(({ consent }) => consent).filter((consent) => flags.has(`--accept-${consent}`));
}

/**
 * Tries with what was accepted; where that fails for the lack of a consent that somebody there gives, again with it. Raises what the last attempt raised.
 */
export async function withConsents<T>(
  given: readonly Consent[],
  terminal: Terminal,
  attempt: (accept: Consent[]) => Promise<T>,
): Promise<T> {
  const accept = [...given];
  for (;;) {
    try {
      return await attempt([...accept]);
    } catch (error) {
      const missing = CONSENTS.find(
        ({ consent, code }) => isBackroomError(error) && error.code === code && !accept.includes(consent),
      );
      if (missing === undefined || !(await confirmed(terminal, missing.question))) throw error;
      accept.push(missing.consent);
    }
  }
}
