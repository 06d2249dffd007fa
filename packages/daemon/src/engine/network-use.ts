import type { Transfer } from "@backroom/api/schemas/transfer.ts";
import type { BackroomError } from "@backroom/core/base/errors.ts";
import type { Profile } from "@backroom/core/directory/path.ts";
import type { ShareLink } from "@backroom/core/link/link.ts";
import type { Client } from "@backroom/core/node/client.ts";
import type { Hooks } from "@backroom/core/node/hooks.ts";
import { networkOfLink, type LinkNetwork } from "@backroom/core/node/network-of-link.ts";
import { currentNetwork } from "@backroom/core/node/networks.ts";
import type { TransferRecord } from "../catalogue/catalogue.ts";
import type { Consent, Held, Member, Need } from "./member.ts";
import type { Run } from "./run.ts";

export function consentsOf(record: Pick<TransferRecord, "accept">): ReadonlySet<Consent> {
  return new Set(record.accept as Consent[]);
}

/** What waiting does not mend: a question that was not accepted, and what only a person can put right. */
function isForPerson(error: BackroomError): boolean {
  return error.code === "E_FEW_SOURCES" || error.code === "E_OTHER_NETWORK" || error.retry === "never";
}

/** The network of a link, or the one in use. Raises as `networkOfLink`, E_NO_NETWORK. */
async function networkFor(run: Run, link: ShareLink | undefined): Promise<LinkNetwork> {
  const { deps } = run;
  const { folder, log } = deps;
  if (link === undefined)
    return { network: await currentNetwork(folder), joinRelays: [], keep: async () => {} };
  const accepted = consentsOf(run.record());
  const hooks: Hooks = {
    progress() {},
    status() {},
    event() {},
    note: (text) => deps.notice("note", text),
    warn: (text) => deps.notice("warn", text),
    confirm: (_question, flag) => Promise.resolve([...accepted].some((one) => flag === `--accept-${one}`)),
    log,
  };
  return networkOfLink(folder, link, hooks);
}

/** Joins the network of a link, or the one in use. Raises as `networkFor` and `Member.use`. */
export async function useNetwork(run: Run, link: ShareLink | undefined, need: Need): Promise<Held> {
  const { network, joinRelays, keep } = await networkFor(run, link);
  const member = run.deps.members.of(network);
  const held = await member.use({ ...need, joinRelays });
  try {
    await keep();
    return held;
  } catch (error) {
    held.release();
    throw error;
  }
}

/** A client whose circuits are of that profile. */
export function clientFor(
  client: Client,
  profile: Profile,
): Pick<Client, "open" | "vet" | "vouchesFor" | "isAway" | "decodeInfo" | "machine" | "relays"> {
  return {
    machine: client.machine,
    decodeInfo: client.decodeInfo,
    vet: (bytes) => client.vet(bytes),
    vouchesFor: (info) => client.vouchesFor(info),
    isAway: (key) => client.isAway(key),
    relays: () => client.relays(),
    open: (want, avoid) => client.open(want, avoid, profile),
  };
}

/** Why a transfer waits while its network is joined; null where nothing went wrong yet. */
export function waitsFor(
  failure: Pick<BackroomError, "code" | "message" | "why" | "fix"> | undefined,
): Transfer["waits"] {
  if (failure === undefined) return null;
  const { code, message, why, fix } = failure;
  return { code, why: `${message}: ${why}`, fix };
}

/** Joins as `useNetwork`, shows it, and says why it takes long. `link` is undefined for the network in use. */
export async function joinFor(
  run: Run,
  link: ShareLink | undefined,
  isPatient: boolean,
): Promise<Held & { readonly member: Member }> {
  const { network } = await networkFor(run, link);
  const member = run.deps.members.of(network);
  if (member.client === undefined) run.begin("joining");
  run.activity = { refresh: () => run.show({ waits: waitsFor(member.failure) }) };
  try {
    const held = await useNetwork(run, link, {
      accept: consentsOf(run.record()),
      isFinal: (error) => !isPatient || isForPerson(error),
      signal: run.signal,
    });
    return { ...held, member };
  } finally {
    run.activity = {};
  }
}
