import type { Client } from "@backroom/api/client/client.ts";
import { nameText, stateText } from "../transfers/columns.ts";
import type { Candidate, LiveKind } from "./candidates.ts";

/** More are of no use at a cursor. */
const MOST = 100;

/** What the daemon has whose id begins with what is written. Ids alone are offered: names are strangers' words, and go into descriptions. */
export async function liveCandidates(
  client: Client,
  kind: LiveKind,
  current: string,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const entries = await ENTRIES[kind](client, current, signal);
  return entries.filter(({ value }) => value.startsWith(current));
}

const ENTRIES: Readonly<
  Record<LiveKind, (client: Client, current: string, signal: AbortSignal) => Promise<Candidate[]>>
> = {
  async transfer(client, current, signal) {
    const search = current === "" ? {} : { search: current };
    const { transfers } = await client.call("listTransfers", { limit: MOST, ...search }, { signal });
    return transfers.map((transfer) => ({
      value: transfer.id,
      description: `${nameText(transfer)} (${stateText(transfer)})`,
    }));
  },
  async network(client, _current, signal) {
    const { networks } = await client.call("listNetworks", {}, { signal });
    return networks.map(({ id, name }) => ({ value: id, description: name }));
  },
  async watch(client, _current, signal) {
    const { watches } = await client.call("listWatches", {}, { signal });
    return watches.map(({ id, folder }) => ({ value: id, description: folder }));
  },
  async token(client, _current, signal) {
    const { tokens } = await client.call("listTokens", {}, { signal });
    return tokens.map(({ id, name }) => ({ value: id, description: name }));
  },
};
